import type { ErrorCode } from '../protocol/messages.js';

/** The server's codes, and `connection` where there was no answer because the connection failed or ended. */
export type LexigateErrorCode = ErrorCode | 'connection';

/** An error that the server reported, or the connection's end before an answer. */
export class LexigateError extends Error {
  override readonly name = 'LexigateError';
  readonly code: LexigateErrorCode;

  constructor(code: LexigateErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
