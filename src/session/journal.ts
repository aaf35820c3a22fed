import type { PartialMessage, ServerMessage } from '../protocol/messages.js';

interface Kept {
  readonly seq: number;
  readonly text: string;
}

/**
 * What a session has said and its client may not have heard, for a client that comes back. Messages are numbered and kept
 * until they are acknowledged; of partials, which replace each other, the newest of each channel. Overflow rule: beyond
 * `maxBytes` the oldest is forgotten, and who has not received it cannot come back.
 */
export class Journal {
  readonly #maxBytes: number;
  #kept: Kept[] = [];
  #bytes = 0;
  #last = 0;
  readonly #partials = new Map<number, PartialMessage>();

  /** @param maxBytes characters of JSON, most of which are a byte */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @returns the message as it is to be sent */
  note(message: ServerMessage): ServerMessage {
    switch (message.type) {
      case 'ready':
      case 'resumed':
      case 'progress':
        return message;
      case 'partial':
        this.#partials.set(message.channel, message);
        return message;
      default:
    }
    if (message.type === 'final') this.#partials.delete(message.channel);
    const numbered = { ...message, seq: ++this.#last };
    this.#keep({ seq: this.#last, text: JSON.stringify(numbered) });
    return numbered;
  }

  /** The client has everything up to `seq`. */
  acknowledge(seq: number): void {
    const first = this.#kept.findIndex((each) => each.seq > seq);
    for (const { text } of this.#kept.splice(0, first < 0 ? this.#kept.length : first)) {
      this.#bytes -= text.length;
    }
  }

  /** What a client lacks that has everything up to `seq`, in order; undefined where that is not known any more. */
  since(seq: number): string[] | undefined {
    const oldest = this.#kept[0]?.seq ?? this.#last + 1;
    if (seq < oldest - 1 || seq > this.#last) return undefined;
    const missed = this.#kept.filter((each) => each.seq > seq).map(({ text }) => text);
    return [...missed, ...[...this.#partials.values()].map((partial) => JSON.stringify(partial))];
  }

  #keep(kept: Kept): void {
    this.#kept.push(kept);
    this.#bytes += kept.text.length;
    while (this.#bytes > this.#maxBytes) this.#bytes -= this.#kept.shift()!.text.length;
  }
}
