import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SETTINGS } from '../src/cli/settings.js';
import { DEFAULT_SERVER_LIMITS } from '../src/server/limits.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { packageRoot } from '../src/util/package-root.js';

const document = readFileSync(join(packageRoot(), 'docs', 'limits.md'), 'utf8');
const rows = [...document.matchAll(/^\| `(\w+)` \| (\d+) \| (.+) \| (.+) \|$/gm)];

test('the table has every limit, with the default of the code and of the command line', () => {
  const shown = Object.fromEntries(rows.map(([, name, value]) => [name, Number(value)]));
  assert.equal(shown, { ...DEFAULT_LIMITS, ...DEFAULT_SERVER_LIMITS });
  for (const [name, value] of Object.entries(shown)) {
    assert.is(SETTINGS.find(({ key }) => key === name)?.value, value, name);
  }
});

test('every limit says what happens beyond it, and why it is as it is', () => {
  for (const [, name, , beyond, why] of rows) assert.ok(beyond!.length > 20 && why!.length > 10, name);
});

test.run();
