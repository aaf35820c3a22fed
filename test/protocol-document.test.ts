import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ERROR_RULES } from '../src/protocol/errors.js';
import { packageRoot } from '../src/util/package-root.js';
import { checkStretch, readLines } from './protocol-support.js';

const root = packageRoot();
const document = readFileSync(join(root, 'protocol', 'PROTOCOL.md'), 'utf8');
const schema = JSON.parse(readFileSync(join(root, 'protocol', 'lexigate.v1.schema.json'), 'utf8')) as {
  readonly $defs: Readonly<Record<string, object>>;
};

/** Contents of the fenced blocks of a language, without the indentation of the list that they stand in. */
function blocks(language: string): string[] {
  return [...document.matchAll(new RegExp(`^ *\`\`\`${language}\n(.*?)^ *\`\`\`$`, 'gms'))].map(
    ([, text]) => text!,
  );
}

/** Type declarations without comments, `export` and line breaks, so that only what they say is compared. */
function declarations(source: string): string[] {
  return source
    .replace(/\/\*\*.*?\*\//gs, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/\s+/g, ' ')
    .split(/(?<=[;}]) (?=(?:export )?(?:interface|type) \w+ )/)
    .map((text) => text.replace(/^ *(export )?/, '').trim())
    .filter((text) => text !== '');
}

test('the types in the document are those of the schema', () => {
  const generated = new Set(declarations(readFileSync(join(root, 'src', 'protocol', 'messages.ts'), 'utf8')));
  const shown = blocks('ts').flatMap(declarations);
  assert.ok(shown.length > 20);
  for (const declaration of shown) assert.ok(generated.has(declaration), declaration);
});

test('the document shows the type of every message', () => {
  const shown = blocks('ts').join('\n');
  const messages = Object.keys(schema.$defs).filter(
    (name) => /.Message$/.test(name) && !/^(Client|Server)/.test(name),
  );
  assert.ok(messages.length > 10);
  for (const name of messages) assert.match(shown, new RegExp(`(interface|type) ${name} `));
});

test('the frames in the walk-throughs are valid, and refusals are answered in the words that the server uses', () => {
  const shown = blocks('jsonl');
  assert.ok(shown.length > 15);
  for (const block of shown) checkStretch(readLines(block));
});

test('the table of errors in the document is the table in the code', () => {
  const rows = [...document.matchAll(/^\| `(\w+)` +\| (yes|no) +\| (\d+) +\|/gm)];
  const shown = Object.fromEntries(
    rows.map(([, code, fatal, closeCode]) => [
      code!,
      { closeCode: Number(closeCode), fatal: fatal === 'yes' },
    ]),
  );
  assert.equal(shown, { ...ERROR_RULES });
});

test('every link within the document leads somewhere', () => {
  const seen = new Map<string, number>();
  const anchors = [...document.matchAll(/^#+ (.*)$/gm)].map(([, title]) => {
    const anchor = title!
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-');
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
  for (const [, target] of document.matchAll(/\]\(#([^)]*)\)/g)) assert.ok(anchors.includes(target!), target);
});

test.run();
