import type { PieceTable } from '../biasing/alphabet.js';
import type { PrefixGraph } from '../biasing/prefix-graph.js';
import { BiasScorer } from './bias-scorer.js';
import type { LanguageModel } from './language-model.js';
import type { BeamOptions } from './options.js';
import type { PhoneLabels } from './phone-front.js';
import { PhoneRows } from './phone-rows.js';
import { PhoneScorer } from './phone-scorer.js';
import { extendKey, NONE, type PrefixTree, ROOT } from './prefix-tree.js';
import type { Proposals } from './slots.js';
import { WordScorer } from './word-scorer.js';

/** What phonetic rescoring needs. */
export interface PhoneOptions {
  /** Label of each output of the phone head, 0 being the blank. */
  readonly labels: Uint8Array;
  /** Pronunciations of a word in lower case, in these labels. */
  readonly pronounce: (word: string) => readonly PhoneLabels[];
}

export interface ScoreOptions
  extends Partial<
    Pick<BeamOptions, 'bias' | 'lmWeight' | 'wordBonus' | 'entryWords' | 'unlistedLetter' | 'phoneWeight'>
  > {
  readonly languageModel?: LanguageModel | undefined;
  readonly phones?: PhoneOptions | undefined;
}

/**
 * What the nodes of a prefix tree are worth beside what the frames say: as words of the language, by the phones of their
 * words, and to the list. The list's part, `gain`, is kept apart, so that it can be counted or left out.
 */
export class Scores {
  readonly bias: BiasScorer;
  readonly words: WordScorer | undefined;
  readonly phones: PhoneScorer | undefined;
  readonly phoneRows: PhoneRows | undefined;
  readonly #pieces: PieceTable;
  readonly #tree: PrefixTree;

  /** @param heard phones of the stream, where another search has them already */
  constructor(pieces: PieceTable, tree: PrefixTree, options: ScoreOptions, heard?: PhoneRows) {
    const {
      languageModel,
      phones,
      bias = {},
      // Tuned together on the dev sets at beam 64 (every second native utterance, 150 synthetic sentences with 100 names):
      // 23.3 and 9.4 % WER; with .7, 2, -3: 23.4 and 9.7; with 1, 1, -1.5 words that are not listed were so cheap that
      // words grew together ("araoaps") and others went missing.
      lmWeight = 0.65,
      wordBonus = 2,
      entryWords = true,
      unlistedLetter = -4,
      // The gateway's beam, 150 native utterances and 150 synthetic sentences with 100 names: WER 22.8 and 9.2 % without,
      // 21.4 and 9.6 with .1, 20.5 and 9.4 with .2, 21.0 and 10.4 with .3; F1 of the names 78.9 and 91.0, with .2 84.3 and
      // 91.4. Only at a segment's end, on the 32 best: 21.2 and 9.5.
      phoneWeight = 0.2,
    } = options;
    this.#pieces = pieces;
    this.#tree = tree;
    this.bias = new BiasScorer(pieces, tree, bias);
    if (languageModel !== undefined) {
      this.words = new WordScorer({
        model: languageModel,
        pieces,
        tree,
        bias: this.bias,
        weight: lmWeight,
        bonus: wordBonus,
        entryWords,
        unlistedLetter,
      });
    }
    if (phones === undefined) return;
    const rows = heard ?? new PhoneRows(phones.labels);
    this.phoneRows = rows;
    if (phoneWeight > 0) {
      this.phones = new PhoneScorer({ pieces, tree, rows, pronounce: phones.pronounce, weight: phoneWeight });
    }
  }

  /** State of the root. */
  begin(): void {
    this.words?.begin();
    this.phones?.begin();
  }

  /** Sets what a node is worth from its parent and its gap. */
  update(node: number): void {
    const { token, parent, wordKey } = this.#tree;
    const piece = token[node]!;
    const begins = this.#pieces.startsWord[piece] === 1;
    wordKey[node] = extendKey(begins ? 0 : wordKey[parent[node]!]!, piece);
    this.bias.update(node);
    this.words?.update(node);
    this.phones?.update(node);
  }

  /** Makes a node that was grafted from another search's tree worth what it is there. */
  graft(node: number, other: Scores, from: number): void {
    if (other.phones !== undefined) this.phones?.graft(node, other.phones, from);
  }

  /** Enters a new graph: all nodes are scored as if it had always been there. */
  setGraph(graph: PrefixGraph): void {
    const tree = this.#tree;
    this.bias.setGraph(graph);
    this.words?.begin();
    for (let at = tree.next(ROOT); at >= 0; at = tree.next(at)) this.words?.update(at);
  }

  /** Worth of a node without the list. */
  plain(node: number): number {
    return this.#tree.lm[node]! + (this.phones?.score(node) ?? 0);
  }

  /** What the list adds to it. */
  gain(node: number): number {
    return this.#tree.bias[node]! + this.#tree.raise[node]!;
  }

  /** Sets the language model scores of proposals. A loop that V8 compiles by itself, which saves a tenth of the step. */
  scoreWords({ count, node, token, child, lm }: Proposals): void {
    const { words } = this;
    if (words === undefined) lm.fill(0, 0, count);
    else {
      const known = this.#tree.lm;
      for (let i = 0; i < count; i++) {
        lm[i] = child[i] === NONE ? words.extended(node[i]!, token[i]!) : known[child[i]!]!;
      }
    }
  }

  /** What the list adds to a proposal whose words are scored. @param best log-probability of the frame's best symbol */
  gainOf({ node, token, child, logProb, lm }: Proposals, i: number, best: number): number {
    if (child[i] !== NONE) return this.gain(child[i]!);
    const raise = this.words?.raisedBy(node[i]!, token[i]!, lm[i]!) ?? 0;
    return this.bias.extended(node[i]!, token[i]!, best - logProb[i]!) + raise;
  }

  /** Hash of what the future of a node depends on: the words before its last one, that, and what is matched. */
  future(node: number): number {
    const { wordKey, lmState, matchNode } = this.#tree;
    return extendKey(extendKey(wordKey[node]!, lmState[node]!), matchNode[node]!);
  }

  /** That of a node and one more token. */
  futureOf(node: number, token: number): number {
    const tree = this.#tree;
    const begins = this.#pieces.startsWord[token] === 1;
    const key = extendKey(begins ? 0 : tree.wordKey[node]!, token);
    const state = begins ? tree.wordState[node]! : tree.lmState[node]!;
    return extendKey(extendKey(key, state), this.bias.nodeAfter(node, token));
  }
}
