import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import { packageRoot } from '../src/util/package-root.js';

test('the message types are what the schema generates, byte for byte', () => {
  execFileSync(process.execPath, [join(packageRoot(), 'protocol', 'generate.mjs'), '--check'], {
    encoding: 'utf8',
  });
});

test.run();
