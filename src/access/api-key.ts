import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** `lxg_ID_SECRET`: the id finds the key in the file, the secret proves it. What it is made of may stand in a subprotocol. */
const FORM = /^lxg_([a-z0-9]{8})_([A-Za-z0-9_-]{43})$/;

export interface ApiKey {
  readonly id: string;
  readonly secret: string;
}

/** A new key. */
export function createApiKey(): ApiKey {
  // 8 of 36 characters are few enough to read out, and two keys of one file have the same with a chance of 1 in 10^12
  const id = Array.from(randomBytes(8), (byte) => (byte % 36).toString(36)).join('');
  return { id, secret: randomBytes(32).toString('base64url') };
}

/** A key as its holder is given it. */
export function formatApiKey({ id, secret }: ApiKey): string {
  return `lxg_${id}_${secret}`;
}

/** Undefined where the text is no key, but a token perhaps. */
export function parseApiKey(text: string): ApiKey | undefined {
  const [, id, secret] = FORM.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/**
 * What is kept of a secret. One round of SHA-256 is enough for 256 random bits, which nobody can guess through; a slow
 * hash, made for passwords, would let anyone who sends wrong keys keep the gateway busy.
 */
export function hashSecret(secret: string): string {
  return `sha256:${createHash('sha256').update(secret).digest('hex')}`;
}

/** Takes the same time wherever the two differ. */
export function secretMatches(secret: string, hash: string): boolean {
  const [given, kept] = [Buffer.from(hashSecret(secret)), Buffer.from(hash)];
  return given.length === kept.length && timingSafeEqual(given, kept);
}
