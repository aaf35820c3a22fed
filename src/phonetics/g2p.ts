import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ctcNBest } from './ctc-nbest.js';
import { PHONES, type Phone } from './phones.js';

/** A guessed pronunciation and its natural log-probability. */
export interface Guess {
  readonly phones: readonly Phone[];
  readonly logProb: number;
}

/** Words of one run of the graph: larger batches are hardly faster, and hold more memory. */
const BATCH = 128;
const SYMBOLS = PHONES.length + 1;
const LETTER_A = 'a'.charCodeAt(0);

/**
 * Pronunciations of words that no dictionary lists, from their letters: `training/language/g2p.py` trains the graph
 * (`letters` int64 (words, length) -> `logProbs` float32 (words, steps, phones + 1), blank first).
 */
export class G2p {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** From the bytes of `g2p.onnx`. One thread: it runs beside recognition. */
  static async load(model: Uint8Array): Promise<G2p> {
    return new G2p(await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 }));
  }

  /**
   * The `n` likeliest pronunciations of each word, best first; none for a word without letters. Words are in lower
   * case; characters other than a-z and the apostrophe are passed over.
   */
  async pronounce(words: readonly string[], n = 1): Promise<readonly (readonly Guess[])[]> {
    const guesses: (readonly Guess[])[] = words.map(() => []);
    for (const batch of batches(words)) {
      const scores = await this.#run(batch.letters, batch.words.length);
      const size = scores.length / batch.words.length;
      for (const [row, word] of batch.words.entries()) {
        guesses[word] = guess(scores.subarray(row * size, (row + 1) * size), n);
      }
    }
    return guesses;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  async #run(letters: BigInt64Array, words: number): Promise<Float32Array> {
    const feed = { letters: new Tensor('int64', letters, [words, letters.length / words]) };
    const { logProbs } = await this.#session.run(feed);
    if (!(logProbs?.data instanceof Float32Array)) throw new TypeError('g2p: no log-probabilities');
    return logProbs.data;
  }
}

interface Batch {
  /** Indices of the words in the caller's list, all of one length. */
  readonly words: readonly number[];
  /** (words x length) 1 for the apostrophe, 2..27 for a..z. */
  readonly letters: BigInt64Array;
}

/** Words of one length go together: the graph knows no padding. */
function* batches(words: readonly string[]): Generator<Batch> {
  const plain = words.map((word) => word.replaceAll(/[^a-z']/g, ''));
  const byLength = new Map<number, number[]>();
  for (const [index, word] of plain.entries()) {
    const group = byLength.get(word.length);
    if (group === undefined) byLength.set(word.length, [index]);
    else group.push(index);
  }
  for (const [length, indices] of byLength) {
    if (length === 0) continue;
    for (let at = 0; at < indices.length; at += BATCH) {
      const part = indices.slice(at, at + BATCH);
      const letters = part.flatMap((index) =>
        Array.from(plain[index]!, (letter) => BigInt(letterId(letter))),
      );
      yield { words: part, letters: BigInt64Array.from(letters) };
    }
  }
}

function letterId(letter: string): number {
  return letter === "'" ? 1 : letter.charCodeAt(0) - LETTER_A + 2;
}

function guess(logProbs: Float32Array, n: number): Guess[] {
  return ctcNBest(logProbs, SYMBOLS, n).map(({ labels, logProb }) => ({
    phones: labels.map((label) => PHONES[label - 1]!),
    logProb,
  }));
}
