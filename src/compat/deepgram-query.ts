/** The query of `/v1/listen`: what may be asked for, and a sentence for what may not. */
import { OPUS_RATE } from '../audio/opus.js';
import type { AudioEncoding } from '../protocol/messages.js';
import type { SessionLimits } from '../session/limits.js';
import { faultOf, type Keyterm, toKeyterm } from './deepgram-keyterms.js';

/** Raw samples; Opus in packets or in a container; or in a container for certain. */
export type ListenEncoding = AudioEncoding | 'opus' | 'contained';

export interface ListenOptions {
  readonly encoding: ListenEncoding;
  /** Of Opus, that to which it is decoded. */
  readonly sampleRate: number;
  /** Channels of the audio that comes. */
  readonly channels: 1 | 2;
  /** Each channel is transcribed apart; otherwise two are mixed to one. */
  readonly multichannel: boolean;
  readonly interimResults: boolean;
  readonly vadEvents: boolean;
  /** Words are wanted as `punctuated_word` too. */
  readonly punctuated: boolean;
  /** Pause that ends an utterance; undefined leaves it to the gateway. */
  readonly endpointingMs: number | false | undefined;
  readonly utteranceEndMs: number | undefined;
  readonly keyterms: readonly Keyterm[];
}

/** A query that is refused, and why, for the client to read. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

const ENCODINGS: Readonly<Record<string, ListenEncoding>> = {
  linear16: 's16le',
  // floating point, as Deepgram defines it
  linear32: 'f32le',
  mulaw: 'mulaw',
  alaw: 'alaw',
  opus: 'opus',
  'ogg-opus': 'contained',
};

/** Parameters that are read. */
export const READ = [
  'encoding',
  'sample_rate',
  'channels',
  'multichannel',
  'interim_results',
  'endpointing',
  'utterance_end_ms',
  'vad_events',
  'keyterm',
  'keywords',
  'language',
  'punctuate',
  'smart_format',
  'token',
  'access_token',
] as const;

/** Parameters that are accepted and change nothing: the transcript without them is no worse than asked for. */
export const HARMLESS = [
  'model',
  'version',
  'tier',
  'tag',
  'extra',
  'mip_opt_out',
  'no_delay',
  'filler_words',
] as const;

/** Parameters of features that are not offered: accepted where they say no. */
export const NOT_OFFERED = [
  'alternatives',
  'callback',
  'callback_method',
  'detect_entities',
  'detect_language',
  'diarize',
  'diarize_model',
  'diarize_version',
  'dictation',
  'intents',
  'language_hint',
  'measurements',
  'numerals',
  'paragraphs',
  'profanity_filter',
  'redact',
  'replace',
  'search',
  'sentiment',
  'summarize',
  'topics',
  'translate',
  'utterances',
] as const;

/** These may come more than once. */
const REPEATABLE: readonly string[] = ['keyterm', 'keywords', 'tag', 'extra'];

/** Values that ask for nothing. */
const NO: readonly string[] = ['', 'false'];

/** The options of a connection; throws a `QueryError` for the first thing that cannot be had. */
export function parseQuery(query: URLSearchParams, limits: SessionLimits): ListenOptions {
  refuseStrangers(query);
  refuseNotOffered(query);
  const language = query.get('language') ?? 'en';
  if (!/^en(-[a-z0-9]+)*$/i.test(language)) {
    throw new QueryError(`The language "${language}" is not offered, only English ("en").`);
  }
  const encoding = parseEncoding(query.get('encoding'));
  const sampleRate = parseRate(query, encoding);
  const multichannel = flag(query, 'multichannel');
  const channels = (whole(query, 'channels', 1, 2) ?? 1) as 1 | 2;
  return {
    encoding,
    sampleRate,
    channels,
    multichannel,
    interimResults: flag(query, 'interim_results'),
    vadEvents: flag(query, 'vad_events'),
    punctuated: flag(query, 'punctuate') || flag(query, 'smart_format'),
    endpointingMs: parseEndpointing(query),
    utteranceEndMs: NO.includes(query.get('utterance_end_ms') ?? '')
      ? undefined
      : whole(query, 'utterance_end_ms', 1, 60_000),
    keyterms: parseKeyterms(query, limits),
  };
}

function refuseStrangers(query: URLSearchParams): void {
  const known: readonly string[] = [...READ, ...HARMLESS, ...NOT_OFFERED];
  for (const name of new Set(query.keys())) {
    if (!known.includes(name)) throw new QueryError(`The parameter "${name}" is not known here.`);
    if (!REPEATABLE.includes(name) && query.getAll(name).length > 1) {
      throw new QueryError(`The parameter ${name} is there more than once.`);
    }
  }
}

function refuseNotOffered(query: URLSearchParams): void {
  for (const name of NOT_OFFERED) {
    const value = query.get(name)?.toLowerCase() ?? '';
    if (NO.includes(value) || (name === 'alternatives' && value === '1')) continue;
    throw new QueryError(`${name} is not offered here; leave it out.`);
  }
}

/** Left out: the audio comes in a container. */
function parseEncoding(name: string | null): ListenEncoding {
  if (name === null) return 'contained';
  const encoding = Object.hasOwn(ENCODINGS, name) ? ENCODINGS[name] : undefined;
  if (encoding === undefined) {
    throw new QueryError(
      `The encoding "${name}" is not offered; send one of ${Object.keys(ENCODINGS).join(', ')}.`,
    );
  }
  return encoding;
}

function parseRate(query: URLSearchParams, encoding: ListenEncoding): number {
  const rate = whole(query, 'sample_rate', 8000, 48_000);
  // every Opus packet can be decoded to any rate
  if (encoding === 'opus' || encoding === 'contained') return OPUS_RATE;
  if (rate === undefined) throw new QueryError('sample_rate is missing: with encoding it is needed.');
  return rate;
}

function parseEndpointing(query: URLSearchParams): number | false | undefined {
  const value = query.get('endpointing')?.toLowerCase();
  if (value === undefined || value === 'true') return undefined;
  if (value === 'false' || value === '0') return false;
  return whole(query, 'endpointing', 1, 60_000);
}

function parseKeyterms(query: URLSearchParams, limits: SessionLimits): Keyterm[] {
  const keyterms = [...query.getAll('keyterm'), ...query.getAll('keywords')].map(toKeyterm);
  const fault = faultOf(keyterms, limits);
  if (fault !== undefined) throw new QueryError(fault.message);
  return keyterms;
}

/** Python writes `True`. */
function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)?.toLowerCase() ?? 'false';
  if (value === 'true') return true;
  if (NO.includes(value)) return false;
  throw new QueryError(`${name} is "${value}"; it may be true or false.`);
}

function whole(query: URLSearchParams, name: string, least: number, most: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new QueryError(`${name} is "${text}"; it may be a whole number from ${least} to ${most}.`);
}
