/** The closed set of errors (the schema's `ErrorCode`), what each does to the connection, and the class that carries one. */
import type { ErrorCode, ErrorMessage } from './messages.js';

export interface ErrorRule {
  /** Sent when the server closes because of the error: a code of RFC 6455, or 4000 + the kin HTTP status. */
  readonly closeCode: number;
  /** True: the server closes. False: what caused the error is dropped whole and the session goes on. */
  readonly fatal: boolean;
}

export const ERROR_RULES = {
  malformed_json: { closeCode: 4400, fatal: false },
  unknown_type: { closeCode: 4400, fatal: false },
  invalid_message: { closeCode: 4400, fatal: false },
  // RFC 6455, 8.1: the connection must fail with 1007
  invalid_utf8: { closeCode: 1007, fatal: true },
  frame_too_large: { closeCode: 1009, fatal: false },
  not_started: { closeCode: 4409, fatal: false },
  already_started: { closeCode: 4409, fatal: false },
  already_stopped: { closeCode: 4409, fatal: false },
  not_resumable: { closeCode: 4404, fatal: false },
  replaced: { closeCode: 4409, fatal: true },
  odd_byte_count: { closeCode: 4400, fatal: false },
  unsupported_encoding: { closeCode: 4415, fatal: false },
  unsupported_rate: { closeCode: 4415, fatal: false },
  unsupported_channels: { closeCode: 4415, fatal: false },
  unsupported_latency: { closeCode: 4415, fatal: false },
  vocabulary_invalid: { closeCode: 4422, fatal: false },
  vocabulary_too_large: { closeCode: 4413, fatal: false },
  too_many_requests: { closeCode: 4429, fatal: false },
  access_revoked: { closeCode: 4401, fatal: true },
  idle_timeout: { closeCode: 4408, fatal: true },
  session_too_long: { closeCode: 4410, fatal: true },
  slow_consumer: { closeCode: 4499, fatal: true },
  server_full: { closeCode: 1013, fatal: true },
  shutting_down: { closeCode: 1001, fatal: true },
  recogniser_restarted: { closeCode: 1011, fatal: false },
  internal: { closeCode: 1011, fatal: true },
} as const satisfies Record<ErrorCode, ErrorRule>;

export const ERROR_CODES = Object.keys(ERROR_RULES) as readonly ErrorCode[];

/** Close code after `stopped`. */
export const NORMAL_CLOSURE = 1000;

export interface ProtocolErrorOptions {
  /** The id of the request that failed. */
  readonly id?: string | undefined;
  readonly cause?: unknown;
}

export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;
  readonly id: string | undefined;

  constructor(code: ErrorCode, message: string, options: ProtocolErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.id = options.id;
  }

  get closeCode(): number {
    return ERROR_RULES[this.code].closeCode;
  }

  get fatal(): boolean {
    return ERROR_RULES[this.code].fatal;
  }

  /** The frame that tells the client. */
  toMessage(): ErrorMessage {
    const { code, message, fatal, id } = this;
    return { type: 'error', code, message, fatal, ...(id !== undefined && { id }) };
  }
}

/** Whatever was thrown, as a protocol error. The text of a stranger's error stays in `cause`, away from the client. */
export function fromUnknown(thrown: unknown): ProtocolError {
  if (thrown instanceof ProtocolError) return thrown;
  return new ProtocolError('internal', 'The server failed; open a new session.', { cause: thrown });
}

/** RFC 6455, 5.5: a control frame carries 125 bytes, two of them the close code. */
const MAX_CLOSE_REASON_BYTES = 123;

/** The longest begin of a text that fits a close frame, cut between characters. */
export function closeReason(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_CLOSE_REASON_BYTES) return bytes.toString();
  let end = MAX_CLOSE_REASON_BYTES;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
