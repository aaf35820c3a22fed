import type {
  ErrorMessage,
  RejectedEntries,
  VocabularyAppliedMessage,
  VocabularyList,
} from '../protocol/messages.js';
import type { SessionLimits } from '../session/limits.js';
import { faultOf, type Keyterm, toKeyterm } from './deepgram-keyterms.js';
import type {
  ConfigureFailureCode,
  ConfigureMessage,
  ListenAnswer,
  MetadataMessage,
} from './deepgram-messages.js';

export interface ConfigurationOptions {
  readonly requestId: string;
  readonly limits: SessionLimits;
  readonly send: (answer: ListenAnswer) => void;
  /** Asks the session for another list. Answered by `applied` or `refused`. */
  readonly replace: (list: VocabularyList) => void;
}

/** Features that may be switched either way, since they change nothing. */
const HARMLESS: readonly string[] = ['punctuate', 'smart_format', 'filler_words'];

/**
 * A stream's keyterms while it runs. Invariants:
 * 1. Every Configure is answered once, by ConfigureSuccess or ConfigureFailure.
 * 2. One that fails changes nothing, and one that names no keyterms keeps them.
 */
export class Configuration {
  readonly #options: ConfigurationOptions;
  #pending: readonly Keyterm[] | undefined;
  #rejectedAtStart: RejectedEntries = [];

  constructor(options: ConfigurationOptions) {
    this.#options = options;
  }

  /** What was asked for in the query and could not be done. */
  get warnings(): NonNullable<MetadataMessage['warnings']> {
    return this.#rejectedAtStart.map(({ text, reason }) => ({
      parameter: 'keyterm',
      type: 'unusable_keyterm',
      message: `"${text}": ${reason}`,
    }));
  }

  started(rejected: RejectedEntries): void {
    this.#rejectedAtStart = rejected;
  }

  configure({ keyterms: given, features, unknown }: ConfigureMessage): void {
    const { limits } = this.#options;
    const stranger =
      unknown[0] ?? Object.keys(features).find((name) => features[name] === true && !HARMLESS.includes(name));
    if (this.#pending !== undefined) {
      this.#fail('CONFIGURE_ALREADY_PENDING', 'The Configure before this one has not been answered yet.');
    } else if (stranger !== undefined) {
      this.#fail('CONFIGURE_INTERNAL_ERROR', `"${stranger}" is not offered; nothing was changed.`);
    } else if (given === undefined) this.#succeed({});
    else {
      const keyterms = given.map(toKeyterm);
      const fault = faultOf(keyterms, limits);
      if (fault === undefined) this.#replace(keyterms);
      else {
        const code = fault.tooMuch ? 'CONFIGURE_KEYTERM_LIMIT_EXCEEDED' : 'CONFIGURE_INTERNAL_ERROR';
        this.#fail(code, `${fault.message} The keyterms in effect stay.`);
      }
    }
  }

  applied({ rejected }: Pick<VocabularyAppliedMessage, 'rejected'>): void {
    const keyterms = this.#settle();
    const unusable = new Set(rejected.map(({ text }) => text));
    const inEffect = keyterms.filter(
      ({ entry }) => !unusable.has(typeof entry === 'string' ? entry : entry.text),
    );
    this.#succeed({
      keyterms: inEffect.map(({ given }) => given),
      ...(rejected.length > 0 && { rejected }),
    });
  }

  refused({ code, message }: Pick<ErrorMessage, 'code' | 'message'>): void {
    this.#settle();
    const tooMuch = code === 'vocabulary_too_large' || code === 'frame_too_large';
    this.#fail(tooMuch ? 'CONFIGURE_KEYTERM_LIMIT_EXCEEDED' : 'CONFIGURE_INTERNAL_ERROR', message);
  }

  #replace(keyterms: readonly Keyterm[]): void {
    // before the session is asked: it may refuse at once
    this.#pending = keyterms;
    this.#options.replace(keyterms.map(({ entry }) => entry));
  }

  #settle(): readonly Keyterm[] {
    const keyterms = this.#pending ?? [];
    this.#pending = undefined;
    return keyterms;
  }

  #succeed(what: { readonly keyterms?: readonly string[]; readonly rejected?: RejectedEntries }): void {
    this.#options.send({ type: 'ConfigureSuccess', request_id: this.#options.requestId, ...what });
  }

  #fail(code: ConfigureFailureCode, description: string): void {
    this.#options.send({ type: 'ConfigureFailure', request_id: this.#options.requestId, code, description });
  }
}
