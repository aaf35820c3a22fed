/** A gateway with all its endpoints and keys, its recognisers fakes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { createApiKey, formatApiKey, hashSecret } from '../src/access/api-key.js';
import { type KeyRecord, writeKeyFile } from '../src/access/key-file.js';
import { Keyring } from '../src/access/keyring.js';
import { Tokens } from '../src/access/tokens.js';
import { deepgramEndpoint } from '../src/compat/deepgram.js';
import { DEEPGRAM_GRANT } from '../src/compat/deepgram-grant.js';
import { sherpaEndpoint } from '../src/compat/sherpa.js';
import { voskEndpoint } from '../src/compat/vosk.js';
import { Gateway, type GatewayOptions } from '../src/server/gateway.js';
import { tokenRoute } from '../src/server/token-route.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { nativeEndpoint } from '../src/session/native.js';
import type { RecogniserConfig } from '../src/session/recogniser.js';
import { DESCRIPTION, FakeRecogniser } from './session-support.js';

/** An address of each protocol that is spoken, and what makes a client of it start its session. */
export const PROTOCOLS = [
  {
    name: 'native',
    path: '/v1/stream',
    begin: JSON.stringify({ type: 'start', audio: { encoding: 's16le', sampleRate: 16_000, channels: 1 } }),
  },
  { name: 'Deepgram', path: '/v1/listen?encoding=linear16&sample_rate=16000', begin: undefined },
  { name: 'vosk', path: '/vosk', begin: new Uint8Array(320) },
  { name: 'sherpa', path: '/sherpa', begin: undefined },
] as const;

export interface Guarded {
  readonly gateway: Gateway;
  readonly keyring: Keyring;
  /** The key, as its holder has it. */
  readonly key: string;
  readonly keyId: string;
  readonly keyFile: string;
  /** What recognisers were opened with. */
  readonly configs: RecogniserConfig[];
  stop(): Promise<void>;
}

export async function guard(
  limits: KeyRecord['limits'] = {},
  options: Partial<GatewayOptions> = {},
): Promise<Guarded> {
  const folder = await mkdtemp(join(tmpdir(), 'lexigate-'));
  const keyFile = join(folder, 'keys.json');
  const key = createApiKey();
  const record = { id: key.id, hash: hashSecret(key.secret), created: '2026-01-01T00:00:00Z', limits };
  await writeKeyFile(keyFile, [record]);
  const keyring = await Keyring.open({ file: keyFile, tokens: new Tokens() });
  const configs: RecogniserConfig[] = [];
  const recognisers = {
    description: DESCRIPTION,
    open: async (config: RecogniserConfig) => {
      configs.push(config);
      return new FakeRecogniser();
    },
  };
  const environment = { recognisers, limits: DEFAULT_LIMITS };
  const tokens = { authenticator: keyring, maxSeconds: 600 };
  const gateway = await Gateway.start({
    endpoints: [nativeEndpoint, deepgramEndpoint, voskEndpoint, sherpaEndpoint].map((make) =>
      make(environment),
    ),
    maxPayload: 4 * DEFAULT_LIMITS.maxFrameBytes,
    host: '127.0.0.1',
    port: 0,
    authenticator: keyring,
    routes: [tokenRoute(tokens), tokenRoute(tokens, DEEPGRAM_GRANT)],
    ...options,
  });
  return {
    gateway,
    keyring,
    key: formatApiKey(key),
    keyId: key.id,
    keyFile,
    configs,
    stop: async () => {
      await gateway.stop({ graceMs: 0 });
      await rm(folder, { recursive: true });
    },
  };
}

export interface Attempt {
  /** HTTP status where the upgrade was refused, 101 where not. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly ws: WebSocket;
  readonly messages: string[];
  /** Close code. */
  readonly closed: Promise<number>;
}

export interface AttemptOptions {
  readonly protocols?: string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly ca?: string | Buffer;
}

/** Tries to connect; resolves also where that is refused. */
export function attempt(url: string, { protocols = [], ...options }: AttemptOptions = {}): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, protocols, options);
    const messages: string[] = [];
    let headers: IncomingHttpHeaders = {};
    ws.on('upgrade', (response) => {
      headers = response.headers;
    });
    ws.on('message', (data: Buffer) => messages.push(data.toString()));
    const closed = new Promise<number>((done) => ws.on('close', done));
    ws.on('open', () => resolve({ status: 101, headers, body: '', ws, messages, closed }));
    ws.on('error', reject);
    ws.on('unexpected-response', (_, response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        body += part;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, body, ws, messages, closed });
      });
    });
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An HTTP request to the gateway. */
export function ask(
  gateway: Gateway,
  path: string,
  { method = 'GET', headers = {}, body = '' }: { method?: string; headers?: object; body?: string } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ hostname, port, path, method, headers: { ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, body: text });
      });
    });
    asked.on('error', reject).end(body);
  });
}
