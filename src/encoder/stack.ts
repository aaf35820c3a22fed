type Data = Float32Array | BigInt64Array;

/**
 * Tensors of the same shape, each with a batch of one, side by side on their batch axis.
 * @param inner elements behind one step of the batch axis: the product of the axes after it
 */
export function stack<T extends Data>(parts: readonly T[], inner: number): T {
  const [first] = parts;
  if (first === undefined) throw new RangeError('a step needs at least one stream');
  if (parts.length === 1) return first;
  const out = new (first.constructor as new (length: number) => T)(first.length * parts.length);
  for (const [b, part] of parts.entries()) {
    for (let from = 0, to = b * inner; from < part.length; from += inner, to += parts.length * inner) {
      out.set(part.subarray(from, from + inner) as never, to);
    }
  }
  return out;
}

/** `stack` undone; copies, so that no stream keeps its neighbours' memory alive. */
export function unstack<T extends Data>(data: T, batch: number, inner: number): T[] {
  if (batch === 1) return [data];
  const length = data.length / batch;
  return Array.from({ length: batch }, (_, b) => {
    const part = new (data.constructor as new (length: number) => T)(length);
    for (let to = 0, from = b * inner; to < length; to += inner, from += batch * inner) {
      part.set(data.subarray(from, from + inner) as never, to);
    }
    return part;
  });
}
