/** What a client of vosk-server says in text frames. */
import { ProtocolError } from '../protocol/errors.js';

/** Members of `config`; what it leaves out stays as it was. */
export interface VoskConfig {
  /** Samples a second. */
  readonly sampleRate?: number;
  /** Whether results name their words. */
  readonly words?: boolean;
  /** 0: one text. Above, results are lists of that many at most. */
  readonly maxAlternatives?: number;
  readonly phrases?: readonly string[];
}

export type VoskRequest =
  | { readonly type: 'config'; readonly config: VoskConfig }
  | { readonly type: 'reset' }
  | { readonly type: 'eof' };

/** The native protocol's bounds. */
const MIN_SAMPLE_RATE = 8000;
const MAX_SAMPLE_RATE = 48_000;

const REQUESTS = '{"config": {...}}, {"reset": 1} or {"eof": 1}';

type Json = Readonly<Record<string, unknown>>;

export function parseVoskRequest(text: string): VoskRequest {
  const message = parseObject(text);
  const [name, ...others] = Object.keys(message);
  if (others.length === 0) {
    if (name === 'config') return { type: 'config', config: parseConfig(message['config']) };
    if ((name === 'eof' || name === 'reset') && (message[name] === 1 || message[name] === true)) {
      return { type: name };
    }
  }
  throw new ProtocolError(
    'invalid_message',
    `A text frame has ${shown(message)}; send one of ${REQUESTS}, and audio as binary frames.`,
  );
}

/** @param value a number, or a text of one as query strings have it */
export function parseSampleRate(value: unknown): number {
  const rate = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (
    typeof rate === 'number' &&
    Number.isInteger(rate) &&
    rate >= MIN_SAMPLE_RATE &&
    rate <= MAX_SAMPLE_RATE
  ) {
    return rate;
  }
  throw new ProtocolError(
    'unsupported_rate',
    `sample_rate is ${shown(value)}; send a whole number from ${MIN_SAMPLE_RATE} to ${MAX_SAMPLE_RATE}.`,
  );
}

function parseObject(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProtocolError(
      'malformed_json',
      `A text frame is no JSON; send one of ${REQUESTS}, and audio as binary frames.`,
    );
  }
  if (isObject(value)) return value;
  throw new ProtocolError('invalid_message', `A text frame is ${shown(value)}; send one of ${REQUESTS}.`);
}

type Parser = (value: unknown) => VoskConfig;

/** Each member of a config; those of which vosk-server knows more than we offer are refused by name. */
const MEMBERS: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ['sample_rate', (value) => ({ sampleRate: parseSampleRate(value) })],
  ['words', (value) => ({ words: parseFlag('words', value) })],
  ['max_alternatives', (value) => ({ maxAlternatives: parseCount('max_alternatives', value) })],
  ['phrase_list', (value) => ({ phrases: parsePhrases(value) })],
]);

function parseConfig(value: unknown): VoskConfig {
  if (!isObject(value))
    throw new ProtocolError('invalid_message', `config is ${shown(value)}, not an object.`);
  const parsed = Object.entries(value).map(([name, member]) => {
    const parse = MEMBERS.get(name);
    if (parse !== undefined) return parse(member);
    const why =
      name === 'model' ? 'the server has one model, which clients do not choose' : 'it does not exist here';
    throw new ProtocolError(
      'invalid_message',
      `config has "${name}": ${why}; known are ${[...MEMBERS.keys()].join(', ')}.`,
    );
  });
  return Object.assign({}, ...parsed) as VoskConfig;
}

function parseFlag(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 0 || value === 1) return value === 1;
  throw new ProtocolError('invalid_message', `${name} is ${shown(value)}; send true, false, 1 or 0.`);
}

function parseCount(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw new ProtocolError('invalid_message', `${name} is ${shown(value)}; send a whole number from 0 on.`);
}

/** `[unk]` stands for all words that are not in a grammar; ours are not shut out, so it says nothing. */
function parsePhrases(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((phrase) => typeof phrase === 'string')) {
    return value.filter((phrase) => phrase.trim() !== '[unk]');
  }
  throw new ProtocolError('invalid_message', `phrase_list is ${shown(value)}; send an array of texts.`);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value in an error message, not too long. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
