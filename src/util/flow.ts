/** A point in a stream that must be reached in order: everything before it is decided when it passes. */
export interface Boundary {
  readonly type: 'flush' | 'mark' | 'stop';
  readonly id?: string;
  /** Samples at the model's rate that are before it but not in the stream yet, since the resampler holds them back. */
  readonly tail?: Float32Array;
  /** Samples before it, of one channel at the model's rate; known once the audio is windowed. */
  readonly sample?: number;
}

/** What runs through the stages: the stage's noun, or a boundary between two of them. */
export type Flow<T> =
  | { readonly kind: 'data'; readonly value: T }
  | { readonly kind: 'boundary'; readonly boundary: Boundary };

export function data<T>(value: T): Flow<T> {
  return { kind: 'data', value };
}
