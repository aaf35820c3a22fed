import { Framer } from './framer.js';

/** A stretch of audio for one encoder step, and which of its frames are to be decoded. */
export interface Window {
  /** The chunk and its look-ahead, (chunk + look-ahead) * frameSamples samples. */
  readonly pcm: Float32Array;
  /** Absolute number of the chunk's first frame. */
  readonly frame: number;
  /** Frames of the chunk that have not been decoded yet: `from` up to but without `to`, relative to `frame`. */
  readonly from: number;
  readonly to: number;
  /** Filled up with silence: the encoder's state after it is not that of the stream. */
  readonly tentative: boolean;
}

export interface WindowerOptions {
  /** All in frames. */
  readonly chunkFrames: number;
  readonly lookaheadFrames: number;
  /** Samples per frame. */
  readonly frameSamples: number;
}

/**
 * Silent frames decoded behind the end of flushed audio. A CTC network writes a word's last piece up to two frames
 * after its sound; the prototype's own scoring adds the same two.
 */
const TAIL_FRAMES = 2;

/**
 * Windows of chunk + look-ahead with their place in the stream, and what of them is still to be decoded.
 *
 * A flush decides all audio received so far: the pending samples, filled up with silence, go out as *tentative*
 * windows. The stream itself does not advance, so the audio clock stays exact: when more audio comes, the same samples
 * are windowed again with what really follows them, and the frames that the flush decided are not decoded twice.
 */
export class Windower {
  readonly #framer: Framer;
  readonly #chunk: number;
  readonly #frameSamples: number;
  /** Absolute frame of the next window. */
  #frame = 0;
  /** Absolute frame up to which everything is in a window that went out. */
  #decidedFrames = 0;
  /** The same in samples; a flush ends within a frame. */
  #decided = 0;

  constructor({ chunkFrames, lookaheadFrames, frameSamples }: WindowerOptions) {
    this.#chunk = chunkFrames;
    this.#frameSamples = frameSamples;
    this.#framer = new Framer({
      chunkSamples: chunkFrames * frameSamples,
      lookaheadSamples: lookaheadFrames * frameSamples,
    });
  }

  /** Samples received so far. */
  get received(): number {
    return this.#framer.consumed + this.#framer.pending;
  }

  /** Samples decided so far: everything before is in a window that went out. */
  get decided(): number {
    return this.#decided;
  }

  push(samples: Float32Array): Window[] {
    this.#framer.push(samples);
    const windows: Window[] = [];
    for (let pcm = this.#framer.next(); pcm !== undefined; pcm = this.#framer.next()) {
      windows.push(this.#window(pcm, this.#frame, this.#frame + this.#chunk, false));
      this.#frame += this.#chunk;
      this.#decide(this.#frame, this.#frame * this.#frameSamples);
    }
    return windows;
  }

  /**
   * Windows that decide all pending audio. None when nothing came since the last flush.
   * @param tail samples that the resampler holds back, to be decided too
   */
  flush(tail: Float32Array): Window[] {
    const samples = this.received + tail.length;
    if (samples <= this.#decided) return [];
    const end = Math.ceil(samples / this.#frameSamples);
    const padded = new Float32Array((end + TAIL_FRAMES) * this.#frameSamples - this.received);
    padded.set(tail);
    const windows: Window[] = [];
    let frame = this.#frame;
    for (let ahead = 0; frame < end + TAIL_FRAMES; ahead++) {
      windows.push(this.#window(this.#framer.peekPadded(ahead, padded)!, frame, end + TAIL_FRAMES, true));
      frame += this.#chunk;
    }
    this.#decide(end, samples);
    return windows;
  }

  #window(pcm: Float32Array, frame: number, end: number, tentative: boolean): Window {
    const to = Math.min(this.#chunk, end - frame);
    const from = Math.min(Math.max(0, this.#decidedFrames - frame), to);
    return { pcm, frame, from, to, tentative };
  }

  #decide(frames: number, samples: number): void {
    this.#decidedFrames = Math.max(this.#decidedFrames, frames);
    this.#decided = Math.max(this.#decided, samples);
  }
}
