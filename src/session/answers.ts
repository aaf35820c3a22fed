import type { ListBuilt, SessionObserver } from '../observability/session-event.js';
import { ProtocolError } from '../protocol/errors.js';
import type { ServerMessage, VocabularySummary } from '../protocol/messages.js';
import type { Intake } from './intake.js';
import type { RecogniserEvent } from './recogniser.js';
import type { Requests } from './requests.js';

export interface AnswersOptions {
  readonly sessionId: string;
  readonly intake: Intake;
  readonly requests: Requests;
  readonly observe: SessionObserver;
  readonly send: (message: ServerMessage) => void;
  readonly report: (error: ProtocolError) => void;
  /** The last has been sent. */
  readonly finished: () => void;
}

/** What a recogniser says becomes what the client is told, and settles what it has asked. */
export class Answers {
  readonly #options: AnswersOptions;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  event(event: RecogniserEvent): void {
    const { requests, observe, send } = this.#options;
    switch (event.type) {
      case 'progress':
        this.#progress(event.sample);
        return;
      case 'placed':
        return;
      case 'failed':
        this.#failed(event);
        return;
      case 'stopped': {
        const { audioSeconds, segments, words } = event;
        send({ ...event, sessionId: this.#options.sessionId });
        observe({ type: 'stopped', audioSeconds, segments, words });
        this.#options.finished();
        return;
      }
      case 'vocabulary.applied':
        this.#updateAnswered(event.id);
        observe({ type: 'updateApplied', id: event.id, ...listBuilt(event) });
        send(event);
        return;
      case 'mark':
      case 'flushed':
        requests.answered(undefined);
        send(event);
        return;
      default:
        send(event);
    }
  }

  #progress(sample: number): void {
    const { intake, observe } = this.#options;
    const before = intake.decodedMs;
    intake.audioDecoded(sample);
    observe({ type: 'decoded', seconds: (intake.decodedMs - before) / 1000 });
  }

  #failed({ code, message, id }: RecogniserEvent & { readonly type: 'failed' }): void {
    // what a recogniser can refuse is an update
    if (id !== undefined) {
      this.#updateAnswered(id);
      this.#options.observe({ type: 'updateRefused', id });
    }
    this.#options.report(new ProtocolError(code, message, { id }));
  }

  /** What waits for its moment does not hold up the audio, which alone brings the moment. */
  #updateAnswered(id: string): void {
    const { intake, requests } = this.#options;
    if (!requests.answered(id)) intake.updateAnswered();
  }
}

export function listBuilt({ version, entries, rejected, buildMs }: VocabularySummary): ListBuilt {
  return { version, entries, rejected: rejected.length, buildMs };
}
