import { byId } from './dom.js';

/** Where the credential is kept until the tab is closed. */
const KEPT_AS = 'lexigate-credential';

/**
 * The key or token with which this page connects, where the gateway asks for one: from the address (`#token=…`, which
 * browsers send to nobody), from earlier in this tab, or typed in.
 */
export class Credential {
  readonly #dialog = byId('access', HTMLDialogElement);
  readonly #input = byId('access-token', HTMLInputElement);
  readonly #fault = byId('access-fault', HTMLElement);
  #value: string | undefined;
  /** At most one question at a time is put to the user. */
  #asking: Promise<string | undefined> | undefined;

  constructor() {
    const given = new URLSearchParams(location.hash.slice(1)).get('token');
    // not to be seen by who looks over the shoulder, nor kept in the history
    if (given !== null) history.replaceState(null, '', location.pathname + location.search);
    this.#value = given ?? recallInTab();
    if (given !== null) rememberInTab(given);
  }

  /** What to connect with; asks the user where the gateway takes neither nothing nor what there is. */
  async obtain(): Promise<string | undefined> {
    for (;;) {
      const fault = await faultOf(this.#value);
      if (fault === undefined) return this.#value;
      this.#asking ??= this.#ask(this.#value === undefined ? '' : fault);
      this.#value = await this.#asking;
      this.#asking = undefined;
      if (this.#value === undefined) throw new Error('This gateway asks for a key or token.');
      rememberInTab(this.#value);
    }
  }

  #ask(fault: string): Promise<string | undefined> {
    this.#fault.textContent = fault;
    this.#input.value = '';
    this.#dialog.showModal();
    return new Promise((resolve) => {
      this.#dialog.addEventListener(
        'close',
        () => {
          const value = this.#input.value.trim();
          this.#input.value = '';
          resolve(this.#dialog.returnValue === 'use' && value !== '' ? value : undefined);
        },
        { once: true },
      );
    });
  }
}

/** What the gateway has against a credential; nothing where it cannot be asked, since connecting tells then. */
async function faultOf(credential: string | undefined): Promise<string | undefined> {
  try {
    const headers = credential === undefined ? {} : { Authorization: `Bearer ${credential}` };
    const response = await fetch(new URL('v1/token', location.href), { headers });
    return response.status === 401 ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

function recallInTab(): string | undefined {
  try {
    return sessionStorage.getItem(KEPT_AS) ?? undefined;
  } catch {
    return undefined;
  }
}

function rememberInTab(value: string): void {
  try {
    sessionStorage.setItem(KEPT_AS, value);
  } catch {
    // forbidden: then it is asked for again when the page is loaded again
  }
}
