import { annotate } from '../biasing/annotate.js';
import { PrefixGraph } from '../biasing/prefix-graph.js';
import { type Annotator, CaptionBuilder, type CaptionWord, textOf } from '../captions/caption.js';
import { explain, type WordExplanation } from '../captions/explain.js';
import { addHeard } from '../captions/heard.js';
import type { HeardEntity } from '../decoder/entity-lookup.js';
import type { Hypothesis } from '../decoder/hypothesis.js';
import type { FinalHypothesis, PartialHypothesis } from '../decoder/segmenter.js';
import type { FinalMessage, PartialMessage, Word } from '../protocol/messages.js';
import type { BiasingCounter } from './biasing-counter.js';
import type { Clock } from './clock.js';

export interface CaptionerOptions {
  readonly channel: number;
  readonly pieces: readonly string[];
  readonly clock: Clock;
  readonly partials: boolean;
  readonly partialIntervalMs: number;
  readonly nBest: number;
}

/** Hypotheses of one channel become messages. */
export class Captioner {
  readonly #options: CaptionerOptions;
  readonly #builder: CaptionBuilder;
  readonly #biasing: BiasingCounter;
  #graph = PrefixGraph.empty;
  #heard: readonly HeardEntity[] = [];
  #segment = 0;
  #words = 0;
  #committedTokens = 0;
  #lastText = '';
  #lastWords: readonly Word[] = [];
  #lastCommitted = 0;
  #lastSample = -Infinity;

  /** @param biasing counts hits and what explanations say, of all channels */
  constructor(options: CaptionerOptions, biasing: BiasingCounter) {
    this.#options = options;
    this.#biasing = biasing;
    this.#builder = new CaptionBuilder(options.pieces);
  }

  /** Segments and words sent in finals. */
  get totals(): { readonly segments: number; readonly words: number } {
    return { segments: this.#segment, words: this.#words };
  }

  /** Leading tokens of the last partial's hypothesis that make up its committed words. */
  get committedTokens(): number {
    return this.#committedTokens;
  }

  /** @param heard client's samples received so far; no word ends behind them */
  messages(
    hypothesis: FinalHypothesis | PartialHypothesis,
    heard: number,
  ): (PartialMessage | FinalMessage)[] {
    this.#graph = hypothesis.graph;
    this.#heard = hypothesis.heard;
    return hypothesis.type === 'final' ? [this.#final(hypothesis, heard)] : this.#partial(hypothesis, heard);
  }

  #partial({ best, stableTokens, frame, revised }: PartialHypothesis, heard: number): PartialMessage[] {
    const { words, committed } = this.#builder.partial(best, stableTokens, this.#annotate);
    this.#committedTokens = this.#builder.committedTokens(best);
    const { clock, channel, partials, partialIntervalMs } = this.#options;
    const text = textOf(words);
    const sample = clock.ofFrame(frame);
    const unchanged = text === this.#lastText && committed === this.#lastCommitted;
    const early = clock.seconds(sample - this.#lastSample) * 1000 < partialIntervalMs;
    if (!partials || unchanged || (early && !revised) || words.length === 0) return [];
    this.#lastText = text;
    this.#lastCommitted = committed;
    this.#lastSample = sample;
    const timed = this.#timed(words, heard);
    const told = revised ? markRevised(timed, this.#lastWords) : timed;
    this.#lastWords = timed;
    const committedText = textOf(words.slice(0, committed));
    return [
      {
        type: 'partial',
        channel,
        segment: this.#segment,
        start: timed[0]!.start,
        end: timed.at(-1)!.end,
        text,
        committed: committedText,
        tail: text.slice(committedText.length).trimStart(),
        words: told,
        ...(revised && { revised }),
      },
    ];
  }

  #final({ nBest, reason, explanation }: FinalHypothesis, heard: number): FinalMessage {
    const { channel, nBest: wanted, pieces } = this.#options;
    const alternatives = wanted > 1 ? nBest.map((hypothesis) => this.#alternative(hypothesis)) : undefined;
    const { words } = this.#builder.final(nBest[0]!, this.#annotate);
    const explained =
      explanation === undefined ? undefined : explain(words, nBest[0]!.tokens, explanation, pieces);
    this.#biasing.count(words, explained?.changed);
    const timed = this.#timed(words, heard).map((word, i) => withBias(word, explained?.words[i]));
    const message: FinalMessage = {
      type: 'final',
      channel,
      segment: this.#segment,
      start: timed[0]?.start ?? 0,
      end: timed.at(-1)?.end ?? 0,
      startSample: timed[0]?.startSample ?? 0,
      endSample: timed.at(-1)?.endSample ?? 0,
      text: textOf(words),
      words: timed,
      ...(alternatives !== undefined && { alternatives }),
      reason,
    };
    this.#segment++;
    this.#words += words.length;
    this.#committedTokens = 0;
    this.#lastText = '';
    this.#lastWords = [];
    this.#lastCommitted = 0;
    this.#lastSample = -Infinity;
    return message;
  }

  #alternative(hypothesis: Hypothesis): { text: string; score: number; confidence: number } {
    const words = this.#builder.alternative(hypothesis, this.#spelled);
    const confidence =
      words.length === 0 ? 0 : words.reduce((sum, word) => sum + word.confidence, 0) / words.length;
    return { text: textOf(words), score: round(hypothesis.score, 3), confidence: round(confidence, 3) };
  }

  readonly #spelled: Annotator = (spellings) => annotate(spellings, this.#graph);

  readonly #annotate: Annotator = (spellings, words) =>
    addHeard(annotate(spellings, this.#graph), words, this.#heard);

  #timed(words: readonly CaptionWord[], heard: number): Word[] {
    const { clock } = this.#options;
    return words.map((word) => {
      const startSample = Math.min(clock.ofFrame(word.from), heard);
      const endSample = Math.min(clock.ofFrame(word.to), heard);
      return {
        word: word.text,
        start: clock.seconds(startSample),
        end: clock.seconds(endSample),
        startSample,
        endSample,
        confidence: round(word.confidence, 3),
        ...(word.entity !== undefined && { entity: word.entity }),
      };
    });
  }
}

function withBias(word: Word, explained: WordExplanation | undefined): Word {
  if (explained === undefined) return word;
  const { technique, gain, unbiased, changed } = explained;
  const given = technique === undefined ? {} : { technique, gain: round(gain!, 3) };
  return { ...word, bias: { ...given, unbiased, changed } };
}

/** Words in the time of those told before that were not among them. */
function markRevised(words: readonly Word[], before: readonly Word[]): Word[] {
  const end = before.at(-1)?.endSample ?? 0;
  const told = (word: Word): boolean =>
    before.some(
      (old) => old.word === word.word && old.startSample < word.endSample && word.startSample < old.endSample,
    );
  return words.map((word) => (word.startSample >= end || told(word) ? word : { ...word, revised: true }));
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
