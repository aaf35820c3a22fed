import { PrefixGraph } from '../biasing/prefix-graph.js';
import { AcceptanceTest } from './acceptance.js';
import { BeamDecoder, type BeamDecoderOptions } from './beam.js';
import type { Decoder } from './decoder.js';
import type { Evidence } from './evidence.js';
import type { Explanation } from './explanation.js';
import { type DecodedToken, type Hypothesis, sharedLength } from './hypothesis.js';
import { ListedBeam } from './listed-beam.js';
import type { PhoneRows } from './phone-rows.js';
import { RowCache } from './row-cache.js';
import { BeamSearch } from './search.js';

/**
 * Rows that the test can look at: as many as an over-long segment has. Words do not stay in dispute for so long, and
 * where rows are gone the beam decides.
 */
const MAX_ROWS = 640;

/**
 * Decodes with the list and without it, and lets the list have its way where the acceptance test agrees. Without a list
 * there is one beam; with one there are two over the same rows, so that what stands in the text beside accepted entries
 * is to the letter what a session without the list would have heard, and a removed list leaves no trace.
 *
 * Committed tokens are final whatever happens in the beams: a beam whose hypotheses disagree with them all goes on
 * behind the last of them.
 */
export class VettedDecoder implements Decoder {
  readonly #plain: BeamDecoder;
  readonly #search: BeamSearch;
  readonly #listed: ListedBeam;
  readonly #acceptance: AcceptanceTest;
  readonly #pieces: readonly string[];
  readonly #width: number;
  /** Those of the open segment behind its committed tokens. */
  readonly #rows: RowCache;
  #graph = PrefixGraph.empty;
  /** Of the last `finish()` with a list. */
  #ended: { readonly best: Hypothesis; readonly listed: Hypothesis; readonly plain: Hypothesis } | undefined;
  /** Tokens of the open segment that are committed. */
  #settled: readonly DecodedToken[] = [];

  /** @param options `evidence`: what else is known of entries */
  constructor(options: BeamDecoderOptions & { readonly evidence?: Evidence | undefined }) {
    this.#search = new BeamSearch(options, { counts: false });
    this.#plain = new BeamDecoder(options, this.#search);
    this.#listed = new ListedBeam(this.#search, options);
    this.#acceptance = new AcceptanceTest(options);
    this.#pieces = options.pieces;
    this.#width = options.pieces.length + 1;
    this.#rows = new RowCache(this.#width, MAX_ROWS);
  }

  get frame(): number {
    return this.#plain.frame;
  }

  get heard(): boolean {
    return this.#settled.length > 0 || (this.#graph.isEmpty ? this.#plain : this.#listed).heard;
  }

  /** Token sequences held in memory. */
  get nodes(): number {
    return this.#plain.nodes + this.#listed.nodes;
  }

  get phones(): PhoneRows | undefined {
    return this.#plain.phones;
  }

  reset(frame: number): void {
    this.#plain.reset(frame);
    this.#listed.empty(frame);
    this.#rows.clear(frame);
    this.#settled = [];
  }

  restart(frame: number): void {
    this.#plain.restart(frame);
    this.#listed.empty(frame);
    this.#rows.clear(frame);
    this.#settled = [];
  }

  hear(phones: Float32Array): void {
    this.#plain.hear(phones);
  }

  setGraph(graph: PrefixGraph): void {
    this.#search.setGraph(graph);
    if (graph.isEmpty || this.#graph.isEmpty) this.#listed.empty(this.frame);
    this.#listed.setGraph(graph);
    this.#graph = graph;
  }

  push(rows: Float32Array, frames: number): void {
    for (let frame = 0; frame < frames; frame++) {
      if (this.#graph.isEmpty) this.#search.step(rows, frame * this.#width);
      else this.#listed.step(rows, frame * this.#width);
      this.#rows.push(rows.subarray(frame * this.#width, (frame + 1) * this.#width));
    }
  }

  /**
   * Where the list changed something and did not pass the test stands what is heard without it. The scores of language
   * model and bias are then those of the hypothesis that it was put into.
   */
  best(): Hypothesis {
    const plain = this.#plain.best();
    if (this.#graph.isEmpty) return this.#settle(plain);
    return this.#vetted(this.#listed.best(), plain, this.#listed.matched());
  }

  stableTokens(): number {
    const settled = this.#settled.length;
    const plain = this.#plain.best().tokens.slice(0, this.#plain.stableTokens());
    const common = this.#graph.isEmpty ? plain.length : this.#listed.stable(plain).length;
    return sharedLength(plain, this.#settled) === settled ? Math.max(settled, common) : settled;
  }

  commit(first: readonly DecodedToken[]): boolean {
    if (first.length <= this.#settled.length) return true;
    this.#settled = first;
    const known = this.#plain.commit(first);
    if (!this.#graph.isEmpty) this.#listed.commit(first, known);
    this.#rows.dropBefore(first.at(-1)!.frame + 1);
    return true;
  }

  rewind(first: readonly DecodedToken[]): void {
    this.#settled = first;
    const known = this.#plain.rewind(first);
    this.#listed.rewind(first, known);
    this.#rows.clear(first.at(-1)!.frame + 1);
  }

  trailingBlankFrames(): number {
    return (this.#graph.isEmpty ? this.#plain : this.#listed).trailingBlankFrames();
  }

  finish(n = 1): readonly Hypothesis[] {
    const plain = this.#plain.finish(n);
    if (this.#graph.isEmpty) {
      this.#ended = undefined;
      return plain.map((each) => this.#settle(each));
    }
    const listed = this.#listed.finish(n);
    const best = this.#vetted(listed[0]!, plain[0]!, 0);
    this.#ended = { best, listed: listed[0]!, plain: plain[0]! };
    const others = listed.map((each) => this.#settle(each)).filter((each) => !sameTokens(each, best));
    return [best, ...others].slice(0, n);
  }

  explain(): Explanation {
    if (this.#ended === undefined) return { gains: [], unbiased: this.#plain.finish()[0]?.tokens ?? [] };
    const { best, listed, plain } = this.#ended;
    const place = (index: number): number => {
      if (index < this.#settled.length) return index;
      return best.tokens.indexOf(listed.tokens[index]!);
    };
    const gains = this.#listed.gains(listed).flatMap((each) => {
      const from = place(each.from);
      const last = place(each.to - 1);
      // what the test took out has gained nothing
      return from < 0 || last < 0 ? [] : [{ ...each, from, to: last + 1 }];
    });
    return { gains, unbiased: plain.tokens };
  }

  #vetted(listed: Hypothesis, plain: Hypothesis, open: number): Hypothesis {
    const rivals = { settled: this.#settled, biased: this.#tail(listed), plain: this.#tail(plain), open };
    const verdict = this.#acceptance.decide(rivals, this.#graph, this.#rows);
    const allRejected = verdict.contested > 0 && verdict.rejected === verdict.contested;
    const { lm, bias, phonetic } = allRejected ? plain : listed;
    const acoustic = listed.acoustic + verdict.acoustic;
    const score = acoustic + lm + bias + phonetic;
    return { tokens: [...this.#settled, ...verdict.tokens], score, acoustic, lm, bias, phonetic };
  }

  /** A beam's hypothesis with the settled tokens in front. */
  #settle(hypothesis: Hypothesis): Hypothesis {
    if (this.#settled.length === 0) return hypothesis;
    return { ...hypothesis, tokens: [...this.#settled, ...this.#tail(hypothesis)] };
  }

  /** What a hypothesis says behind the settled tokens; where it disagrees with those, from its next word on. */
  #tail({ tokens }: Hypothesis): readonly DecodedToken[] {
    const settled = this.#settled;
    if (sharedLength(tokens, settled) === settled.length) return tokens.slice(settled.length);
    const { frame } = settled.at(-1)!;
    const from = tokens.findIndex((each) => each.frame > frame && this.#pieces[each.token]!.startsWith('▁'));
    return from < 0 ? [] : tokens.slice(from);
  }
}

function sameTokens(a: Hypothesis, b: Hypothesis): boolean {
  return a.tokens.length === b.tokens.length && sharedLength(a.tokens, b.tokens) === a.tokens.length;
}
