import type { WebSocket } from 'ws';
import { fromUnknown } from '../protocol/errors.js';
import { decodeText } from '../protocol/validate.js';
import type { Connection } from '../session/endpoint.js';
import type { Socket } from '../session/socket.js';

/** What `ws` reports of a connection that ended without a closing frame from the peer (RFC 6455, 7.4.1). */
const NO_CLOSE_FRAME = 1006;

/** `ws` as a session sees it. */
export function toSocket(ws: WebSocket): Socket {
  return {
    send: (text) => {
      ws.send(text);
    },
    close: (code, reason) => {
      // a paused socket would never read the peer's closing frame
      ws.resume();
      ws.close(code, reason);
    },
    setPaused: (paused) => {
      if (paused) ws.pause();
      else ws.resume();
    },
    get bufferedBytes() {
      return ws.bufferedAmount;
    },
  };
}

/** Hands a connection's frames on until it closes. */
export function forward(ws: WebSocket, connection: Connection): void {
  ws.on('message', (raw: Buffer, isBinary) => {
    if (isBinary) {
      connection.binary(raw);
      return;
    }
    try {
      connection.text(decodeText(raw));
    } catch (thrown) {
      connection.fail(fromUnknown(thrown));
    }
  });
  // `ws` closes by itself after an error of the peer's (bad frame, too large); `close` follows
  ws.on('error', () => undefined);
  ws.on('close', (code) => {
    connection.disconnected(code === NO_CLOSE_FRAME);
  });
}

/** Half-open peers: who has not answered the last ping by the next is gone. Returns what stops it. */
export function keepAlive(ws: WebSocket, intervalMs: number): () => void {
  let alive = true;
  ws.on('pong', () => {
    alive = true;
  });
  const timer = setInterval(() => {
    if (!alive) {
      ws.terminate();
      return;
    }
    alive = false;
    // while the server does not read, it cannot see an answer
    if (ws.isPaused) alive = true;
    else ws.ping();
  }, intervalMs).unref();
  const stop = (): void => {
    clearInterval(timer);
  };
  ws.on('close', stop);
  return stop;
}
