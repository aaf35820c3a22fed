/**
 * What a session needs of a connection. The `ws` adapter in `server/` implements it, and tests with an object literal.
 */
export interface Socket {
  /** Sends a text frame. */
  send(text: string): void;
  /** Closes with a code and a reason of at most 123 bytes. */
  close(code: number, reason: string): void;
  /** Stops or goes on reading from the peer, whose sends then wait in TCP. */
  setPaused(paused: boolean): void;
  /** Bytes handed to `send` that the peer has not taken yet. */
  readonly bufferedBytes: number;
}
