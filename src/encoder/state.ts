import { Tensor } from 'onnxruntime-node';
import { elements, type StateTensor } from './bundle.js';
import type { EncoderState, Latency } from './runtime.js';

type Data = Float32Array | Uint16Array | BigInt64Array | Int8Array;

const ARRAY = {
  float32: Float32Array,
  float16: Uint16Array,
  int64: BigInt64Array,
  int8: Int8Array,
} as const;

/** State of one stream: a typed array per state tensor of the graph, without batch axis. */
export interface OnnxState extends EncoderState {
  readonly tensors: Data[];
  /** Frames that the stream's steps have decided. */
  frames: number;
}

/**
 * The states of the streams as the graph takes and gives them. Of a batch they lie side by side in buffers that are
 * kept from run to run; a lone stream's tensors are passed on without copying.
 *
 * Most of a state are keys and values of the left context. They are rings: the graph returns only the rows that a step
 * adds, and those take the place of the oldest in the stream's own tensor. (When the graph returned whole caches, a
 * quarter of a run of eight streams went into copying them.)
 */
export class StreamStates {
  readonly #tensors: readonly StateTensor[];
  #room = 0;
  #buffers: readonly Data[] = [];

  constructor(tensors: readonly StateTensor[]) {
    this.#tensors = tensors;
  }

  start(): OnnxState {
    return { tensors: this.#tensors.map((tensor) => array(tensor, elements(tensor))), frames: 0 };
  }

  fork({ tensors, frames }: OnnxState): OnnxState {
    return { tensors: tensors.map((data) => data.slice() as Data), frames };
  }

  /** Inputs of a run, valid until the next. */
  feeds(states: readonly OnnxState[]): Record<string, Tensor> {
    if (states.length > this.#room) {
      this.#room = states.length;
      this.#buffers = this.#tensors.map((tensor) => array(tensor, this.#room * elements(tensor)));
    }
    return Object.fromEntries(
      this.#tensors.map((tensor, i) => {
        const parts = states.map(({ tensors }) => tensors[i]!);
        const data = sideBySide(parts, this.#buffers[i]!);
        return [tensor.name, new Tensor(tensor.type, data as never, [states.length, ...tensor.shape])];
      }),
    );
  }

  /** Moves the states on by a step, given what the graph returned. */
  advance(
    states: readonly OnnxState[],
    { chunkFrames }: Latency,
    outputs: Readonly<Record<string, { readonly data: unknown }>>,
  ): void {
    this.#tensors.forEach(({ name, shape, perFrame }, i) => {
      const fresh = outputs[perFrame === undefined ? `next_${name}` : `new_${name}`]!.data as Data;
      const size = fresh.length / states.length;
      states.forEach((state, b) => {
        const own = fresh.subarray(b * size, (b + 1) * size);
        const tensor = state.tensors[i]!;
        if (perFrame === undefined) tensor.set(own as never);
        else overwrite(tensor, shape, own, { at: state.frames * perFrame, rows: chunkFrames * perFrame });
      });
    });
    for (const state of states) state.frames += chunkFrames;
  }
}

/** Puts rows, (heads, rows, width), in the place of the oldest of a ring, (heads, length, width). */
function overwrite(
  ring: Data,
  [heads, length, width]: readonly number[],
  fresh: Data,
  { at, rows }: { readonly at: number; readonly rows: number },
): void {
  const begin = at % length!;
  const first = Math.min(rows, length! - begin);
  for (let head = 0; head < heads!; head++) {
    const from = head * rows * width!;
    const to = head * length! * width!;
    ring.set(fresh.subarray(from, from + first * width!) as never, to + begin * width!);
    if (first < rows) ring.set(fresh.subarray(from + first * width!, from + rows * width!) as never, to);
  }
}

function array({ type }: StateTensor, length: number): Data {
  return new ARRAY[type](length);
}

/** Arrays of one length behind one another; one alone is returned as it is. */
export function sideBySide<T extends Data>(parts: readonly T[], buffer: T): T {
  const [first] = parts;
  if (first === undefined) throw new RangeError('a step needs at least one stream');
  if (parts.length === 1) return first;
  parts.forEach((part, i) => {
    buffer.set(part as never, i * first.length);
  });
  return buffer.subarray(0, first.length * parts.length) as T;
}
