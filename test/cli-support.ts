import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../src/util/package-root.js';

const main = join(packageRoot(), 'build', 'src', 'cli', 'main.js');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Started {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once what it said has a match, to its first group if it has one. */
  said(pattern: RegExp): Promise<string>;
}

/** The command, running. */
export function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = process.cwd(),
): Started {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env }, cwd });
  let out = '';
  let err = '';
  let look = (): void => undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    look();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code, out, err }));
  });
  return {
    process: child,
    ended,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        look = () => {
          const match = pattern.exec(out) ?? pattern.exec(err);
          if (match !== null) resolve(match[1] ?? match[0]);
        };
        look();
        void ended.then(() => reject(new Error(`ended without ${pattern}: ${out}${err}`)));
      }),
  };
}

/** The command, until it ends. */
export function run(...args: readonly string[]): Promise<Ended> {
  return start(args).ended;
}
