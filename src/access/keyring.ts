import { unwatchFile, watchFile } from 'node:fs';
import type { Refusal } from '../session/endpoint.js';
import type { AccessLimits } from './access-limits.js';
import { hashSecret, parseApiKey, secretMatches } from './api-key.js';
import type { Authenticator, Principal } from './authenticator.js';
import { type KeyRecord, readKeyFile } from './key-file.js';
import type { Tokens } from './tokens.js';

/** How often the key file is looked at. */
const WATCH_MS = 2000;

/** Compared with where there is no such key, so that how long the answer takes does not tell whether there is. */
const NOBODY = hashSecret('');

export interface KeyringOptions {
  readonly file: string;
  readonly tokens: Tokens;
}

/** The keys of a file, and the tokens that were made with them. */
export class Keyring implements Authenticator {
  readonly #options: KeyringOptions;
  #keys: ReadonlyMap<string, KeyRecord>;
  #stopWatching = (): void => undefined;

  private constructor(options: KeyringOptions, keys: readonly KeyRecord[]) {
    this.#options = options;
    this.#keys = byId(keys);
  }

  static async open(options: KeyringOptions): Promise<Keyring> {
    return new Keyring(options, await readKeyFile(options.file));
  }

  /** Number of keys. */
  get size(): number {
    return this.#keys.size;
  }

  async authenticate(credential: string | undefined): Promise<Principal | Refusal> {
    if (credential === undefined) {
      return unauthorized('A key or token is needed; send "Authorization: Bearer KEY".');
    }
    const key = parseApiKey(credential);
    if (key !== undefined) {
      const record = this.#keys.get(key.id);
      const matches = secretMatches(key.secret, record?.hash ?? NOBODY);
      if (record === undefined || !matches) return unauthorized('The key is not known here.');
      return { keyId: record.id, keyLimits: record.limits ?? {}, tokenLimits: {} };
    }
    const claims = await this.#options.tokens.verify(credential);
    if (claims === 'expired') return unauthorized('The token has expired; ask for another.');
    const record = claims && this.#keys.get(claims.keyId);
    if (claims === undefined || record === undefined) {
      return unauthorized('The token is not known here; ask for another.');
    }
    const { keyId, tokenId, limits, expiresInSeconds } = claims;
    return { keyId, tokenId, keyLimits: record.limits ?? {}, tokenLimits: limits, expiresInSeconds };
  }

  issue(keyId: string, seconds: number, limits: AccessLimits): Promise<string> {
    return this.#options.tokens.issue(keyId, seconds, limits);
  }

  /**
   * Reads the file anew; where it cannot be read, the keys stay.
   * @returns ids of the keys that are no more
   * @throws Error that says what is wrong with the file
   */
  async reload(): Promise<readonly string[]> {
    const before = this.#keys;
    const keys = byId(await readKeyFile(this.#options.file));
    this.#keys = keys;
    return [...before].filter(([id, { hash }]) => keys.get(id)?.hash !== hash).map(([id]) => id);
  }

  /** Tells when the file has changed, until closed. */
  watch(changed: () => void, { intervalMs = WATCH_MS }: { intervalMs?: number } = {}): void {
    const { file } = this.#options;
    // asks for the file's times: unlike events of the file system this also sees a file put in the place of another
    const listener = (): void => changed();
    watchFile(file, { interval: intervalMs, persistent: false }, listener);
    this.#stopWatching = () => unwatchFile(file, listener);
  }

  close(): void {
    this.#stopWatching();
  }
}

function byId(keys: readonly KeyRecord[]): ReadonlyMap<string, KeyRecord> {
  return new Map(keys.map((record) => [record.id, record]));
}

function unauthorized(message: string): Refusal {
  return { accept: false, status: 401, message, headers: { 'WWW-Authenticate': 'Bearer realm="lexigate"' } };
}
