import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { EVERYBODY } from '../access/authenticator.js';
import { Keyring } from '../access/keyring.js';
import { isLoopback, Origins } from '../access/origins.js';
import { Tokens } from '../access/tokens.js';
import { DEEPGRAM_GRANT } from '../compat/deepgram-grant.js';
import type { Gateway, GatewayOptions, TlsFiles } from '../server/gateway.js';
import { tokenRoute } from '../server/token-route.js';
import type { ServeSettings } from './settings.js';

/** What a gateway is told of it. */
export type AccessOptions = Pick<
  GatewayOptions,
  'authenticator' | 'origins' | 'tls' | 'trustProxy' | 'routes'
>;

/** For a gateway that listens on 127.0.0.1. */
export const OPEN_TO_THIS_MACHINE: AccessOptions = {
  routes: [tokenRoute({ authenticator: EVERYBODY, maxSeconds: 1 })],
};

/** Who may come to a gateway, and how. */
export interface Access {
  readonly options: AccessOptions;
  /** What whoever starts the gateway should know. */
  readonly warnings: readonly string[];
  /** Looks after the files from now on: keys that go end their sessions. `tell` is told what happens. */
  watch(gateway: Gateway, tell: (what: string) => void): void;
  /** Reads the files anew. */
  reload(gateway: Gateway, tell: (what: string) => void): Promise<void>;
  close(): void;
}

/** @throws Error that says what to do, where the settings would let in anybody from anywhere without having said so */
export async function openAccess(settings: ServeSettings): Promise<Access> {
  const { host, keyFile, allowOrigin, trustProxy, insecurePublic, maxTokenSeconds } = settings;
  const exposed = !isLoopback(host) || trustProxy;
  const tls = await readTls(settings);
  const keyring =
    keyFile === undefined
      ? undefined
      : await Keyring.open({ file: keyFile, tokens: await openTokens(settings) });
  if (exposed && !insecurePublic) requireKeys(settings, keyring);
  const authenticator = keyring ?? EVERYBODY;
  const tokens = { authenticator, maxSeconds: maxTokenSeconds };
  const routes = [tokenRoute(tokens), tokenRoute(tokens, DEEPGRAM_GRANT)];
  const reload: Access['reload'] = async (gateway, tell) => {
    try {
      const renewed = await readTls(settings);
      if (renewed !== undefined) {
        gateway.renewTls(renewed);
        tell(`${settings.tlsCert}: read anew`);
      }
      if (keyring === undefined) return;
      const gone = await keyring.reload();
      gateway.revoke(gone);
      const revoked = gone.length > 0 ? `, no more: ${gone.join(', ')}` : '';
      tell(`${keyFile}: ${keyring.size} key${keyring.size === 1 ? '' : 's'}${revoked}`);
    } catch (thrown) {
      tell(`${textOf(thrown)} What was read before stays in force.`);
    }
  };
  const origins = new Origins({
    allowed: (allowOrigin ?? '').split(',').flatMap((origin) => origin.trim() || []),
    loopbackOnly: !exposed,
  });
  return {
    options: { authenticator, origins, tls, trustProxy, routes },
    warnings: warningsOf(settings, exposed),
    reload,
    watch: (gateway, tell) => keyring?.watch(() => void reload(gateway, tell)),
    close: () => keyring?.close(),
  };
}

function requireKeys({ host, keyFile, trustProxy }: ServeSettings, keyring: Keyring | undefined): void {
  if (keyring !== undefined && keyring.size > 0) return;
  const how = isLoopback(host) && trustProxy ? '--trust-proxy opens' : `--host ${host} opens`;
  const what = keyring === undefined ? 'there are no keys' : `${keyFile} holds no keys`;
  const file = keyFile ?? 'keys.json';
  throw new Error(
    `${how} the gateway to other machines, and ${what}: anybody could use it. ` +
      `Make a key with "lexigate keys add --key-file ${file}" and start with --key-file ${file}; ` +
      'or leave the host at 127.0.0.1; or say --insecure-public, and everybody may come.',
  );
}

function warningsOf(
  { keyFile, tlsCert, trustProxy, insecurePublic }: ServeSettings,
  exposed: boolean,
): string[] {
  if (!exposed) return [];
  const open = insecurePublic && keyFile === undefined;
  return [
    ...(open ? ['everybody who can reach this port may use it (--insecure-public)'] : []),
    ...(tlsCert === undefined && !trustProxy
      ? [
          'keys and speech are not encrypted; give --tls-cert and --tls-key, or put a proxy that ends TLS in front',
        ]
      : []),
  ];
}

async function openTokens({ tokenSecretFile }: ServeSettings): Promise<Tokens> {
  if (tokenSecretFile === undefined) return new Tokens();
  const secret = await read(tokenSecretFile, 'token secret');
  try {
    return new Tokens({ secret });
  } catch (thrown) {
    throw new Error(`${tokenSecretFile}: ${textOf(thrown)}`, { cause: thrown });
  }
}

async function readTls({ tlsCert, tlsKey }: ServeSettings): Promise<TlsFiles | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new Error(
      'A certificate needs its key and a key its certificate; give both --tls-cert and --tls-key.',
    );
  }
  const [cert, key] = await Promise.all([read(tlsCert, 'certificate'), read(tlsKey, 'private key')]);
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new Error(
      `The certificate ${tlsCert} and the key ${tlsKey} are no pair of PEM files: ${textOf(cause)}.`,
      {
        cause,
      },
    );
  }
  return { cert, key };
}

async function read(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new Error(`The ${what} ${path} cannot be read: ${textOf(cause)}.`, { cause });
  }
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
