import type { VocabularyEntry } from '../biasing/entry.js';
import { DEFAULT_ENDPOINT } from '../decoder/endpoint.js';
import type { EncoderDescription, Latency } from '../encoder/runtime.js';
import { ProtocolError } from '../protocol/errors.js';
import type {
  Entry,
  ReadyMessage,
  SessionOptions,
  StartMessage,
  VocabularyUpdateMessage,
} from '../protocol/messages.js';
import { SUBPROTOCOL } from '../protocol/validate.js';
import type { SessionLimits } from './limits.js';
import type { BiasingTechniques, RecogniserConfig, UpdateCommand, VocabularyChange } from './recogniser.js';

/**
 * On the dev sets 64 hypotheses instead of 32 take .7 points off the WER of read speech (24.1 to 23.4), and among 1,000
 * names they find 4 % more (F1 75 to 79); 16 lose another point or two. The decoder then takes some 80 microseconds per
 * frame of 40 ms, the encoder twenty times that.
 */
const DEFAULT_BEAM = 64;

/** All that helped on the dev sets: docs/biasing.md. */
const DEFAULT_BIASING: BiasingTechniques = {
  adaptive: true,
  unigram: true,
  phonetic: true,
  lexicon: true,
  g2g: true,
  encoder: true,
  acceptance: true,
};

/** Chunk and look-ahead together. */
export function latencyMs(latency: Latency, { frameSamples, sampleRate }: EncoderDescription): number {
  return ((latency.chunkFrames + latency.lookaheadFrames) * frameSamples * 1000) / sampleRate;
}

/** The latency asked for, or the model's default. */
export function chooseLatency(wanted: number | undefined, description: EncoderDescription): Latency {
  const { latencies } = description;
  if (wanted === undefined) return latencies[0]!;
  const found = latencies.find((latency) => latencyMs(latency, description) === wanted);
  if (found !== undefined) return found;
  const offered = latencies.map((latency) => latencyMs(latency, description));
  throw new ProtocolError(
    'unsupported_latency',
    `The latency ${wanted} ms is not offered; ask for one of ${offered.join(', ')}.`,
  );
}

function toEntry(entry: Entry): VocabularyEntry {
  return typeof entry === 'string'
    ? { text: entry, weight: 1, soundsLike: [] }
    : { text: entry.text, weight: entry.weight ?? 1, soundsLike: entry.soundsLike ?? [] };
}

/**
 * An update with every default filled in.
 * @throws ProtocolError `invalid_message` for what contradicts itself
 */
export function toCommand(message: VocabularyUpdateMessage): UpdateCommand {
  const { type, id, at = 'now', retroactive = false } = message;
  if (retroactive && at === 'next_utterance') {
    throw new ProtocolError(
      'invalid_message',
      `In "${type}", retroactive is true and at is "next_utterance", before which nothing is open; leave one of them out.`,
      { id },
    );
  }
  return { type: 'vocabulary', id, change: toChange(message), at, retroactive };
}

function toChange(message: VocabularyUpdateMessage): VocabularyChange {
  if ('replace' in message) return { replace: message.replace.map(toEntry) };
  const { set = [], remove = [] } = message.patch;
  return { patch: { set: set.map(toEntry), remove } };
}

/** A start with every default filled in. */
export function toConfig(message: StartMessage, latency: Latency, limits: SessionLimits): RecogniserConfig {
  const options: SessionOptions = message.options ?? {};
  const vocabulary = (message.vocabulary ?? []).map(toEntry);
  if (vocabulary.length > limits.maxEntries) {
    throw new ProtocolError(
      'vocabulary_too_large',
      `The vocabulary has ${vocabulary.length} entries; send at most ${limits.maxEntries}.`,
    );
  }
  return {
    audio: message.audio,
    latency,
    beam: options.beam ?? DEFAULT_BEAM,
    partials: options.partials ?? true,
    partialIntervalMs: options.partialIntervalMs ?? 0,
    nBest: options.nBest ?? 1,
    languageModel: options.languageModel ?? true,
    explain: options.explain ?? false,
    biasing: { ...DEFAULT_BIASING, ...options.biasing },
    endpoint: { ...DEFAULT_ENDPOINT, ...options.endpoint },
    vocabulary,
    maxEntries: limits.maxEntries,
    maxEntryLength: limits.maxEntryLength,
  };
}

/** The answer to a start, but for its vocabulary. */
export function readyMessage(
  sessionId: string,
  description: EncoderDescription,
  latency: Latency,
  limits: SessionLimits,
): ReadyMessage {
  const frameMs = (description.frameSamples * 1000) / description.sampleRate;
  const [first, ...rest] = description.latencies.map((each) => ({
    latencyMs: latencyMs(each, description),
    chunkMs: each.chunkFrames * frameMs,
    lookaheadMs: each.lookaheadFrames * frameMs,
  }));
  return {
    type: 'ready',
    protocol: SUBPROTOCOL,
    sessionId,
    model: {
      name: description.name,
      version: description.version,
      sampleRate: description.sampleRate,
      frameMs,
      latencies: [first!, ...rest],
    },
    latencyMs: latencyMs(latency, description),
    limits: {
      maxFrameBytes: limits.maxFrameBytes,
      maxBufferedSeconds: limits.maxBufferedSeconds,
      maxEntries: limits.maxEntries,
      maxEntryLength: limits.maxEntryLength,
      maxUpdatesPerSecond: limits.maxUpdatesPerSecond,
      burstSeconds: limits.burstSeconds,
      maxSpeed: limits.maxSpeed,
      idleTimeoutSeconds: limits.idleSeconds,
      maxSessionSeconds: limits.maxSessionSeconds,
    },
  };
}
