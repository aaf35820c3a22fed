import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../src/util/package-root.js';

test('the message types are what the schema generates, byte for byte', () => {
  execFileSync(process.execPath, [join(packageRoot(), 'protocol', 'generate.mjs'), '--check'], {
    encoding: 'utf8',
  });
});

test('the schema is valid JSON Schema 2020-12, every reference in it leads somewhere, and no keyword is misspelt', () => {
  const text = readFileSync(join(packageRoot(), 'protocol', 'lexigate.v1.schema.json'), 'utf8');
  const compile = (schema: string): unknown =>
    new Ajv2020({ strict: true }).compile(JSON.parse(schema) as object);
  compile(text);
  assert.throws(() => compile(text.replace('"minLength"', '"minimumLength"')), /minimumLength/);
  assert.throws(() => compile(text.replace('"minimum": 0', '"minimum": "0"')), /minimum/);
  assert.throws(() => compile(text.replace('#/$defs/StopMessage', '#/$defs/Stop')), /Stop/);
});

test.run();
