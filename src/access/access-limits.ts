import type { ErrorObject } from 'ajv';

/** What a key or a token allows. A token can but narrow what its key does, and neither goes beyond the gateway's own. */
export interface AccessLimits {
  /** Connections at a time. */
  readonly maxConnections?: number;
  /** Entries of a vocabulary. */
  readonly maxEntries?: number;
  /** Seconds that a session may last. */
  readonly maxSessionSeconds?: number;
}

const LIMIT = { type: 'integer', minimum: 1 } as const;

/** Of a JSON schema, in the key file and in the request for a token. */
export const ACCESS_LIMITS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: { maxConnections: LIMIT, maxEntries: LIMIT, maxSessionSeconds: LIMIT },
} as const;

/** The first fault that a validator found, as the begin of a sentence. */
export function firstFault(errors: readonly ErrorObject[] | null | undefined): string {
  const error = errors?.[0];
  if (error === undefined) return 'it is invalid';
  const surplus = (error.params as { readonly additionalProperty?: string }).additionalProperty;
  const place = error.instancePath === '' ? 'it' : error.instancePath.slice(1);
  return surplus === undefined
    ? `${place} ${error.message}`
    : `${place} has "${surplus}", which does not exist`;
}
