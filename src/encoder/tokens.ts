/** What a `tokens.txt` says: a symbol and its number a line. */
export interface Tokens {
  /** Symbols in the order of their numbers, without the blank. */
  readonly pieces: readonly string[];
  /** Number of the blank. */
  readonly blank: number;
}

/** Names that sherpa-onnx takes for the blank, the likeliest first. */
const BLANKS = ['<blk>', '<eps>', '<blank>'];

export class TokensError extends Error {
  override readonly name = 'TokensError';
}

/**
 * @param source the text of a `tokens.txt` as sherpa-onnx reads it; a line with a number alone is a space
 * @throws TokensError where a number is missing or none is the blank
 */
export function parseTokens(source: string): Tokens {
  const symbols: string[] = [];
  for (const [index, line] of source.split(/\r?\n/).entries()) {
    const parts = line.trim().split(/\s+/);
    if (parts[0] === '') continue;
    const [symbol, number] = parts.length === 1 ? [' ', parts[0]] : parts;
    if (parts.length > 2 || !/^\d{1,7}$/.test(number!)) {
      throw new TokensError(`line ${index + 1} is ${JSON.stringify(line)}, not a symbol and its number`);
    }
    symbols[Number(number)] ??= symbol!;
  }
  const missing = Array.from(symbols).indexOf(undefined as never);
  if (missing >= 0) throw new TokensError(`no symbol has the number ${missing}`);
  const blank = BLANKS.map((name) => symbols.indexOf(name)).find((id) => id >= 0);
  if (blank === undefined)
    throw new TokensError(`none of ${BLANKS.join(', ')} is there: which is the blank?`);
  return { pieces: readable(symbols.filter((_, id) => id !== blank)), blank };
}

/**
 * Models trained on transcripts in capitals alone write small letters here, as language model and vocabulary do. Where
 * both occur, they mean something, and stay.
 */
function readable(pieces: readonly string[]): readonly string[] {
  const isControl = (piece: string): boolean => /^<.+>$/.test(piece);
  const oneCase = pieces.every((piece) => isControl(piece) || piece === piece.toUpperCase());
  return oneCase ? pieces.map((piece) => (isControl(piece) ? piece : piece.toLowerCase())) : pieces;
}
