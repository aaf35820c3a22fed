/** Samples become packets as a session sends them. Runs on a browser's audio thread too. */

/** A packet of s16le, and how loud it is. */
export interface Packet {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of each channel. */
  readonly samples: number;
  /** Root mean square, 0 to 1. */
  readonly level: number;
}

/** Blocks of any length become packets of one length; how the audio was cut does not show in them. */
export class Packetiser {
  readonly #size: number;
  readonly #channels: number;
  #samples: Int16Array<ArrayBuffer>;
  #filled = 0;
  #energy = 0;

  /**
   * @param size samples of a packet, of each channel
   * @param channels 1: what comes is mixed down to one by its mean; 2: left and right stay apart
   */
  constructor(size: number, channels: 1 | 2 = 1) {
    this.#size = size * channels;
    this.#channels = channels;
    this.#samples = new Int16Array(this.#size);
  }

  /** @param channels none: nothing was heard; one where two are asked for: heard on both sides */
  push(channels: readonly Float32Array[]): Packet[] {
    const packets: Packet[] = [];
    const length = channels[0]?.length ?? 0;
    for (let i = 0; i < length; i++) {
      if (this.#channels === 1) {
        let sum = 0;
        for (const channel of channels) sum += channel[i]!;
        this.#write(sum / channels.length);
      } else {
        this.#write(channels[0]![i]!);
        this.#write((channels[1] ?? channels[0]!)[i]!);
      }
      if (this.#filled === this.#size) packets.push(this.#take());
    }
    return packets;
  }

  /** What is left, a shorter packet. */
  flush(): Packet | undefined {
    return this.#filled === 0 ? undefined : this.#take();
  }

  #write(sample: number): void {
    const value = Math.max(-1, Math.min(1, sample));
    this.#energy += value * value;
    this.#samples[this.#filled++] = Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768)));
  }

  #take(): Packet {
    const values = this.#filled;
    const packet = {
      bytes: littleEndian(this.#samples.subarray(0, values)),
      samples: values / this.#channels,
      level: Math.sqrt(this.#energy / values),
    };
    this.#samples = new Int16Array(this.#size);
    this.#filled = 0;
    this.#energy = 0;
    return packet;
  }
}

function littleEndian(samples: Int16Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(samples.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < samples.length; i++) view.setInt16(i * 2, samples[i]!, true);
  return bytes;
}
