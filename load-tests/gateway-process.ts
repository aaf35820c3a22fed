import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/util/package-root.js';

/** `lexigate serve` in a process of its own, so that what it uses can be told from what its clients use. */
export interface GatewayProcess {
  readonly url: string;
  readonly pid: number;
  /** From the command to its word that it listens. */
  readonly startMs: number;
  stop(): Promise<void>;
}

export async function serve(...settings: readonly string[]): Promise<GatewayProcess> {
  const begun = performance.now();
  const main = join(packageRoot(), 'build', 'src', 'cli', 'main.js');
  const child = spawn(process.execPath, [main, 'serve', '--port', '0', ...settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await listening(child);
  return {
    url,
    pid: child.pid!,
    startMs: performance.now() - begun,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let out = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      const found = /listens on (\S+)/.exec(out);
      if (found !== null) resolve(found[1]!);
    });
    child.on('exit', () => reject(new Error('the gateway did not start')));
  });
}

export interface Usage {
  /** Resident memory in 10^6 bytes. */
  readonly rssMb: number;
  /** User and system time. */
  readonly cpuSeconds: number;
}

/** What a process uses, as Linux tells it; zeros elsewhere. */
export function usage(pid: number): Usage {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    // behind the command's name in parentheses, which may hold spaces
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    // in ticks of 10 ms
    return { rssMb: (pages * 4096) / 1e6, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100 };
  } catch {
    return { rssMb: 0, cpuSeconds: 0 };
  }
}
