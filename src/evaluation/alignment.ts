/** One step of an alignment; `ref` and `hyp` index the words. */
export type AlignmentStep =
  | { readonly type: 'match' | 'substitution'; readonly ref: number; readonly hyp: number }
  | { readonly type: 'deletion'; readonly ref: number }
  | { readonly type: 'insertion'; readonly hyp: number };

const DIAGONAL = 1;
const DELETE = 2;
const INSERT = 3;

/**
 * Aligns a hypothesis with its reference by Levenshtein distance (every error costs 1). Among the alignments of least
 * distance it takes one with the most matches: "x the" against "the y" is a deletion, a match and an insertion
 * rather than two substitutions, which is what a reader would say happened.
 */
export function align(reference: readonly string[], hypothesis: readonly string[]): AlignmentStep[] {
  return trace(backPointers(reference, hypothesis), reference, hypothesis);
}

/** Direction of the best step into each cell, row-major (reference + 1, hypothesis + 1). */
function backPointers(reference: readonly string[], hypothesis: readonly string[]): Uint8Array {
  const width = hypothesis.length + 1;
  const back = new Uint8Array((reference.length + 1) * width);
  // an error outweighs all matches that there can be
  const error = Math.min(reference.length, hypothesis.length) + 1;
  let above = new Float64Array(width);
  let row = new Float64Array(width);
  for (let j = 1; j < width; j++) {
    above[j] = j * error;
    back[j] = INSERT;
  }
  for (let i = 1; i <= reference.length; i++) {
    row[0] = i * error;
    back[i * width] = DELETE;
    for (let j = 1; j < width; j++) {
      const diagonal = above[j - 1]! + (reference[i - 1] === hypothesis[j - 1] ? -1 : error);
      const deletion = above[j]! + error;
      const insertion = row[j - 1]! + error;
      const best = Math.min(diagonal, deletion, insertion);
      row[j] = best;
      back[i * width + j] = best === diagonal ? DIAGONAL : best === deletion ? DELETE : INSERT;
    }
    [above, row] = [row, above];
  }
  return back;
}

function trace(
  back: Uint8Array,
  reference: readonly string[],
  hypothesis: readonly string[],
): AlignmentStep[] {
  const steps: AlignmentStep[] = [];
  const width = hypothesis.length + 1;
  let i = reference.length;
  let j = hypothesis.length;
  while (i > 0 || j > 0) {
    const direction = back[i * width + j];
    if (direction === DIAGONAL) {
      i--;
      j--;
      const type = reference[i] === hypothesis[j] ? 'match' : 'substitution';
      steps.push({ type, ref: i, hyp: j });
    } else if (direction === DELETE) steps.push({ type: 'deletion', ref: --i });
    else steps.push({ type: 'insertion', hyp: --j });
  }
  return steps.reverse();
}
