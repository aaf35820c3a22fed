import type { Observable } from 'rxjs';
import type { VocabularyEntry } from '../biasing/entry.js';
import type { EndpointOptions } from '../decoder/endpoint.js';
import type { EncoderDescription, Latency } from '../encoder/runtime.js';
import type {
  AudioFormat,
  BiasingOptions,
  ErrorCode,
  FinalMessage,
  FlushedMessage,
  MarkedMessage,
  PartialMessage,
  StoppedMessage,
  VocabularyAppliedMessage,
  VocabularySettledMessage,
  VocabularySummary,
} from '../protocol/messages.js';
import type { Boundary } from '../util/flow.js';

/** What brings the vocabulary's entries into the text; each may be switched off. */
export type BiasingTechniques = Readonly<Required<BiasingOptions>>;

/** What a session asks of its recogniser, all defaults filled in. */
export interface RecogniserConfig {
  readonly audio: AudioFormat;
  readonly latency: Latency;
  readonly beam: number;
  readonly partials: boolean;
  readonly partialIntervalMs: number;
  readonly nBest: number;
  readonly languageModel: boolean;
  /** Whether finals tell what biasing did to their words. */
  readonly explain: boolean;
  readonly biasing: BiasingTechniques;
  readonly endpoint: EndpointOptions;
  readonly vocabulary: readonly VocabularyEntry[];
  readonly maxEntries: number;
  readonly maxEntryLength: number;
  /**
   * True: what happens follows from audio and commands alone, not from when they came or what other sessions do. Updates
   * are told where they met the audio (`placed`), and decoding waits while something about a new list is learnt.
   */
  readonly repeatable?: boolean;
}

export type VocabularyChange =
  | { readonly replace: readonly VocabularyEntry[] }
  | { readonly patch: { readonly set: readonly VocabularyEntry[]; readonly remove: readonly string[] } };

/** When an update takes effect; a number is a sample of the client's clock. */
export type UpdateMoment = 'now' | 'next_utterance' | number;

export interface UpdateCommand {
  readonly type: 'vocabulary';
  readonly id: string;
  readonly change: VocabularyChange;
  readonly at: UpdateMoment;
  /** Whether what is not committed of the open segment is decoded again. */
  readonly retroactive: boolean;
  /** Steps of decoding before it, as `placed` told them; absent: it meets what it meets. */
  readonly step?: number;
}

/** What goes to a recogniser. Plain data: it may run on another thread. */
export type RecogniserCommand =
  /** Whole samples of all channels in the session's format; the recogniser owns the bytes. */
  | { readonly type: 'audio'; readonly bytes: Uint8Array }
  | UpdateCommand
  | { readonly type: 'boundary'; readonly boundary: Boundary };

/** What comes from one. */
export type RecogniserEvent =
  | PartialMessage
  | FinalMessage
  | VocabularyAppliedMessage
  | MarkedMessage
  | FlushedMessage
  | Omit<StoppedMessage, 'sessionId'>
  /** Everything before this sample of the client's clock is decoded. */
  | { readonly type: 'progress'; readonly sample: number }
  | VocabularySettledMessage
  /** Where an update met the audio: behind so many steps of decoding. Told to who wants to repeat it. */
  | { readonly type: 'placed'; readonly id: string; readonly step: number }
  /** A command that could not be carried out, or, with `internal`, the end of the recogniser. */
  | {
      readonly type: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly id?: string;
      /** It is gone with all others of its worker: another may go on in its place. */
      readonly lost?: true;
    };

/** One session's recogniser. */
export interface Recogniser {
  /** The vocabulary of the config as it came into force. */
  readonly vocabulary: VocabularySummary;
  /** Hot; completes behind `stopped`, after an `internal` failure, or once closed. */
  readonly events: Observable<RecogniserEvent>;
  send(command: RecogniserCommand): void;
  /** Frees what the recogniser holds, at once. */
  close(): void;
}

/** Where recognisers come from: the worker pool, or a test's fake. */
export interface RecogniserFactory {
  readonly description: EncoderDescription;
  open(config: RecogniserConfig): Promise<Recogniser>;
}
