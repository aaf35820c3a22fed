/** The door: text from outside becomes a typed message here, once, or a sentence that says what was wrong with it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { packageRoot } from '../util/package-root.js';
import { ProtocolError } from './errors.js';
import type { ClientMessage, ErrorCode, ServerMessage } from './messages.js';

/** Subprotocol name, as in `Sec-WebSocket-Protocol`. */
export const SUBPROTOCOL = 'lexigate.v1';

/**
 * Whatever the session allows, no more than this is parsed: 10,000 entries of usual length fit ten times over, and the
 * socket's thread needs 40 ms for it.
 */
const MAX_MESSAGE_CHARS = 2 ** 22;

/** Values in error messages are shown up to here. */
const MAX_SHOWN_CHARS = 60;

interface Definition {
  readonly oneOf?: readonly { readonly $ref: string }[];
  readonly properties?: { readonly type?: { readonly const?: string } };
}
interface Schema {
  readonly $id: string;
  readonly $defs: Readonly<Record<string, Definition>>;
}

const schema = JSON.parse(
  readFileSync(join(packageRoot(), 'protocol', `${SUBPROTOCOL}.schema.json`), 'utf8'),
) as Schema;

/** `verbose` puts the offending value into each error; the schema itself is checked by the tests, not at each start. */
const AJV_OPTIONS = { verbose: true, validateSchema: false } as const;

const clientValidators = compileUnion('ClientMessage', new Ajv2020(AJV_OPTIONS));

/** Compiled at the first need: a gateway has none. */
let serverValidators: ReadonlyMap<string, ValidateFunction> | undefined;

/** One validator per `type`, so that an error speaks of the message that was meant. */
function compileUnion(name: string, ajv: Ajv2020): ReadonlyMap<string, ValidateFunction> {
  ajv.addSchema(schema);
  const validators = new Map<string, ValidateFunction>();
  for (const { $ref } of schema.$defs[name]!.oneOf!) {
    const validator = ajv.getSchema(schema.$id + $ref);
    if (validator === undefined) throw new Error(`${$ref} is not in the schema`);
    validators.set(typeName($ref), validator);
  }
  return validators;
}

/** The `type` of a message definition; all members of a union share it. */
function typeName($ref: string): string {
  const definition = schema.$defs[$ref.slice('#/$defs/'.length)]!;
  return definition.properties?.type?.const ?? typeName(definition.oneOf![0]!.$ref);
}

/** Text of a frame whose bytes nobody has looked at yet. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ProtocolError('invalid_utf8', 'A text frame is not valid UTF-8; send audio as binary frames.');
  }
}

/** Defaults are not filled in: what the client left out stays out. */
export function parseClientMessage(text: string): ClientMessage {
  return parse(text, clientValidators) as unknown as ClientMessage;
}

/** Members that the schema does not know are left out. */
export function parseServerMessage(text: string): ServerMessage {
  // a newer server may say more than this schema knows: what is unknown is left out, as PROTOCOL.md asks of clients
  serverValidators ??= compileUnion('ServerMessage', new Ajv2020({ ...AJV_OPTIONS, removeAdditional: true }));
  return parse(text, serverValidators) as unknown as ServerMessage;
}

type JsonObject = Readonly<Record<string, unknown>>;

function parse(text: string, validators: ReadonlyMap<string, ValidateFunction>): JsonObject {
  const message = parseObject(text);
  const id = requestId(message);
  const type = message['type'];
  if (type === undefined) {
    throw new ProtocolError(
      'invalid_message',
      `The message has no "type"; send one of ${list(validators.keys())}.`,
      {
        id,
      },
    );
  }
  const validator = typeof type === 'string' ? validators.get(type) : undefined;
  if (validator === undefined) {
    throw new ProtocolError(
      'unknown_type',
      `There is no message of the type ${show(type)}; send one of ${list(validators.keys())}.`,
      { id },
    );
  }
  if (!validator(message)) throw invalid(String(type), validator.errors ?? [], id);
  return message;
}

function parseObject(text: string): JsonObject {
  if (text.length > MAX_MESSAGE_CHARS) {
    throw new ProtocolError(
      'frame_too_large',
      `The message has ${text.length} characters; send at most ${MAX_MESSAGE_CHARS}.`,
    );
  }
  let value: unknown;
  try {
    // deep nesting costs no stack: V8's parser is iterative, and the closed schema looks a few levels down
    value = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError(
      'malformed_json',
      `The message is not JSON: ${show(text)}. Send audio as binary frames.`,
      {
        cause,
      },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError(
      'invalid_message',
      `The message is ${show(value)}; send a JSON object with a "type".`,
    );
  }
  return value as JsonObject;
}

/** The id to answer with, where the message has a usable one. */
function requestId(message: JsonObject): string | undefined {
  const id = message['id'];
  return typeof id === 'string' && id.length > 0 && id.length <= 64 ? id : undefined;
}

/** Places in a message whose errors have a code of their own. */
const CODES_BY_PATH: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^\/audio\/encoding$/, 'unsupported_encoding'],
  [/^\/audio\/sampleRate$/, 'unsupported_rate'],
  [/^\/audio\/channels$/, 'unsupported_channels'],
  [/^\/options\/latencyMs$/, 'unsupported_latency'],
  [/^\/(vocabulary|replace|patch)(\/|$)/, 'vocabulary_invalid'],
];

function invalid(type: string, errors: readonly ErrorObject[], id: string | undefined): ProtocolError {
  const error = mostTelling(errors);
  if (error === undefined) return new ProtocolError('invalid_message', `The "${type}" is invalid.`, { id });
  const path = error.instancePath;
  const code = CODES_BY_PATH.find(([pattern]) => pattern.test(path))?.[1] ?? 'invalid_message';
  const place = path === '' ? 'it' : path.slice(1);
  return new ProtocolError(code, `In "${type}", ${place} ${complaint(error, errors)}.`, { id });
}

/** Of the errors of all branches of a union: the deepest, and rather about the content than about the kind of value. */
function mostTelling(errors: readonly ErrorObject[]): ErrorObject | undefined {
  const unions = new Set(['anyOf', 'oneOf']);
  const rank = (error: ErrorObject): number =>
    2 * error.instancePath.split('/').length + (error.keyword === 'type' ? 0 : 1);
  return errors
    .filter((error) => !unions.has(error.keyword))
    .reduce<ErrorObject | undefined>(
      (best, error) => (best === undefined || rank(error) > rank(best) ? error : best),
      undefined,
    );
}

/** The end of a sentence whose subject is the place of the error. */
function complaint(error: ErrorObject, errors: readonly ErrorObject[]): string {
  const params = error.params as JsonObject;
  switch (error.keyword) {
    case 'type': {
      const kinds = errors
        .filter((other) => other.keyword === 'type' && other.instancePath === error.instancePath)
        .map((other) => KINDS[String((other.params as JsonObject)['type'])]);
      return `is ${show(error.data)}; send ${[...new Set(kinds)].join(' or ')}`;
    }
    case 'required':
      return missing(error, errors);
    case 'additionalProperties':
      return surplus(error, errors);
    case 'enum': {
      const kind = errors.find(
        ({ keyword, instancePath }) => keyword === 'type' && instancePath === error.instancePath,
      );
      const other = kind === undefined ? '' : ` or ${KINDS[String((kind.params as JsonObject)['type'])]}`;
      return `is ${show(error.data)}; send one of ${list((params['allowedValues'] as readonly unknown[]).values())}${other}`;
    }
    case 'pattern':
      return `is ${show(error.data)}; send a text with at least one visible character`;
    case 'minLength':
    case 'maxLength':
      return `is ${show(error.data)}; send ${bound(error.keyword)} ${params['limit']} characters`;
    case 'minItems':
    case 'maxItems':
      return `has ${(error.data as readonly unknown[]).length} items; send ${bound(error.keyword)} ${params['limit']}`;
    case 'minProperties':
      return `is empty; send at least one of ${list(known(error, errors))}`;
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
      return `is ${show(error.data)}; send ${range(error.parentSchema as NumberBounds)}`;
    default:
      return `is ${show(error.data)}; it ${error.message ?? 'is invalid'}`;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text in quotes',
  object: 'an object',
  array: 'a list',
  boolean: 'true or false',
  number: 'a number',
  integer: 'a whole number',
};

/** A member that no branch knows, or that another branch knows and so says too much. */
function surplus(error: ErrorObject, errors: readonly ErrorObject[]): string {
  const names = [...known(error, errors)];
  const refused = new Set(
    errors
      .filter(
        (other) => other.keyword === 'additionalProperties' && other.instancePath === error.instancePath,
      )
      .map((other) => String((other.params as JsonObject)['additionalProperty'])),
  );
  const name = String((error.params as JsonObject)['additionalProperty']);
  return names.includes(name)
    ? `says both ${list(names.filter((other) => refused.has(other)))}; send one of them`
    : `has ${show(name)}, which does not exist; known are ${list(names)}`;
}

interface NumberBounds {
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
}

function range({ minimum, exclusiveMinimum, maximum }: NumberBounds): string {
  const least = exclusiveMinimum === undefined ? `at least ${minimum}` : `more than ${exclusiveMinimum}`;
  return maximum === undefined ? least : `${least} and at most ${maximum}`;
}

function bound(keyword: string): string {
  return keyword.startsWith('min') ? 'at least' : 'at most';
}

/** Branches of a union may each miss something else; where they do, the user has the choice. */
function missing(error: ErrorObject, errors: readonly ErrorObject[]): string {
  const names = new Set(
    errors
      .filter((other) => other.keyword === 'required' && other.instancePath === error.instancePath)
      .map((other) => `"${(other.params as JsonObject)['missingProperty']}"`),
  );
  return `has no ${[...names].join(' and no ')}; add ${names.size > 1 ? 'one' : 'it'}`;
}

/** Names of the members that an object may have, over all branches of a union. */
function known(error: ErrorObject, errors: readonly ErrorObject[]): Iterable<string> {
  const names = errors
    .filter((other) => other.instancePath === error.instancePath)
    .flatMap((other) => Object.keys((other.parentSchema as Definition | undefined)?.properties ?? {}));
  return new Set(names);
}

function list(values: Iterable<unknown>): string {
  return [...values].map((value) => JSON.stringify(value)).join(', ');
}

/** A value for a sentence: short, and without walking into what a stranger nested. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  const characters = Array.from(value.slice(0, 2 * MAX_SHOWN_CHARS));
  const begin = characters.slice(0, MAX_SHOWN_CHARS).join('');
  return JSON.stringify(begin) + (begin.length < value.length ? '…' : '');
}
