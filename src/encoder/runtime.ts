/**
 * The encoder room turns samples into log-probabilities. This file is its noun and its door: what a runtime is, not
 * how one works. Anything that can run a streaming CTC network (ONNX Runtime, a test fake) implements it.
 */

/** How much audio one step consumes and how much more of it it sees, in output frames (see `frameSamples`). */
export interface Latency {
  /** Frames decided per step. */
  readonly chunkFrames: number;
  /** Frames after the chunk that the step sees; they come again, as chunk, in the next step. */
  readonly lookaheadFrames: number;
}

export interface EncoderDescription {
  /** Name and version of the model bundle, for people. */
  readonly name: string;
  readonly version: string;
  /** Samples per second of the PCM that the runtime reads. */
  readonly sampleRate: number;
  /** Samples per output frame (640 = 40 ms at 16 kHz). */
  readonly frameSamples: number;
  /** Subword pieces by id, `▁` marking a word's begin; the blank is not among them. */
  readonly pieces: readonly string[];
  /** Index of the blank in `logProbs`; the row's width is `pieces.length + 1`. */
  readonly blank: number;
  /** Phone symbols by id, id 0 being the blank. */
  readonly phones: readonly string[];
  /** Width of each intermediate layer that the runtime returns. */
  readonly tapWidths: readonly number[];
  /** Latencies that the model was trained for, the default first. */
  readonly latencies: readonly Latency[];
  /** Bytes of one stream's state. */
  readonly stateBytes: number;
}

/** State of one stream between steps: opaque, and used up by the run that takes it. What is not to be kept, forks. */
export interface EncoderState {
  readonly tensors: readonly unknown[];
}

export interface EncoderRequest {
  /** `(chunkFrames + lookaheadFrames) * frameSamples` samples in [-1, 1]. */
  readonly pcm: Float32Array;
  /** A run that succeeds may move it on in place: go on with the result's. No two requests of a run have the same. */
  readonly state: EncoderState;
}

export interface LogProbs {
  /** Frames in this block. */
  readonly frames: number;
  /** Natural log-probabilities, row-major (frames, subwords + blank). */
  readonly subwords: Float32Array;
  /** Natural log-probabilities, row-major (frames, phones). */
  readonly phones: Float32Array;
  /** Intermediate layers, each row-major (frames, tapWidths[i]); none if the runtime was not asked for them. */
  readonly taps: readonly Float32Array[];
  /** The last layer in front of the output layer, row-major (frames, its width), where the model tells it. */
  readonly hidden?: Float32Array;
}

export interface EncoderResult {
  readonly logProbs: LogProbs;
  readonly state: EncoderState;
}

export interface EncoderRuntime {
  readonly description: EncoderDescription;
  /** State of a new stream. */
  start(): EncoderState;
  /** Another state like this one, which goes its own way. */
  fork(state: EncoderState): EncoderState;
  /** One step of several streams at the same latency; results in the order of the requests. */
  run(requests: readonly EncoderRequest[], latency: Latency): Promise<readonly EncoderResult[]>;
  close(): Promise<void>;
}
