/** Writes src/protocol/messages.ts from the schema, or with `--check` says whether it is up to date. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { compile } from 'json-schema-to-typescript';

const schemaFile = fileURLToPath(new URL('lexigate.v1.schema.json', import.meta.url));
const targetFile = fileURLToPath(new URL('../src/protocol/messages.ts', import.meta.url));

const schema = JSON.parse(await readFile(schemaFile, 'utf8'));
const text = await compile(schema, 'Message', {
  bannerComment: '// Made by `npm run generate` from protocol/lexigate.v1.schema.json; edit that.',
  ignoreMinAndMaxItems: true,
  style: { singleQuote: true, printWidth: 110 },
});

if (process.argv.includes('--check')) {
  const committed = await readFile(targetFile, 'utf8');
  if (committed !== text) {
    console.error('src/protocol/messages.ts is not what the schema says; run `npm run generate`');
    process.exitCode = 1;
  }
} else {
  await writeFile(targetFile, text);
}
