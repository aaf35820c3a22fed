/** What the tests of the vosk and sherpa endpoints share: a gateway, a recogniser that hears silence, a plain client. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import WebSocket from 'ws';
import type { FinalMessage, FinalReason } from '../src/protocol/messages.js';
import { Gateway } from '../src/server/gateway.js';
import type { Endpoint, SessionEnvironment } from '../src/session/endpoint.js';
import { DEFAULT_LIMITS, type SessionLimits } from '../src/session/limits.js';
import type { RecogniserCommand, RecogniserConfig, RecogniserFactory } from '../src/session/recogniser.js';
import { packageRoot } from '../src/util/package-root.js';
import { DESCRIPTION, FakeRecogniser } from './session-support.js';

/** Seconds of a chunk and of the look-ahead behind it, in `DESCRIPTION`. */
const CHUNK = 0.32;

export function final(segment: number, text: string, reason: FinalReason = 'endpoint'): FinalMessage {
  const words = text.split(' ').map((word, i) => ({
    word,
    start: segment + i / 10,
    end: segment + (2 * i + 1) / 20,
    startSample: 0,
    endSample: 0,
    confidence: 0.5,
  }));
  return {
    type: 'final',
    channel: 0,
    segment,
    start: words[0]!.start,
    end: words.at(-1)!.end,
    startSample: 0,
    endSample: 0,
    text,
    words,
    reason,
  };
}

/**
 * Hears a word in every chunk of audio ("w0", "w1", ...), once its look-ahead is there and not before, and ends a
 * segment with every fourth. Bytes mean nothing to it but their number.
 */
export class ChunkRecogniser extends FakeRecogniser {
  readonly config: RecogniserConfig;
  #samples = 0;
  #chunks = 0;
  #segment = 0;
  #words: string[] = [];

  constructor(config: RecogniserConfig) {
    super();
    this.config = config;
  }

  override send(command: RecogniserCommand): void {
    super.send(command);
    // answers come later, as from another thread
    setImmediate(() => this.#work(command));
  }

  #work(command: RecogniserCommand): void {
    if (command.type === 'audio') {
      this.#samples += command.bytes.length / (this.config.audio.encoding === 'f32le' ? 4 : 2);
      this.#decode(CHUNK);
    } else if (command.type === 'vocabulary') {
      const entries = 'replace' in command.change ? command.change.replace.length : 0;
      this.happened.next({
        type: 'vocabulary.applied',
        id: command.id,
        ...this.vocabulary,
        entries,
        rejected: [{ text: '!', reason: 'no letters' }],
      });
    } else this.#end(command.boundary.type);
  }

  #decode(lookahead: number): void {
    const { sampleRate } = this.config.audio;
    while (((this.#chunks + 1) * CHUNK + lookahead) * sampleRate <= this.#samples) {
      this.#words.push(`w${this.#chunks++}`);
      this.happened.next({ type: 'progress', sample: Math.round(this.#chunks * CHUNK * sampleRate) });
      if (this.#words.length === 4) this.#final('endpoint');
      else this.#partial();
    }
  }

  #partial(): void {
    const { start, end, text, words } = final(this.#segment, this.#words.join(' '));
    this.happened.next({
      type: 'partial',
      channel: 0,
      segment: this.#segment,
      start,
      end,
      text,
      committed: '',
      tail: text,
      words,
    });
  }

  #final(reason: FinalReason): void {
    if (this.#words.length === 0) return;
    const message = final(this.#segment++, this.#words.join(' '), reason);
    const { nBest } = this.config;
    const alternatives = Array.from({ length: nBest }, (_, i) => ({
      text: i === 0 ? message.text : `${message.text} or ${i}`,
      score: -i,
      confidence: 0.5 - i / 100,
    }));
    this.#words = [];
    this.happened.next({ ...message, ...(nBest > 1 && { alternatives }) });
  }

  #end(boundary: 'flush' | 'mark' | 'stop'): void {
    this.#decode(0);
    if (boundary === 'flush') {
      this.#final('flush');
      this.happened.next({ type: 'flushed', sample: this.#samples });
    } else if (boundary === 'stop') {
      this.#final('stop');
      this.happened.next({
        type: 'stopped',
        audioSeconds: this.#samples / this.config.audio.sampleRate,
        samples: this.#samples,
        segments: this.#segment,
        words: this.#chunks,
        vocabularyVersion: 0,
      });
    }
  }
}

export interface Served {
  /** `ws://host:port` */
  readonly address: string;
  readonly gateway: Gateway;
  readonly recognisers: ChunkRecogniser[];
}

/** A gateway with these endpoints over recognisers of the above kind. */
export async function serveFake(
  endpoints: (environment: SessionEnvironment) => Endpoint[],
  { limits = {}, open }: { limits?: Partial<SessionLimits>; open?: RecogniserFactory['open'] } = {},
): Promise<Served> {
  const recognisers: ChunkRecogniser[] = [];
  const factory: RecogniserFactory = {
    description: DESCRIPTION,
    open:
      open ??
      (async (config) => {
        const recogniser = new ChunkRecogniser(config);
        recognisers.push(recogniser);
        return recogniser;
      }),
  };
  const all = { ...DEFAULT_LIMITS, ...limits };
  const gateway = await Gateway.start({
    endpoints: endpoints({ recognisers: factory, limits: all }),
    maxPayload: 4 * all.maxFrameBytes,
    host: '127.0.0.1',
    port: 0,
    maxConnections: 10,
  });
  return { address: new URL(gateway.url).origin, gateway, recognisers };
}

/** The gateway with the real model, started by the command of a guide, but at any free port. */
export async function serveAsIn(guide: string): Promise<{ address: string; stop: () => Promise<void> }> {
  const text = await readFile(join(packageRoot(), 'docs', guide), 'utf8');
  const command = /^npm run -s cli -- (serve .*)$/m.exec(text)![1]!;
  const main = join(packageRoot(), 'build', 'src', 'cli', 'main.js');
  const args = command.replace(/--port \d+/, '--port 0').split(' ');
  const server = spawn(process.execPath, [main, ...args, '--workers', '1']);
  const ended = new Promise<void>((resolve) => server.on('close', () => resolve()));
  const address = await new Promise<string>((resolve, reject) => {
    let out = '';
    server.stdout.setEncoding('utf8').on('data', (part: string) => {
      out += part;
      const url = /listens on (\S+)/.exec(out)?.[1];
      if (url !== undefined) resolve(new URL(url).origin);
    });
    void ended.then(() => reject(new Error(`"${command}" ended without listening: ${out}`)));
  });
  return {
    address,
    stop: async () => {
      server.kill('SIGTERM');
      await ended;
    },
  };
}

/** A client of the plain kind that the samples are: it sends, and asks for the next message. */
export class PlainClient {
  readonly ws: WebSocket;
  /** Code and reason of the close. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #received: string[] = [];
  readonly #waiting: { resolve: (text: string) => void; reject: (reason: Error) => void }[] = [];

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (raw: Buffer) => {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#received.push(raw.toString());
      else waiting.resolve(raw.toString());
    });
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => {
        for (const { reject } of this.#waiting) reject(new Error(`closed with ${code} ${reason.toString()}`));
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  static connect(url: string): Promise<PlainClient> {
    return new Promise((resolve, reject) => {
      const ws = new WebSocket(url);
      const client = new PlainClient(ws);
      ws.on('open', () => resolve(client));
      ws.on('error', reject);
      ws.on('unexpected-response', (_, response) => {
        response.on('data', (body: Buffer) => reject(new Error(`${response.statusCode} ${body.toString()}`)));
      });
    });
  }

  send(frame: string | Uint8Array): void {
    this.ws.send(frame);
  }

  recv(): Promise<string> {
    const text = this.#received.shift();
    if (text !== undefined) return Promise.resolve(text);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Everything up to the close that nobody has asked for. */
  async rest(): Promise<string[]> {
    await this.closed;
    return this.#received.splice(0);
  }
}
