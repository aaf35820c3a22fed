import type { Latency } from '../encoder/runtime.js';
import type { RecogniserFactory } from '../session/recogniser.js';
import { decodeAudio, type MonoAudio } from './audio.js';
import type { Configuration } from './configurations.js';
import type { Manifest, Utterance } from './manifest.js';
import { recognise } from './recognise.js';
import { add, type Counts, type Rates, rates, score } from './score.js';
import { normaliseText, wordsOf } from './text.js';

export interface RunOptions {
  readonly manifest: Manifest;
  readonly recognisers: RecogniserFactory;
  readonly configuration: Configuration;
  /** Those of the manifest that are evaluated. */
  readonly utterances: readonly Utterance[];
  readonly distractors: (utterance: Utterance) => readonly string[];
  /** Whether the list is an anti-list: distractors alone, without what the utterance itself speaks of. */
  readonly anti?: boolean;
  /** Utterances under way at a time. */
  readonly parallel: number;
  readonly latency: Latency;
  readonly endpoints: boolean;
  /** Told after every utterance how many seconds of audio are done. */
  readonly progress?: (utterances: number, seconds: number) => void;
}

export interface UtteranceResult {
  readonly utterance: Utterance;
  readonly hypothesis: string;
  readonly seconds: number;
  readonly counts: Counts;
}

export interface ConfigurationResult extends Rates {
  readonly utterances: number;
  /** Seconds of audio. */
  readonly seconds: number;
  /** Time that recognition took, of all workers together, over the audio's: below 1 is faster than speech. */
  readonly realTimeFactor: number;
  readonly counts: Counts;
  readonly results: readonly UtteranceResult[];
}

/** Recognises and scores all utterances in one configuration. */
export async function run(options: RunOptions): Promise<ConfigurationResult> {
  const { utterances, parallel, progress } = options;
  const begun = performance.now();
  let done = 0;
  let seconds = 0;
  const results = await inParallel(utterances, parallel, async (utterance) => {
    const result = await runUtterance(utterance, options);
    seconds += result.seconds;
    progress?.(++done, seconds);
    return result;
  });
  return sumUp(results, seconds === 0 ? 0 : (performance.now() - begun) / 1000 / seconds);
}

/** The same texts scored with other lists: what a configuration gives that was never told its list. */
export function rescore(
  { results, realTimeFactor }: ConfigurationResult,
  distractors: RunOptions['distractors'],
): ConfigurationResult {
  const rescored = results.map((result) => {
    const { words, entities } = result.utterance;
    const counts = score(words, wordsOf(result.hypothesis), {
      entities,
      distractors: distractors(result.utterance),
    });
    return { ...result, counts };
  });
  return sumUp(rescored, realTimeFactor);
}

function sumUp(results: readonly UtteranceResult[], realTimeFactor: number): ConfigurationResult {
  const counts = add(results.map((result) => result.counts));
  return {
    ...rates(counts),
    utterances: results.length,
    seconds: results.reduce((sum, each) => sum + each.seconds, 0),
    realTimeFactor,
    counts,
    results,
  };
}

async function runUtterance(utterance: Utterance, options: RunOptions): Promise<UtteranceResult> {
  try {
    const audio = await decodeAudio(await options.manifest.read(utterance));
    return await recogniseAndScore(utterance, audio, options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${utterance.path}: ${why}`, { cause });
  }
}

async function recogniseAndScore(
  utterance: Utterance,
  audio: MonoAudio,
  { recognisers, distractors: draw, anti = false, ...options }: RunOptions,
): Promise<UtteranceResult> {
  const { words, entities } = utterance;
  const distractors = draw(utterance);
  const list = anti ? distractors : [...entities, ...distractors];
  const text = await recognise(recognisers, audio, list, options);
  const hypothesis = normaliseText(text);
  return {
    utterance,
    hypothesis,
    seconds: audio.samples.length / audio.sampleRate,
    counts: score(words, wordsOf(hypothesis), { entities, distractors }),
  };
}

/** Results in the order of the items; after a failure no further item is begun. */
async function inParallel<T, R>(
  items: readonly T[],
  parallel: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at]!).catch((reason: unknown) => {
        next = items.length;
        throw reason;
      });
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  return results;
}
