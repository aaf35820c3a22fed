export interface OriginsOptions {
  /** Origins whose pages may connect besides those of the gateway itself, such as `https://app.example`; `*` is any. */
  readonly allowed: readonly string[];
  /**
   * The gateway can only be asked for by a name of this machine. A page elsewhere whose name was made to point here (DNS
   * rebinding) shows by its name.
   */
  readonly loopbackOnly: boolean;
}

/**
 * Which web pages may connect: a browser lets any page open a WebSocket to anywhere, this machine included, and only says
 * which page it is. Clients that are no browsers say nothing and are not held up.
 */
export class Origins {
  readonly #allowed: ReadonlySet<string>;
  readonly #loopbackOnly: boolean;

  /** @throws Error for what is no origin */
  constructor({ allowed, loopbackOnly }: OriginsOptions) {
    this.#allowed = new Set(allowed.map(normalise));
    this.#loopbackOnly = loopbackOnly;
  }

  /** @param host what the client calls the gateway: name and port */
  allow(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined || this.#allowed.has('*') || this.#allowed.has(origin)) return true;
    const page = parse(origin);
    const own = page && parse(`${page.protocol}//${host}`);
    if (page === undefined || own === undefined || page.host !== own.host) return false;
    return !this.#loopbackOnly || isLoopback(page.hostname);
  }
}

function normalise(text: string): string {
  // what sandboxed pages and files say
  if (text === '*' || text === 'null') return text;
  const url = parse(text);
  if (url === undefined || `${url.protocol}//${url.host}` !== text.toLowerCase().replace(/\/$/, '')) {
    throw new Error(`"${text}" is no origin; give scheme and host, as in https://app.example.`);
  }
  return `${url.protocol}//${url.host}`;
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Names and addresses by which only this machine can be reached. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}
