import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import type { Utterance } from './manifest.js';
import { occurrences } from './occurrences.js';
import { randomNumbers } from './random.js';
import { normaliseText } from './text.js';

/** Terms that distractors are drawn from: normalised, unique, in code point order. */
export type DistractorPool = readonly string[];

/** An entry a line, plain or gzipped. */
export async function readPool(path: string): Promise<DistractorPool> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new Error(`the distractors cannot be read: ${cause instanceof Error ? cause.message : cause}`);
  });
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const pool = poolOf((gzipped ? gunzipSync(bytes) : bytes).toString('utf8').split(/\r?\n/));
  if (pool.length === 0) throw new Error(`${path} has no entries; write one a line`);
  return pool;
}

/** The entities of all utterances; those of the utterance itself are left out when they are drawn. */
export function poolOfEntities(utterances: readonly Utterance[]): DistractorPool {
  return poolOf(utterances.flatMap(({ entities }) => entities));
}

/** Terms normalised, once each, in order. */
export function poolOf(terms: readonly string[]): DistractorPool {
  const unique = new Set(terms.map(normaliseText));
  unique.delete('');
  return [...unique].sort();
}

/**
 * `n` distractors of an utterance, fewer where the pool has no more. They depend on the seed, the utterance's path and
 * the pool alone, not on what else is evaluated; those for a smaller `n` are the first of those for a larger one, so
 * that a sweep over `n` only ever adds to a list. None of them is an entity of the utterance or occurs in what is said.
 */
export function drawDistractors(
  pool: DistractorPool,
  utterance: Utterance,
  { n, seed }: { readonly n: number; readonly seed: number },
): string[] {
  const own = new Set(utterance.entities);
  const drawn: string[] = [];
  // Fisher and Yates' shuffle, of which only the moved places are stored: the pool may have 200,000 terms
  const moved = new Map<number, number>();
  const random = randomNumbers(`${seed}\n${utterance.path}`);
  for (let left = pool.length; left > 0 && drawn.length < n; left--) {
    const at = Math.floor(random() * left);
    const term = pool[moved.get(at) ?? at]!;
    moved.set(at, moved.get(left - 1) ?? left - 1);
    if (!own.has(term) && occurrences(utterance.words, [term]).length === 0) drawn.push(term);
  }
  return drawn;
}
