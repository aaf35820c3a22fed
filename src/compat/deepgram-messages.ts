/** Deepgram's messages on `/v1/listen`, both ways, as its own clients declare them. */
import type { ModelInfo, RejectedEntries, Word } from '../protocol/messages.js';
import { sha256Uuid } from './deepgram-uuid.js';

export type ListenMessage =
  | { readonly type: 'KeepAlive' }
  | { readonly type: 'CloseStream' }
  /** `channel`: only that one. */
  | { readonly type: 'Finalize'; readonly channel?: number }
  | ConfigureMessage;

export interface ConfigureMessage {
  readonly type: 'Configure';
  /** Absent: as they are. */
  readonly keyterms?: readonly string[];
  readonly features: Readonly<Record<string, boolean>>;
  /** Members that are none of the message's. */
  readonly unknown: readonly string[];
}

/** A word of a transcript. */
export interface ListenWord {
  readonly word: string;
  readonly start: number;
  readonly end: number;
  readonly confidence: number;
  readonly punctuated_word?: string;
}

export interface ResultsMetadata {
  readonly request_id: string;
  readonly model_info: { readonly name: string; readonly version: string; readonly arch: string };
  readonly model_uuid: string;
}

export interface ResultsMessage {
  readonly type: 'Results';
  readonly channel_index: readonly [channel: number, channels: number];
  readonly duration: number;
  readonly start: number;
  readonly is_final: boolean;
  readonly speech_final: boolean;
  readonly from_finalize: boolean;
  readonly channel: {
    readonly alternatives: readonly {
      readonly transcript: string;
      readonly confidence: number;
      readonly words: readonly ListenWord[];
    }[];
  };
  readonly metadata: ResultsMetadata;
}

export interface MetadataMessage {
  readonly type: 'Metadata';
  readonly transaction_key: string;
  readonly request_id: string;
  readonly sha256: string;
  readonly created: string;
  readonly duration: number;
  readonly channels: number;
  readonly models: readonly string[];
  readonly model_info: Readonly<Record<string, ResultsMetadata['model_info']>>;
  /** What was accepted and could not be done. */
  readonly warnings?: readonly {
    readonly parameter: string;
    readonly type: string;
    readonly message: string;
  }[];
}

export type ConfigureFailureCode =
  | 'CONFIGURE_KEYTERMS_NOT_SUPPORTED'
  | 'CONFIGURE_KEYTERM_LIMIT_EXCEEDED'
  | 'CONFIGURE_ALREADY_PENDING'
  | 'CONFIGURE_INTERNAL_ERROR';

export type ListenAnswer =
  | ResultsMessage
  | MetadataMessage
  | {
      readonly type: 'SpeechStarted';
      readonly channel: readonly [channel: number, channels: number];
      readonly timestamp: number;
    }
  | {
      readonly type: 'UtteranceEnd';
      readonly channel: readonly [channel: number, channels: number];
      readonly last_word_end: number;
    }
  | {
      readonly type: 'ConfigureSuccess';
      readonly request_id: string;
      /** Only where the message replaced them. */
      readonly keyterms?: readonly string[];
      /** Ours: terms of the message that nothing can be done with, and why. */
      readonly rejected?: RejectedEntries;
    }
  | {
      readonly type: 'ConfigureFailure';
      readonly request_id: string;
      readonly code: ConfigureFailureCode;
      readonly description: string;
    }
  | {
      readonly type: 'Error';
      readonly variant: string;
      readonly description: string;
      readonly message?: string;
    };

/** A text frame that is no message of Deepgram's. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

/** Reads a text frame; throws a `SchemaError`. */
export function parseListenMessage(text: string): ListenMessage {
  const message = parseObject(text);
  const { type } = message;
  switch (type) {
    case 'KeepAlive':
    case 'CloseStream':
      return { type };
    case 'Finalize':
      return parseFinalize(message);
    case 'Configure':
      return parseConfigure(message);
    default:
      throw new SchemaError('type may be KeepAlive, Finalize, CloseStream or Configure.');
  }
}

type Fields = Readonly<Record<string, unknown>> & { readonly type?: unknown; readonly channel?: unknown };

function parseObject(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SchemaError('A text frame is not JSON; send audio as binary frames.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SchemaError('A text frame is not a JSON object.');
  }
  return value as Fields;
}

function parseFinalize({ channel }: Fields): ListenMessage {
  if (channel === undefined || channel === null) return { type: 'Finalize' };
  if (typeof channel !== 'number') throw new SchemaError('channel of Finalize is not a number.');
  return { type: 'Finalize', channel };
}

function parseConfigure({ type: _, keyterms, features, ...others }: Fields): ConfigureMessage {
  if (keyterms !== undefined && keyterms !== null && !isStrings(keyterms)) {
    throw new SchemaError('keyterms of Configure is not an array of strings.');
  }
  if (features !== undefined && features !== null && !isFlags(features)) {
    throw new SchemaError('features of Configure is not an object of booleans.');
  }
  return {
    type: 'Configure',
    ...(isStrings(keyterms) && { keyterms }),
    features: isFlags(features) ? features : {},
    unknown: Object.keys(others),
  };
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isFlags(value: unknown): value is Record<string, boolean> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((item) => typeof item === 'boolean')
  );
}

/** A native word in Deepgram's shape. */
export function toListenWord(word: Word, punctuated: boolean): ListenWord {
  const { word: text, start, end, confidence } = word;
  return { word: text, start, end, confidence, ...(punctuated && { punctuated_word: text }) };
}

/** The transcript of some words; its confidence is their mean. */
export function toAlternative(
  words: readonly ListenWord[],
): ResultsMessage['channel']['alternatives'][number] {
  const sum = words.reduce((total, { confidence }) => total + confidence, 0);
  return {
    transcript: words.map(({ word }) => word).join(' '),
    confidence: words.length === 0 ? 0 : Number((sum / words.length).toFixed(4)),
    words,
  };
}

/** The model under Deepgram's names; the same model has the same UUID everywhere. */
export function toResultsMetadata(requestId: string, { name, version }: ModelInfo): ResultsMetadata {
  return {
    request_id: requestId,
    model_info: { name, version, arch: 'lexigate' },
    model_uuid: sha256Uuid(`${name} ${version}`),
  };
}
