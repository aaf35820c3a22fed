import type { ServerMessage } from '../protocol/messages.js';
import type { Socket } from '../session/socket.js';

export interface InnerSocketHandlers {
  message(message: ServerMessage): void;
  close(code: number, reason: string): void;
}

/**
 * The socket of a native session whose messages are translated before they leave the house. Reading and what waits to
 * be read are those of the real one, so that the session's bounds hold for the client of the other protocol too.
 */
export function innerSocket(outer: Socket, handlers: InnerSocketHandlers): Socket {
  return {
    send: (text) => {
      handlers.message(JSON.parse(text) as ServerMessage);
    },
    close: (code, reason) => {
      handlers.close(code, reason);
    },
    setPaused: (paused) => {
      outer.setPaused(paused);
    },
    get bufferedBytes() {
      return outer.bufferedBytes;
    },
  };
}
