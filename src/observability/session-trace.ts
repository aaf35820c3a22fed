import { type Context, context, propagation, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import type { SessionEvent, SessionOrigin, WatchSessions } from './session-event.js';

/** Updates that may wait have a bound of their own (`maxPendingRequests`); no more are remembered in any case. */
const MAX_OPEN = 1024;

/**
 * A session as a trace: one span from start to end, and within it one for the opening of the recogniser, each list
 * update until it is in force, and each segment from its first partial to its final. It continues the trace of the
 * client's request (`traceparent`), if there is one.
 */
export const traceSession: WatchSessions = (origin) => {
  const session = new SessionTrace(origin);
  return (event) => session.heard(event);
};

class SessionTrace {
  readonly #origin: SessionOrigin;
  readonly #tracer = trace.getTracer('lexigate');
  #session: Span | undefined;
  #context: Context = context.active();
  /** Those within the session that are not over, by what they are about. */
  readonly #open = new Map<string, Span>();

  constructor(origin: SessionOrigin) {
    this.#origin = origin;
  }

  heard(event: SessionEvent): void {
    switch (event.type) {
      case 'started':
        this.#start(event);
        return;
      case 'opened':
        this.#end('open', attributesOf(event));
        return;
      case 'updateAsked':
        this.#begin('vocabulary.update', `update ${event.id}`);
        return;
      case 'updateApplied':
        this.#end(`update ${event.id}`, attributesOf(event));
        return;
      case 'updateRefused':
        this.#end(`update ${event.id}`, {}, 'refused');
        return;
      case 'partial':
        this.#begin('segment', segmentKey(event));
        return;
      case 'final':
        // where there was no partial, the span says at least how many words
        this.#begin('segment', segmentKey(event));
        this.#end(segmentKey(event), attributesOf(event));
        return;
      case 'paused':
        this.#session?.addEvent('paused', attributesOf(event));
        return;
      case 'suspended':
      case 'resumed':
        this.#session?.addEvent(event.type);
        return;
      case 'error':
        this.#session?.addEvent('error', { 'lexigate.code': event.code });
        if (event.cause !== undefined) this.#session?.setStatus({ code: SpanStatusCode.ERROR });
        return;
      case 'stopped':
        this.#session?.setAttributes(attributesOf(event));
        return;
      case 'closed':
        for (const key of this.#open.keys()) this.#end(key);
        if (event.code !== undefined) this.#session?.setAttribute('lexigate.close_code', event.code);
        this.#session?.end();
    }
  }

  #start(event: SessionEvent & { readonly type: 'started' }): void {
    const { path, headers } = this.#origin;
    const parent = propagation.extract(context.active(), headers);
    const attributes = { 'url.path': path, ...attributesOf(event) };
    this.#session = this.#tracer.startSpan('session', { attributes }, parent);
    this.#context = trace.setSpan(parent, this.#session);
    this.#begin('open', 'open');
  }

  #begin(name: string, key: string): void {
    if (this.#open.has(key) || this.#open.size >= MAX_OPEN) return;
    this.#open.set(key, this.#tracer.startSpan(name, {}, this.#context));
  }

  #end(key: string, attributes: Attributes = {}, error?: string): void {
    const span = this.#open.get(key);
    if (span === undefined) return;
    this.#open.delete(key);
    span.setAttributes(attributes);
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    span.end();
  }
}

type Attributes = Readonly<Record<string, string | number>>;

/** An event's members as attributes, `buildMs` being `lexigate.build_ms`; not the id of a request, which is a client's text. */
function attributesOf({ type: _, ...members }: SessionEvent): Attributes {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) =>
      name !== 'id' && (typeof value === 'string' || typeof value === 'number')
        ? [[`lexigate.${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`, value]]
        : [],
    ),
  );
}

function segmentKey({ channel, segment }: { readonly channel: number; readonly segment: number }): string {
  return `segment ${channel} ${segment}`;
}
