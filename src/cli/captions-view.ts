import type { FinalMessage, PartialMessage } from '../protocol/messages.js';

const CLEAR = '\r\u001b[J';
const DIM = '\u001b[2m';
const BOLD = '\u001b[1m';
const RESET = '\u001b[0m';

export interface CaptionsViewOptions {
  readonly out: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  /** Say who speaks, for audio of two channels. */
  readonly speakers: boolean;
  /** Print partials, a line each, also where the output is no terminal. */
  readonly partialLines?: boolean;
}

/**
 * Captions on a terminal, changing as they are spoken: committed words plain, the tail dim, words from the vocabulary
 * bold. Where the output is no terminal finals are printed, a line each, and partials if asked for.
 */
export class CaptionsView {
  readonly #options: CaptionsViewOptions;
  readonly #open = new Map<number, string>();

  constructor(options: CaptionsViewOptions) {
    this.#options = options;
  }

  partial(message: PartialMessage): void {
    const { out, partialLines } = this.#options;
    if (out.isTTY !== true) {
      if (partialLines === true) out.write(`  … ${this.#prefix(message.channel)}${message.text}\n`);
      return;
    }
    const separator = message.committed !== '' && message.tail !== '' ? ' ' : '';
    this.#open.set(
      message.channel,
      this.#prefix(message.channel) + message.committed + separator + DIM + message.tail + RESET,
    );
    this.#drawOpen();
  }

  final(message: FinalMessage): void {
    const { out } = this.#options;
    this.#open.delete(message.channel);
    const text = out.isTTY === true ? highlighted(message) : message.text;
    if (out.isTTY === true) out.write(CLEAR);
    out.write(`${this.#prefix(message.channel)}${text}\n`);
    this.#drawOpen();
  }

  /** A line of its own between captions. */
  note(text: string): void {
    const { out } = this.#options;
    if (out.isTTY === true) out.write(CLEAR);
    out.write(`${text}\n`);
    this.#drawOpen();
  }

  /** The end of long text is what is being spoken. */
  #drawOpen(): void {
    const { out } = this.#options;
    if (out.isTTY !== true || this.#open.size === 0) return;
    // a pseudo-terminal may say that it has no columns
    const room = (out.columns || 80) - 1;
    const lines = [...this.#open.values()].map((line) => fit(line, room));
    out.write(CLEAR + lines.join('  '));
  }

  #prefix(channel: number): string {
    return this.#options.speakers ? `[${channel + 1}] ` : '';
  }
}

function highlighted(message: FinalMessage): string {
  return message.words
    .map(({ word, entity }) => (entity === undefined ? word : `${BOLD}${word}${RESET}`))
    .join(' ');
}

/** The line's end, cut so that it stays on one row; escape sequences take no room. */
function fit(line: string, room: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
  const parts = line.split(/(\u001b\[\d+m)/);
  let left = room;
  const kept: string[] = [];
  for (const part of parts.reverse()) {
    if (part.startsWith('\u001b')) kept.unshift(part);
    else if (left > 0) {
      const text = part.length > left ? `…${part.slice(part.length - left + 1)}` : part;
      kept.unshift(text);
      left -= text.length;
    }
  }
  return kept.join('');
}
