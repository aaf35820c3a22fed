import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import specs from '@asyncapi/specs';
import { Ajv, type AnySchema } from 'ajv';
import { load } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../src/util/package-root.js';

interface Reference {
  readonly $ref: string;
}
interface Document {
  readonly channels: { readonly stream: { readonly messages: Readonly<Record<string, Reference>> } };
  readonly operations: Readonly<Record<string, Operation>>;
  readonly components: { readonly messages: Readonly<Record<string, Message>> };
}
interface Operation {
  readonly action: 'send' | 'receive';
  readonly messages: readonly Reference[];
  readonly reply?: { readonly messages: readonly Reference[] };
}
interface Message {
  readonly name: string;
  readonly payload: Reference | object;
}
interface Schema {
  readonly $defs: Readonly<Record<string, Definition>>;
}
interface Definition {
  readonly oneOf?: readonly Reference[];
  readonly properties?: { readonly type?: { readonly const?: string } };
}

const folder = join(packageRoot(), 'protocol');
const document = load(readFileSync(join(folder, 'asyncapi.yaml'), 'utf8')) as Document;
const schema = JSON.parse(readFileSync(join(folder, 'lexigate.v1.schema.json'), 'utf8')) as Schema;

const SCHEMA_PREFIX = './lexigate.v1.schema.json#/$defs/';

/** Every `$ref` in a value. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : references(inner),
  );
}

function resolve(ref: string): unknown {
  if (ref.startsWith(SCHEMA_PREFIX)) return schema.$defs[ref.slice(SCHEMA_PREFIX.length)];
  return ref
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>(
      (value, key) => (value as Readonly<Record<string, unknown>> | undefined)?.[key],
      document,
    );
}

/** The name in the schema of what a message carries. */
function payloadName(ref: string): string | undefined {
  const channelMessage = resolve(ref) as Reference;
  const { payload } = resolve(channelMessage.$ref) as Message;
  return '$ref' in payload ? payload.$ref.slice(SCHEMA_PREFIX.length) : undefined;
}

function union(name: string): string[] {
  return schema.$defs[name]!.oneOf!.map(({ $ref }) => $ref.slice('#/$defs/'.length)).sort();
}

/** Names of the messages of all operations of one direction, replies counted as going the other way. */
function messagesOf(action: Operation['action']): string[] {
  const refs = Object.values(document.operations).flatMap((operation) =>
    operation.action === action ? operation.messages : (operation.reply?.messages ?? []),
  );
  const names = new Set(refs.map(({ $ref }) => payloadName($ref)).filter((name) => name !== undefined));
  return [...names].sort();
}

test("the AsyncAPI document is valid by AsyncAPI's own schema", () => {
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(
    specs.schemasWithoutId['3.0.0'] as AnySchema,
  );
  assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 3)));
  assert.not(validate({ ...document, operations: { open: { action: 'shout' } } }));
});

test('every reference of the AsyncAPI document leads somewhere', () => {
  const refs = references(document);
  assert.ok(refs.length > 40);
  for (const ref of refs) assert.ok(resolve(ref) !== undefined, ref);
});

test('the AsyncAPI document has the messages of the schema, in the same directions', () => {
  assert.equal(messagesOf('receive'), union('ClientMessage'));
  assert.equal(messagesOf('send'), union('ServerMessage'));
});

test('messages of the AsyncAPI document are named by their type', () => {
  for (const { name, payload } of Object.values(document.components.messages)) {
    if (!('$ref' in payload)) continue;
    const definition = resolve(payload.$ref) as Definition;
    const first = definition.oneOf?.[0];
    const typed = first === undefined ? definition : schema.$defs[first.$ref.slice('#/$defs/'.length)]!;
    assert.is(name, typed.properties?.type?.const);
  }
});

test.run();
