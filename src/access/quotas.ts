import type { Principal } from './authenticator.js';

export interface QuotasOptions {
  /** Connections in all. */
  readonly maxConnections: number;
  /** Of a key whose record says nothing else. */
  readonly maxConnectionsPerKey: number;
}

/** Why someone cannot come in now, though they may. */
export interface Full {
  readonly status: 429 | 503;
  readonly message: string;
}

/** Counts connections, in all, per key and per token. Who enters leaves once. */
export class Quotas {
  readonly #options: QuotasOptions;
  readonly #held = new Map<string, number>();
  #all = 0;

  constructor(options: QuotasOptions) {
    this.#options = options;
  }

  /** Connections that have entered. */
  get connections(): number {
    return this.#all;
  }

  get full(): boolean {
    return this.#all >= this.#options.maxConnections;
  }

  /** @returns what gives the place back, or why there is none */
  enter({ keyId, tokenId, keyLimits, tokenLimits }: Principal): (() => void) | Full {
    const { maxConnections, maxConnectionsPerKey } = this.#options;
    if (this.full) {
      return {
        status: 503,
        message: `The server is full: it holds ${maxConnections} connections; try again later.`,
      };
    }
    const counts: (readonly [what: 'key' | 'token', name: string, most: number])[] = [];
    if (keyId !== undefined) {
      counts.push(['key', `key ${keyId}`, keyLimits.maxConnections ?? maxConnectionsPerKey]);
    }
    if (tokenId !== undefined && tokenLimits.maxConnections !== undefined) {
      counts.push(['token', `token ${tokenId}`, tokenLimits.maxConnections]);
    }
    for (const [what, name, most] of counts) {
      if (this.#count(name) >= most) {
        const message = `The ${what} has ${most} connections open, the most that it may; close one or try again later.`;
        return { status: 429, message };
      }
    }
    this.#all++;
    for (const [, name] of counts) this.#held.set(name, this.#count(name) + 1);
    return () => {
      this.#all--;
      for (const [, name] of counts) {
        const left = this.#count(name) - 1;
        if (left > 0) this.#held.set(name, left);
        else this.#held.delete(name);
      }
    };
  }

  #count(name: string): number {
    return this.#held.get(name) ?? 0;
  }
}
