import type { RecogniserCommand } from './recogniser.js';

interface Logged {
  /** Where it begins on the client's clock. */
  readonly sample: number;
  readonly command: RecogniserCommand;
}

/**
 * What a recogniser was told and has not made up its mind about, in order, so that another can be told the same: audio
 * that is in no final yet, and flushes, marks and updates without an answer. Overflow rule: beyond `maxBytes` of audio the
 * oldest is forgotten.
 */
export class ReplayLog {
  readonly #frameBytes: number;
  readonly #maxBytes: number;
  #logged: Logged[] = [];
  #bytes = 0;
  #received = 0;
  #decided = 0;

  /** @param frameBytes of one sample of all channels */
  constructor(frameBytes: number, maxBytes: number) {
    this.#frameBytes = frameBytes;
    this.#maxBytes = maxBytes;
  }

  /** Where the audio begins that is kept, in client's samples. */
  get begin(): number {
    return this.#logged.find(({ command }) => command.type === 'audio')?.sample ?? this.#received;
  }

  /** Samples that are neither decided nor kept any more. */
  get forgotten(): number {
    return this.begin - this.#decided;
  }

  get commands(): readonly RecogniserCommand[] {
    return this.#logged.map(({ command }) => command);
  }

  /** The log keeps bytes of its own: a recogniser takes those that it is given. */
  add(command: RecogniserCommand): void {
    const sample = this.#received;
    if (command.type !== 'audio') {
      this.#logged.push({ sample, command });
      return;
    }
    const bytes = Uint8Array.from(command.bytes);
    this.#logged.push({ sample, command: { type: 'audio', bytes } });
    this.#received += bytes.length / this.#frameBytes;
    this.#bytes += bytes.length;
    while (this.#bytes > this.#maxBytes) this.#dropOldest();
  }

  /** All before this sample is told in finals, or nothing was said in it. */
  decided(sample: number): void {
    if (sample <= this.#decided) return;
    this.#decided = Math.min(sample, this.#received);
    const kept: Logged[] = [];
    for (const logged of this.#logged) {
      const rest =
        logged.command.type === 'audio' ? this.#behind(logged.sample, logged.command.bytes) : logged;
      if (rest !== undefined) kept.push(rest);
    }
    this.#logged = kept;
  }

  /** The first that waits of its kind is answered; an update is told by its id. */
  answered(matches: (command: RecogniserCommand) => boolean): void {
    const index = this.#logged.findIndex(({ command }) => matches(command));
    if (index >= 0) this.#logged.splice(index, 1);
  }

  #behind(sample: number, bytes: Uint8Array): Logged | undefined {
    const gone = Math.max(0, this.#decided - sample) * this.#frameBytes;
    if (gone === 0) return { sample, command: { type: 'audio', bytes } };
    this.#bytes -= Math.min(gone, bytes.length);
    if (gone >= bytes.length) return undefined;
    return { sample: this.#decided, command: { type: 'audio', bytes: bytes.subarray(gone) } };
  }

  #dropOldest(): void {
    const index = this.#logged.findIndex(({ command }) => command.type === 'audio');
    const [{ command }] = this.#logged.splice(index, 1) as [Logged];
    if (command.type === 'audio') this.#bytes -= command.bytes.length;
  }
}
