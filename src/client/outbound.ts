/** A frame that was sent, and may have to be sent again. */
interface Frame {
  readonly data: string | Uint8Array<ArrayBuffer>;
  /** Samples sent before it. */
  readonly sample: number;
  /** Samples in it; text has none. */
  readonly samples: number;
}

export interface OutboundOptions {
  /** Of a sample of all channels. */
  readonly frameBytes: number;
  /** A frame above that is refused, and its audio does not count. */
  readonly maxFrameBytes: number;
}

/**
 * What was sent and is not known to have arrived, in its order. The server takes frames in that order, so what has
 * arrived is always a first part of it, which the number of samples and of requests tells.
 */
export class Outbound {
  readonly #options: OutboundOptions;
  #frames: Frame[] = [];
  #bytes = 0;
  #sample = 0;
  /** Requests that have arrived, or were sent before all that is here. */
  #requests = 0;

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  /** Bytes of what is not known to have arrived. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Samples of audio that is not known to have arrived. */
  get samples(): number {
    return this.#sample - (this.#frames[0]?.sample ?? this.#sample);
  }

  /** @returns a copy of the bytes, to be sent: the caller may use its own again */
  audio(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const { frameBytes, maxFrameBytes } = this.#options;
    const data = Uint8Array.from(bytes);
    const counts = bytes.length % frameBytes === 0 && bytes.length <= maxFrameBytes;
    const samples = counts ? bytes.length / frameBytes : 0;
    this.#add({ data, sample: this.#sample, samples });
    this.#sample += samples;
    return data;
  }

  request(text: string): void {
    this.#add({ data: text, sample: this.#sample, samples: 0 });
  }

  /** Audio before `sample` has arrived, and so have requests that were sent before more of it. */
  acknowledge(sample: number): void {
    this.#drop((frame) =>
      isRequest(frame) ? frame.sample < sample : frame.sample + frame.samples <= sample,
    );
  }

  /**
   * What has not arrived, in its order; the rest is forgotten.
   * @param sample up to which audio has arrived
   * @param requests that have arrived since the session began
   */
  after(sample: number, requests: number): (string | Uint8Array<ArrayBuffer>)[] {
    this.#drop((frame) =>
      isRequest(frame) ? this.#requests < requests : frame.sample + frame.samples <= sample,
    );
    return this.#frames.map(({ data }) => data);
  }

  #add(frame: Frame): void {
    this.#frames.push(frame);
    this.#bytes += frame.data.length;
  }

  #drop(arrived: (frame: Frame) => boolean): void {
    let first = 0;
    for (const frame of this.#frames) {
      if (!arrived(frame)) break;
      first++;
      this.#bytes -= frame.data.length;
      if (isRequest(frame)) this.#requests++;
    }
    this.#frames = this.#frames.slice(first);
  }
}

function isRequest({ data }: Frame): boolean {
  return typeof data === 'string';
}
