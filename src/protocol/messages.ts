// Made by `npm run generate` from protocol/lexigate.v1.schema.json; edit that.

/**
 * Every text frame of the WebSocket subprotocol lexigate.v1. PROTOCOL.md tells how they follow each other.
 */
export type Message = ClientMessage | ServerMessage;
/**
 * What a client may send as text. Binary frames are audio.
 */
export type ClientMessage =
  | StartMessage
  | ResumeMessage
  | VocabularyUpdateMessage
  | FlushMessage
  | MarkMessage
  | AckMessage
  | StopMessage;
/**
 * Little-endian 16-bit integers, little-endian 32-bit floats, or a byte a sample after ITU-T G.711.
 */
export type AudioEncoding = 's16le' | 'f32le' | 'mulaw' | 'alaw';
/**
 * A text alone, or with what is known about it.
 */
export type Entry = EntryText | EntryObject;
/**
 * A word or phrase as it shall be written.
 */
export type EntryText = string;
/**
 * Entries; of two with the same text the later one counts. `ready.limits.maxEntries` bounds their number.
 */
export type VocabularyList = Entry[];
/**
 * The greatest `seq` that the client has received; 0: none.
 */
export type ReceivedSeq = number;
/**
 * Changes the vocabulary while audio goes on. Answered by `vocabulary.applied` or, the old list staying in force, by `error` with the same id.
 */
export type VocabularyUpdateMessage = VocabularyReplaceMessage | VocabularyPatchMessage;
/**
 * Chosen by the client, returned in the answer.
 */
export type RequestId = string;
/**
 * When an update takes effect: `now`, the default; `next_utterance`, in each channel once the utterance is over that is being spoken there, or at once where nobody speaks; or at a sample of the client's clock.
 */
export type UpdateMoment = SampleIndex | ('now' | 'next_utterance');
/**
 * Samples of one channel since the start, at the client's own rate.
 */
export type SampleIndex = number;
/**
 * What a server sends. Clients ignore members that they do not know.
 */
export type ServerMessage =
  | ReadyMessage
  | ResumedMessage
  | ProgressMessage
  | PartialMessage
  | FinalMessage
  | VocabularyAppliedMessage
  | VocabularySettledMessage
  | MarkedMessage
  | FlushedMessage
  | StoppedMessage
  | ErrorMessage;
/**
 * 0 is the empty list that every session begins with; each change in force adds 1.
 */
export type VocabularyVersion = number;
/**
 * Of the list's content: equal lists have equal hashes.
 */
export type VocabularyHash = string;
export type Count = number;
/**
 * A duration of the server's clock.
 */
export type Milliseconds = number;
/**
 * What was well formed but could not be done for an entry, and why; the rest is in force.
 */
export type RejectedEntries = RejectedEntry[];
/**
 * 0, or 1 for the second channel.
 */
export type Channel = number;
/**
 * Number of the segment within its channel, from 0; a segment in which nothing was heard is not sent and takes no number.
 */
export type Segment = number;
/**
 * Time on the client's audio clock, rounded to milliseconds: samples received divided by the sample rate.
 */
export type Seconds = number;
export type Confidence = number;
export type Words = Word[];
/**
 * Sent while the server is overloaded: how much later than `ready.latencyMs` the caption is, in milliseconds. Partials come less often then.
 */
export type LagMs = number;
/**
 * What ended the segment: a pause, a `flush`, the `stop`, or a limit of time.
 */
export type FinalReason = 'endpoint' | 'flush' | 'stop' | 'limit';
/**
 * Number of the message, from 1, in a session that can be resumed: partials, `progress`, `ready` and `resumed` have none.
 */
export type Seq = number;
/**
 * The closed set of errors; PROTOCOL.md says of each what to do.
 */
export type ErrorCode =
  | 'malformed_json'
  | 'unknown_type'
  | 'invalid_message'
  | 'invalid_utf8'
  | 'frame_too_large'
  | 'not_started'
  | 'already_started'
  | 'already_stopped'
  | 'not_resumable'
  | 'replaced'
  | 'odd_byte_count'
  | 'unsupported_encoding'
  | 'unsupported_rate'
  | 'unsupported_channels'
  | 'unsupported_latency'
  | 'vocabulary_invalid'
  | 'vocabulary_too_large'
  | 'too_many_requests'
  | 'access_revoked'
  | 'idle_timeout'
  | 'session_too_long'
  | 'slow_consumer'
  | 'server_full'
  | 'shutting_down'
  | 'recogniser_restarted'
  | 'internal';

/**
 * Opens the session: the first message of a connection. Answered by `ready`.
 */
export interface StartMessage {
  type: 'start';
  audio: AudioFormat;
  vocabulary?: VocabularyList;
  options?: SessionOptions;
}
/**
 * What the binary frames hold. Two channels are interleaved: two speakers, transcribed apart.
 */
export interface AudioFormat {
  encoding: AudioEncoding;
  /**
   * Samples per second and channel.
   */
  sampleRate: number;
  channels: 1 | 2;
}
export interface EntryObject {
  text: EntryText;
  /**
   * Multiplies the gain of the entry's matches; 1, the default, is neutral.
   */
  weight?: number;
  /**
   * Further spellings that sound like the entry; a match of one is written as `text`.
   *
   * @maxItems 8
   */
  soundsLike?: EntryText[];
}
/**
 * Wishes; each has a default of the server's.
 */
export interface SessionOptions {
  /**
   * Chunk and look-ahead together: one of `ready.model.latencies`.
   */
  latencyMs?: number;
  /**
   * Hypotheses kept per step; 1 is greedy.
   */
  beam?: number;
  /**
   * False: no partials, only finals.
   */
  partials?: boolean;
  /**
   * Least audio between two partials of a channel; 0 sends one after each step that changed the text.
   */
  partialIntervalMs?: number;
  /**
   * Above 1, finals carry that many alternatives.
   */
  nBest?: number;
  endpoint?: EndpointOptions;
  /**
   * False leaves the word language model out.
   */
  languageModel?: boolean;
  /**
   * True: words of finals tell what biasing did to them, and `stopped` what it did in all.
   */
  explain?: boolean;
  biasing?: BiasingOptions;
  /**
   * True: where the connection is lost, the session is kept for `ready.resume.seconds`.
   */
  resumable?: boolean;
}
/**
 * When a segment ends by itself.
 */
export interface EndpointOptions {
  /**
   * False: only flush, stop and `maxSegmentMs` end a segment.
   */
  enabled?: boolean;
  /**
   * How long the audio must be silent, by its level, before a pause ends the segment.
   */
  silenceMs?: number;
  /**
   * How long the model must hear no new word before a pause ends the segment; both conditions must hold.
   */
  trailingBlankMs?: number;
  /**
   * A segment of this length ends at the next gap between words, and at 1.25 times this in any case, with the reason `limit`.
   */
  maxSegmentMs?: number;
}
/**
 * Which techniques bring the vocabulary into the text; what is left out is as the server thinks best.
 */
export interface BiasingOptions {
  /**
   * Subwords that begin or continue an entry are boosted.
   */
  adaptive?: boolean;
  /**
   * Words of entries are words of the language model, which lists most of them not.
   */
  unigram?: boolean;
  /**
   * Every word, listed or not, is also judged by the phones that were heard.
   */
  phonetic?: boolean;
  /**
   * Entries are also found by their pronunciation, where other words were written.
   */
  lexicon?: boolean;
  /**
   * Entries are also found as they might be spelled by their sound.
   */
  g2g?: boolean;
  /**
   * The network itself attends to the entries, where the model has a contextual adapter.
   */
  encoder?: boolean;
  /**
   * An entry that the beam finds must also be said by the frames nearly as well as what would stand there without the list.
   */
  acceptance?: boolean;
}
/**
 * Goes on with a session whose connection is gone: the first message of a connection, in the place of `start`. Answered by `resumed`.
 */
export interface ResumeMessage {
  type: 'resume';
  /**
   * Of `ready`.
   */
  sessionId: string;
  /**
   * Of `ready.resume`.
   */
  token: string;
  seq: ReceivedSeq;
}
/**
 * Puts a whole new list in the place of the old one; an empty list clears it.
 */
export interface VocabularyReplaceMessage {
  type: 'vocabulary.update';
  id: RequestId;
  replace: VocabularyList;
  at?: UpdateMoment;
  /**
   * True: when the update takes effect, what is not committed of the open segment is recognised again as though the list had been there from its begin.
   */
  retroactive?: boolean;
}
/**
 * Changes single entries of the list in force.
 */
export interface VocabularyPatchMessage {
  type: 'vocabulary.update';
  id: RequestId;
  patch: VocabularyPatch;
  at?: UpdateMoment;
  /**
   * True: when the update takes effect, what is not committed of the open segment is recognised again as though the list had been there from its begin.
   */
  retroactive?: boolean;
}
/**
 * `remove` is done first, then `set`, which adds an entry or changes the one of the same text.
 */
export interface VocabularyPatch {
  set?: VocabularyList;
  /**
   * Texts of entries to take out; one that is not in the list comes back among the rejected.
   */
  remove?: EntryText[];
}
/**
 * Decides all audio sent so far, as though silence followed, and ends the segment. Answered by `final` where something was spoken, then always by `flushed`.
 */
export interface FlushMessage {
  type: 'flush';
  id?: RequestId;
}
/**
 * Comes back as `mark` once all audio sent before it is decided. Changes nothing.
 */
export interface MarkMessage {
  type: 'mark';
  id: RequestId;
}
/**
 * Where the session can be resumed: the messages up to `seq` have come, and the server need not keep them.
 */
export interface AckMessage {
  type: 'ack';
  seq: ReceivedSeq;
}
/**
 * Ends the session: no audio follows. Answered by the last `final` messages, then `stopped`, then close 1000.
 */
export interface StopMessage {
  type: 'stop';
}
/**
 * The session is open: who serves it, with what limits.
 */
export interface ReadyMessage {
  type: 'ready';
  protocol: 'lexigate.v1';
  sessionId: string;
  model: ModelInfo;
  /**
   * The latency in force.
   */
  latencyMs: number;
  limits: Limits;
  vocabulary?: VocabularySummary;
  resume?: ResumeTerms;
}
export interface ModelInfo {
  name: string;
  version: string;
  /**
   * The rate that the model hears; other rates are resampled.
   */
  sampleRate: number;
  /**
   * Grid on which words begin and end.
   */
  frameMs: number;
  /**
   * What `options.latencyMs` may be, the default first.
   *
   * @minItems 1
   */
  latencies: LatencyChoice[];
}
export interface LatencyChoice {
  /**
   * The sum of the others.
   */
  latencyMs: number;
  /**
   * Audio decided per step.
   */
  chunkMs: number;
  /**
   * Audio after it that the step must hear.
   */
  lookaheadMs: number;
}
/**
 * What the server accepts from this session.
 */
export interface Limits {
  /**
   * Of a frame, text or binary; a larger one is dropped with an error.
   */
  maxFrameBytes: number;
  /**
   * Audio sent and not yet decided; beyond it the server stops reading until half of it is left.
   */
  maxBufferedSeconds: number;
  /**
   * Of a vocabulary.
   */
  maxEntries: number;
  /**
   * Characters of an entry's text.
   */
  maxEntryLength: number;
  /**
   * Vocabulary updates; a burst of twice as many is taken, more are refused. Absent: no limit.
   */
  maxUpdatesPerSecond?: number;
  /**
   * Audio that may come faster than it was spoken; absent: any.
   */
  burstSeconds?: number;
  /**
   * Seconds of audio taken per second beyond `burstSeconds`; the server reads no faster.
   */
  maxSpeed?: number;
  /**
   * Longest time without a frame from the client; absent: no limit.
   */
  idleTimeoutSeconds?: number;
  /**
   * Longest session; absent: no limit.
   */
  maxSessionSeconds?: number;
}
/**
 * The list sent in `start`, as it came into force.
 */
export interface VocabularySummary {
  version: VocabularyVersion;
  hash: VocabularyHash;
  entries: Count;
  sample: SampleIndex;
  buildMs: Milliseconds;
  rejected: RejectedEntries;
}
export interface RejectedEntry {
  text: string;
  reason: string;
}
/**
 * How the session is resumed, where `options.resumable` asked for it.
 */
export interface ResumeTerms {
  /**
   * A secret: who has it may take the session.
   */
  token: string;
  /**
   * How long the session is kept without a connection.
   */
  seconds: number;
}
/**
 * The session goes on over this connection. Messages that the client had not received follow.
 */
export interface ResumedMessage {
  type: 'resumed';
  sessionId: string;
  sample: SampleIndex;
  /**
   * Text messages after `start` that arrived, `ack` not counted: the client sends again those behind them.
   */
  requests: number;
}
/**
 * Where the session can be resumed: audio before `sample` has arrived, and the client need not keep it.
 */
export interface ProgressMessage {
  type: 'progress';
  sample: SampleIndex;
}
/**
 * What is heard of the open segment so far; each replaces the one before.
 */
export interface PartialMessage {
  type: 'partial';
  channel: Channel;
  segment: Segment;
  start: Seconds;
  end: Seconds;
  /**
   * `committed` and `tail`, with a space between them where neither is empty.
   */
  text: string;
  /**
   * Begin of the text that no later message of this segment changes.
   */
  committed: string;
  /**
   * The rest, which may still change.
   */
  tail: string;
  words?: Words;
  /**
   * True: a retroactive update changed what partials before this one said.
   */
  revised?: true;
  lagMs?: LagMs;
}
export interface Word {
  word: string;
  start: Seconds;
  end: Seconds;
  startSample: SampleIndex;
  endSample: SampleIndex;
  confidence: Confidence;
  /**
   * Text of the vocabulary entry that the word is part of.
   */
  entity?: string;
  bias?: WordBias;
  /**
   * In a revised partial: the word stands where the partial before had other words.
   */
  revised?: true;
}
/**
 * Sent where `explain` is true, in finals, for words of entries and those that biasing changed: what it did. The words of an entry have it in common.
 */
export interface WordBias {
  /**
   * What gave most: `adaptive` (the entry's subwords were favoured), `unigram` (the language model took its words for likely); others may come. Absent where nothing was given.
   */
  technique?: string;
  /**
   * What all techniques together added to the score, a natural logarithm.
   */
  gain?: number;
  /**
   * What would stand here without a list; empty: nothing.
   */
  unbiased: string;
  /**
   * Whether that is spelled otherwise.
   */
  changed: boolean;
}
/**
 * What was spoken in a segment. Never changes.
 */
export interface FinalMessage {
  type: 'final';
  channel: Channel;
  segment: Segment;
  start: Seconds;
  end: Seconds;
  startSample: SampleIndex;
  endSample: SampleIndex;
  text: string;
  words: Words;
  /**
   * Sent where `nBest` is above 1: the best texts, best first, the first being `text`.
   */
  alternatives?: Alternative[];
  reason: FinalReason;
  lagMs?: LagMs;
  seq?: Seq;
}
export interface Alternative {
  text: string;
  /**
   * Natural logarithm of a probability, comparable within one final only.
   */
  score: number;
  confidence: Confidence;
}
/**
 * The list asked for by the `vocabulary.update` of the same id is in force on all channels: from `sample` on, and over the words before it that are not committed.
 */
export interface VocabularyAppliedMessage {
  type: 'vocabulary.applied';
  id: RequestId;
  version: VocabularyVersion;
  hash: VocabularyHash;
  entries: Count;
  sample: SampleIndex;
  buildMs: Milliseconds;
  rejected: RejectedEntries;
  seq?: Seq;
}
/**
 * All that is learnt about a list in the background (how its entries are said, spelled by their sound, and what the network attends to) takes part from now on. Follows the list's `ready` or `vocabulary.applied`, unless another list comes first.
 */
export interface VocabularySettledMessage {
  type: 'vocabulary.settled';
  version: VocabularyVersion;
  entries: Count;
  seq?: Seq;
}
/**
 * Every sample before `sample` is decided; finals and partials about them were sent before.
 */
export interface MarkedMessage {
  type: 'mark';
  id: RequestId;
  sample: SampleIndex;
  seq?: Seq;
}
/**
 * The flush is done: every sample before `sample` is in a final.
 */
export interface FlushedMessage {
  type: 'flushed';
  id?: RequestId;
  sample: SampleIndex;
  seq?: Seq;
}
/**
 * The session's totals, its last message.
 */
export interface StoppedMessage {
  type: 'stopped';
  sessionId: string;
  audioSeconds: Seconds;
  samples: SampleIndex;
  segments: Count;
  words: Count;
  vocabularyVersion: VocabularyVersion;
  biasing?: BiasingTotals;
  seq?: Seq;
}
/**
 * What biasing did in the session.
 */
export interface BiasingTotals {
  /**
   * Finals whose text would be another one without a list.
   */
  changedFinals: number;
  /**
   * How often entries stand in finals, the 100 most frequent ones.
   */
  hits: EntityHits[];
  /**
   * Of all other entries together.
   */
  otherHits: number;
}
export interface EntityHits {
  /**
   * Text of the entry.
   */
  entity: string;
  hits: Count;
}
/**
 * Something went wrong. Where `fatal` is true the server closes next; otherwise the session goes on as though what caused it had not been sent.
 */
export interface ErrorMessage {
  type: 'error';
  code: ErrorCode;
  /**
   * For people: what was wrong and what to do.
   */
  message: string;
  fatal: boolean;
  id?: RequestId;
  seq?: Seq;
}
