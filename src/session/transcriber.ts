import { of, Subject, type Subscription } from 'rxjs';
import { adapt } from '../adapter/adapt.js';
import { AttentionTrack } from '../adapter/attention-track.js';
import type { BiasQueue } from '../adapter/bias-queue.js';
import type { EmbeddedLists } from '../adapter/embedded-lists.js';
import { bytesPerFrame } from '../audio/decode.js';
import { createResampler } from '../audio/resample.js';
import type { VocabularyEntry } from '../biasing/entry.js';
import { Vocabulary, VocabularyTooLongError } from '../biasing/vocabulary.js';
import type { VocabularyCache } from '../biasing/vocabulary-cache.js';
import { EntityLookup } from '../decoder/entity-lookup.js';
import type { LanguageModel } from '../decoder/language-model.js';
import type { BiasOptions } from '../decoder/options.js';
import type { PhoneOptions } from '../decoder/scores.js';
import { type FinalHypothesis, type PartialHypothesis, Segmenter } from '../decoder/segmenter.js';
import { SoundIndex } from '../decoder/sound-index.js';
import { VettedDecoder } from '../decoder/vetted-decoder.js';
import type { Batcher } from '../encoder/batcher.js';
import type { EncoderDescription } from '../encoder/runtime.js';
import type { RecognitionMetrics } from '../observability/recognition-metrics.js';
import { headPhones } from '../phonetics/phones.js';
import { headLabels, type Pronouncer } from '../phonetics/pronouncer.js';
import type { FinalMessage, PartialMessage, VocabularySummary } from '../protocol/messages.js';
import type { Boundary, Flow } from '../util/flow.js';
import { Background } from './background.js';
import { BiasingCounter } from './biasing-counter.js';
import { Captioner } from './captioner.js';
import { Clock } from './clock.js';
import { Learning } from './learning.js';
import { type ChannelStages, pipeline } from './pipeline.js';
import type {
  RecogniserCommand,
  RecogniserConfig,
  RecogniserEvent,
  UpdateCommand,
  VocabularyChange,
} from './recogniser.js';
import { Repetition } from './repetition.js';
import { type ChannelPlace, type UpdateInForce, VocabularySchedule } from './vocabulary-schedule.js';

export interface TranscriberResources {
  readonly batcher: Batcher;
  readonly languageModel?: LanguageModel;
  /** Lists that sessions of this worker share. */
  readonly vocabularies?: VocabularyCache;
  /** Without it, techniques that need the sounds of words take no part. */
  readonly pronouncer?: Pronouncer;
  /** Without it the network does not attend to lists. */
  readonly adapter?: { readonly queue: BiasQueue; readonly lists: EmbeddedLists };
  /** Where sessions of this worker learn about their lists. */
  readonly background?: Background;
  /** What sessions of this worker count together. */
  readonly metrics?: RecognitionMetrics;
}

interface Channel {
  readonly stages: ChannelStages;
  readonly segmenter: Segmenter;
  readonly captioner: Captioner;
  /** The version in force. */
  vocabulary: Vocabulary;
  /** Frames decoded. */
  frame: number;
}

/** One session's recognition: the pipeline, the list in force, and the answers to commands. Runs in a worker. */
export class Transcriber {
  readonly #config: RecogniserConfig;
  readonly #clock: Clock;
  readonly #emit: (event: RecogniserEvent) => void;
  readonly #input = new Subject<Flow<Uint8Array>>();
  readonly #channels: Channel[] = [];
  #subscription: Subscription | undefined;
  readonly #schedule: VocabularySchedule;
  readonly #biasing: BiasingCounter;
  readonly #repetition: Repetition | undefined;
  readonly #learning: Learning;
  /** How the entries of the newest list are said. */
  readonly #index = new SoundIndex();
  /** The newest version. */
  #vocabulary: Vocabulary;
  /** Client's samples per channel. */
  #received = 0;
  /** Where flushes and the stop came that have not passed, in client's samples. */
  readonly #ends: number[] = [];
  #reported = 0;

  private constructor(
    config: RecogniserConfig,
    {
      batcher,
      vocabularies,
      pronouncer,
      background = new Background(),
      adapter,
      metrics,
    }: TranscriberResources,
    emit: (event: RecogniserEvent) => void,
  ) {
    const { sampleRate, frameSamples } = batcher.runtime.description;
    this.#config = config;
    this.#emit = emit;
    this.#biasing = new BiasingCounter((final) => metrics?.final(final));
    this.#clock = new Clock(config.audio.sampleRate, sampleRate, frameSamples);
    const limits = { maxEntries: config.maxEntries, maxLength: config.maxEntryLength };
    this.#vocabulary = Vocabulary.empty(limits, vocabularies);
    if (config.repeatable) {
      this.#repetition = new Repetition(config.audio.channels, (update) => this.#update(update));
    }
    this.#learning = new Learning({
      biasing: config.biasing,
      pronouncer,
      background,
      lists: adapter?.lists,
      index: this.#index,
      empty: this.#vocabulary,
      changed: () => this.#soundsChanged(),
      settled: ({ version, size }) => {
        this.#repetition?.settled();
        this.#emit({ type: 'vocabulary.settled', version, entries: size });
      },
    });
    this.#schedule = new VocabularySchedule(config.audio.channels, {
      change: (change) => this.#change(change),
      enter: (channel, vocabulary, retroactive) => this.#enter(channel, vocabulary, retroactive),
      done: (update) => this.#emit({ type: 'vocabulary.applied', id: update.id, ...this.#summary(update) }),
      failed: (id, reason) => this.#refuse(id, reason),
    });
  }

  /**
   * @param emit told everything that happens; not called any more once closed
   * @returns the transcriber and the vocabulary of the config as it came into force
   */
  static async open(
    config: RecogniserConfig,
    resources: TranscriberResources,
    emit: (event: RecogniserEvent) => void,
  ): Promise<{ readonly transcriber: Transcriber; readonly vocabulary: VocabularySummary }> {
    // what other sessions have asked a shared one changes what it knows
    const pronouncer = config.repeatable ? resources.pronouncer?.alone() : resources.pronouncer;
    const own = { ...resources, ...(pronouncer !== undefined && { pronouncer }) };
    const transcriber = new Transcriber(audible(config, resources.batcher.runtime.description), own, emit);
    for (let channel = 0; channel < config.audio.channels; channel++) {
      transcriber.#channels.push(await transcriber.#channel(channel, own));
    }
    const vocabulary = transcriber.#first(config.vocabulary);
    transcriber.#run();
    return { transcriber, vocabulary };
  }

  command(command: RecogniserCommand): void {
    switch (command.type) {
      case 'audio':
        this.#received += command.bytes.length / bytesPerFrame(this.#config.audio);
        this.#input.next({ kind: 'data', value: command.bytes });
        return;
      case 'boundary':
        if (command.boundary.type !== 'mark') this.#ends.push(this.#received);
        this.#input.next({ kind: 'boundary', boundary: command.boundary });
        return;
      case 'vocabulary':
        if (this.#repetition === undefined) this.#update(command);
        else {
          const step = this.#repetition.take(command);
          if (step !== undefined) this.#emit({ type: 'placed', id: command.id, step });
        }
    }
  }

  close(): void {
    this.#subscription?.unsubscribe();
    this.#learning.close();
    for (const { stages } of this.#channels) stages.resampler.close();
    this.#channels.length = 0;
  }

  async #channel(
    channel: number,
    { batcher, languageModel, pronouncer, adapter, metrics }: TranscriberResources,
  ): Promise<Channel> {
    const config = this.#config;
    const { description } = batcher.runtime;
    const track = new AttentionTrack();
    const options = {
      pieces: description.pieces,
      blank: description.blank,
      beam: config.beam,
      ...(config.languageModel && languageModel !== undefined && { languageModel }),
      ...(!config.biasing.adaptive && { bias: NO_BOOST }),
      entryWords: config.biasing.unigram,
      ...((config.biasing.phonetic || config.biasing.lexicon) &&
        pronouncer !== undefined && { phones: phonesOf(description, pronouncer) }),
      ...(!config.biasing.phonetic && { phoneWeight: 0 }),
      ...(!config.biasing.acceptance && { acceptance: { perLetter: Infinity } }),
    };
    const segmenter = new Segmenter({
      decoder: new VettedDecoder({ ...options, evidence: track }),
      explain: config.explain,
      ...(config.biasing.lexicon &&
        pronouncer !== undefined && {
          lookup: new EntityLookup({
            index: this.#index,
            pieces: description.pieces,
            pronounce: (word) => pronouncer.labels(word),
            evidence: track,
          }),
        }),
      pieces: description.pieces,
      rowWidth: description.pieces.length + 1,
      phoneWidth: description.phones.length,
      frameMs: (description.frameSamples * 1000) / description.sampleRate,
      endpoint: config.endpoint,
      nBest: config.nBest,
      before: (frame) => this.#schedule.reach(channel, () => this.#place(channel, frame)),
    });
    const captioner = new Captioner(
      { ...config, channel, pieces: description.pieces, clock: this.#clock },
      this.#biasing,
    );
    const resampler = await createResampler(config.audio.sampleRate, description.sampleRate);
    const stages: ChannelStages = {
      resampler,
      batcher,
      latency: config.latency,
      segmenter,
      messages: (hypothesis) => this.#messages(channel, hypothesis),
      before: () => this.#repetition?.step(channel),
      adapt: (item) => {
        const list = this.#learning.attended(this.#channels[channel]!.vocabulary);
        return adapter === undefined ? of(item) : adapt(item, adapter.queue, list, track);
      },
      after: () => this.#repetition?.done(),
      progress: (frame) => {
        this.#channels[channel]!.frame = frame;
        this.#progress();
      },
      observe: metrics?.stage,
    };
    return { stages, segmenter, captioner, vocabulary: this.#vocabulary, frame: 0 };
  }

  #run(): void {
    const stages = this.#channels.map((channel) => channel.stages);
    this.#subscription = pipeline(this.#input, this.#config.audio, stages).subscribe({
      next: (item) => {
        if (item.kind === 'data') this.#emit(item.value);
        else this.#passed(item.boundary);
      },
      error: (reason: unknown) => {
        this.#emit({
          type: 'failed',
          code: 'internal',
          message: `Recognition failed: ${reason instanceof Error ? reason.message : String(reason)}. Open a new session.`,
        });
      },
    });
  }

  /** Every channel has decided what was before the boundary. */
  #passed({ type, id, sample }: Boundary): void {
    // rounding between two rates may end a sample behind the last one that came
    const decided = Math.min(this.#clock.ofModelSample(sample ?? 0), this.#heard);
    if (type !== 'mark') this.#ends.shift();
    if (type === 'flush') {
      for (const channel of this.#channels.keys()) this.#schedule.reach(channel, () => this.#place(channel));
      this.#emit({ type: 'flushed', ...(id !== undefined && { id }), sample: decided });
    } else if (type === 'mark') this.#emit({ type: 'mark', id: id!, sample: decided });
    else {
      this.#schedule.finish();
      this.#emit(this.#totals());
    }
  }

  /** Samples that may have been heard by now: what came behind a flush has no part in what it decides. */
  get #heard(): number {
    return this.#ends[0] ?? this.#received;
  }

  #totals(): RecogniserEvent {
    const totals = this.#channels.map(({ captioner }) => captioner.totals);
    return {
      type: 'stopped',
      audioSeconds: this.#clock.seconds(this.#received),
      samples: this.#received,
      segments: totals.reduce((sum, each) => sum + each.segments, 0),
      words: totals.reduce((sum, each) => sum + each.words, 0),
      vocabularyVersion: this.#vocabulary.version,
      ...(this.#config.explain && { biasing: this.#biasing.totals }),
    };
  }

  #progress(): void {
    const frame = Math.min(...this.#channels.map((channel) => channel.frame));
    const sample = Math.min(this.#clock.ofFrame(frame), this.#received);
    if (sample <= this.#reported) return;
    this.#reported = sample;
    this.#emit({ type: 'progress', sample });
  }

  #update({ id, change, at, retroactive }: UpdateCommand): void {
    this.#schedule.add({ id, change, at, retroactive }, (channel) => this.#place(channel));
    if (!retroactive) return;
    for (const [channel, { segmenter }] of this.#channels.entries()) {
      const partial = segmenter.revision();
      if (partial === undefined) continue;
      for (const message of this.#messages(channel, partial)) this.#emit(message);
    }
  }

  /** @param frame that is decoded next */
  #place(channel: number, frame = this.#channels[channel]!.segmenter.frame): ChannelPlace {
    return { sample: this.#clock.ofFrame(frame), hearing: this.#channels[channel]!.segmenter.hearing };
  }

  /** The list of the config comes into force before there is any audio. */
  #first(list: readonly VocabularyEntry[]): VocabularySummary {
    const begun = performance.now();
    const { vocabulary, rejected } =
      list.length === 0 ? { vocabulary: this.#vocabulary, rejected: [] } : this.#change({ replace: list });
    for (const channel of this.#channels.keys()) this.#enter(channel, vocabulary, false);
    return this.#summary({ vocabulary, rejected, buildMs: performance.now() - begun, frame: 0 });
  }

  #change(change: VocabularyChange): ReturnType<Vocabulary['replace']> {
    const changed =
      'replace' in change ? this.#vocabulary.replace(change.replace) : this.#vocabulary.patch(change.patch);
    this.#vocabulary = changed.vocabulary;
    if (this.#learning.follow(change, changed.vocabulary)) this.#repetition?.learning();
    return changed;
  }

  /** In force from the next frame that the channel decodes, and over the uncommitted words before it. */
  #enter(channel: number, vocabulary: Vocabulary, retroactive: boolean): number {
    this.#channels[channel]!.vocabulary = vocabulary;
    const { segmenter } = this.#channels[channel]!;
    const { graph } = this.#learning.matched(vocabulary);
    if (retroactive) return segmenter.redecode(graph);
    segmenter.setGraph(graph);
    return segmenter.frame;
  }

  /** Over the uncommitted words and from the next frame on, where the newest list is in force. */
  #soundsChanged(): void {
    const { graph } = this.#learning.matched(this.#vocabulary);
    for (const { segmenter, vocabulary } of this.#channels) {
      if (vocabulary === this.#vocabulary) segmenter.setGraph(graph);
    }
  }

  #refuse(id: string, reason: unknown): void {
    if (!(reason instanceof VocabularyTooLongError)) throw reason;
    const message = `The vocabulary would have ${reason.entries} entries; at most ${reason.limit} are allowed. The list in force stays.`;
    this.#emit({ type: 'failed', code: 'vocabulary_too_large', message, id });
  }

  #messages(
    channel: number,
    hypothesis: FinalHypothesis | PartialHypothesis,
  ): (PartialMessage | FinalMessage)[] {
    const { captioner, segmenter } = this.#channels[channel]!;
    const messages = captioner.messages(hypothesis, this.#heard);
    if (hypothesis.type === 'partial') segmenter.keep(captioner.committedTokens);
    return messages;
  }

  #summary({ vocabulary, rejected, buildMs, frame }: Omit<UpdateInForce, 'id'>): VocabularySummary {
    const { version, hash, size } = vocabulary;
    return {
      version,
      hash,
      entries: size,
      sample: this.#clock.ofFrame(frame),
      buildMs: Math.round(buildMs * 100) / 100,
      rejected: [...rejected],
    };
  }
}

/** Where the model hears no phones, what compares words with them takes no part. */
function audible(config: RecogniserConfig, { phones }: EncoderDescription): RecogniserConfig {
  if (phones.length > 0) return config;
  return { ...config, biasing: { ...config.biasing, phonetic: false, lexicon: false } };
}

/** Entries are still followed, which other techniques need, but earn nothing. */
const NO_BOOST: BiasOptions = { base: 0, lambda: 0, gapCap: 0, biasGap: 0, toll: 0, freeEntries: 1 };

function phonesOf({ phones }: EncoderDescription, pronouncer: Pronouncer): PhoneOptions {
  return { labels: headLabels(headPhones(phones)), pronounce: (word) => pronouncer.labels(word) };
}
