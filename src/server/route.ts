import type { IncomingMessage, ServerResponse } from 'node:http';

/** An HTTP resource beside the WebSocket endpoints. */
export interface Route {
  readonly path: string;
  /** Answers in the end; what it throws is answered with 500. */
  handle(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
}
