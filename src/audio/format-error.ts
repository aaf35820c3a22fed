/** Bytes that are not what the format says. The message is for the person who sent them. */
export class AudioFormatError extends Error {
  override readonly name = 'AudioFormatError';
}
