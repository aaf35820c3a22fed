/** Packets whose times are kept: those of half a minute. What is shown later than that is no caption. */
const MAX_PACKETS = 300;

/** Knows when which second of a session's audio was heard, on the clock of the page. All times in milliseconds. */
export class AudioClock {
  readonly #sampleRate: number;
  readonly #packets: { readonly endMs: number; readonly heardAt: number }[] = [];
  #samples = 0;

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  /** @param heardAt when the packet's last sample was heard */
  sent(samples: number, heardAt: number): void {
    this.#samples += samples;
    this.#packets.push({ endMs: (this.#samples * 1000) / this.#sampleRate, heardAt });
    if (this.#packets.length > MAX_PACKETS) this.#packets.shift();
  }

  /** When that moment of the audio was heard; undefined where that was too long ago or is still to come. */
  heardAt(audioMs: number): number | undefined {
    const packet = this.#packets.find(({ endMs }) => endMs >= audioMs);
    const known = packet !== undefined && (packet !== this.#packets[0] || this.#packets.length < MAX_PACKETS);
    return known ? packet.heardAt - (packet.endMs - audioMs) : undefined;
  }
}
