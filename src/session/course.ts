import type { Subscription } from 'rxjs';
import { ProtocolError } from '../protocol/errors.js';
import type { Recogniser, RecogniserEvent } from './recogniser.js';

/** Each state owns what only it needs; leaving it frees that. */
type State =
  | { readonly is: 'new' }
  /** Commands that arrive while the recogniser opens wait here, bounded by `maxBufferedSeconds` and the pause. */
  | { readonly is: 'opening'; readonly backlog: (() => void)[]; stopAsked: boolean }
  | { readonly is: 'streaming'; readonly recogniser: Recogniser; readonly events: Subscription }
  | { readonly is: 'stopping'; readonly recogniser: Recogniser; readonly events: Subscription }
  /** All is said. A session that can be resumed waits for its client to confirm it by the closing handshake. */
  | { readonly is: 'stopped' }
  | { readonly is: 'closed' };

export interface CourseHandlers {
  /** Before what waited for it is done. */
  readonly opened: (recogniser: Recogniser) => void;
  readonly event: (event: RecogniserEvent) => void;
  readonly failed: (reason: unknown) => void;
}

/** How far a session is, from its start to its end, and the recogniser that it has in between. */
export class Course {
  readonly #handlers: CourseHandlers;
  #state: State = { is: 'new' };

  constructor(handlers: CourseHandlers) {
    this.#handlers = handlers;
  }

  get closed(): boolean {
    return this.#state.is === 'closed';
  }

  /** All is said, and the client may not have heard it. */
  get stopped(): boolean {
    return this.#state.is === 'stopped';
  }

  /** @throws ProtocolError `already_started` */
  requireNew(): void {
    if (this.#state.is === 'new') return;
    throw new ProtocolError(
      'already_started',
      'The session has started already; open another connection for another stream.',
    );
  }

  /** @throws ProtocolError `not_started`, `already_stopped` @param what is asked, for the sentence */
  requireStarted(what: string, id: string | undefined): void {
    if (this.#state.is === 'new') {
      throw new ProtocolError('not_started', `${what} came before "start"; send "start" first.`, { id });
    }
    const stopAsked = this.#state.is === 'opening' && this.#state.stopAsked;
    if (stopAsked || this.#state.is === 'stopping') {
      throw new ProtocolError(
        'already_stopped',
        `${what} came after "stop" and was dropped; open a new session.`,
        { id },
      );
    }
  }

  begin(opening: Promise<Recogniser>): void {
    this.#state = { is: 'opening', backlog: [], stopAsked: false };
    opening.then(
      (recogniser) => this.#opened(recogniser),
      (reason: unknown) => this.#handlers.failed(reason),
    );
  }

  /** Done once there is a recogniser, in the order in which it was asked. */
  whenStreaming(action: (recogniser: Recogniser) => void): void {
    if (this.#state.is === 'opening') this.#state.backlog.push(() => this.whenStreaming(action));
    else if (this.#state.is === 'streaming') action(this.#state.recogniser);
  }

  stop(): void {
    if (this.#state.is === 'opening') this.#state.stopAsked = true;
    this.whenStreaming((recogniser) => {
      if (this.#state.is !== 'streaming') return;
      this.#state = { ...this.#state, is: 'stopping' };
      recogniser.send({ type: 'boundary', boundary: { type: 'stop' } });
    });
  }

  /** The recogniser has said all. */
  finish(): void {
    this.#leave({ is: 'stopped' });
  }

  close(): void {
    this.#leave({ is: 'closed' });
  }

  #opened(recogniser: Recogniser): void {
    if (this.#state.is !== 'opening') {
      recogniser.close();
      return;
    }
    const { backlog } = this.#state;
    const events = recogniser.events.subscribe((event) => this.#handlers.event(event));
    this.#state = { is: 'streaming', recogniser, events };
    this.#handlers.opened(recogniser);
    for (const action of backlog) action();
  }

  #leave(next: State): void {
    const state = this.#state;
    this.#state = next;
    if (state.is === 'streaming' || state.is === 'stopping') {
      state.events.unsubscribe();
      state.recogniser.close();
    }
  }
}
