import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/util/package-root.js';
import { serve } from '../gateway-process.js';

/** A server under test in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** More than any machine of this kind holds: the number of connections is not what is measured. */
const CONNECTIONS = ['--max-connections', '2000', '--log-level', 'error'];

/** How long a server may take until it listens; Python and its model take seconds. */
const START_MS = 60_000;

export async function startLexigate(): Promise<ServerProcess> {
  return serve(...CONNECTIONS);
}

/** sherpa-onnx's own C++ server, two threads for the network as the gateway has two workers. */
export async function startSherpa(bin: string, model: string): Promise<ServerProcess> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'sherpa-'));
  const child = spawn(join(bin, 'sherpa-onnx-online-websocket-server'), [
    `--port=${port}`,
    `--nemo-ctc-model=${join(model, 'model.onnx')}`,
    `--tokens=${join(model, 'tokens.txt')}`,
    '--num-work-threads=2',
    '--num-threads=1',
    '--max-batch-size=16',
    `--log-file=${join(folder, 'log.txt')}`,
  ]);
  await said(child, /Listening on: \d+/);
  return {
    ...processOf(child, `ws://127.0.0.1:${port}`),
    stop: async () => {
      await ended(child);
      await rm(folder, { recursive: true });
    },
  };
}

export async function startWhisper(bin: string, model: string): Promise<ServerProcess> {
  const script = join(packageRoot(), 'load-tests', 'peers', 'whisper_server.py');
  const child = spawn(join(bin, 'python'), [script, model]);
  const [, url] = await said(child, /listens on (\S+)/);
  return processOf(child, url!);
}

function processOf(child: ChildProcess, url: string): ServerProcess {
  return { url, pid: child.pid!, stop: () => ended(child) };
}

/** What a server says once it listens, on whichever output. */
function said(child: ChildProcess, expected: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let out = '';
    const fail = (): void => reject(new Error(`${child.spawnfile} did not start:\n${out.slice(-2000)}`));
    const timer = setTimeout(fail, START_MS);
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        // what comes later is read too, so that the pipe does not fill, and not kept
        if (out.length > 1e5) return;
        out += text;
        const found = expected.exec(out);
        if (found === null) return;
        clearTimeout(timer);
        resolve(found);
      });
    }
    child.on('error', fail);
    child.on('exit', fail);
  });
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
