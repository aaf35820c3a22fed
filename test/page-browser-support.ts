/** The caption page in a real browser, before a real gateway. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import nodeWav from 'node-wav';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { suite, type Test } from 'uvu';
import { readWav } from '../src/audio/wav.js';
import type { AccessOptions } from '../src/cli/access.js';
import { type Service, startService } from '../src/cli/compose.js';
import { addSettings, readSettings } from '../src/cli/settings.js';
import { packageRoot } from '../src/util/package-root.js';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** What the second sentence of the samples holds that no model knows. */
export const NAME = 'Siobhan Kowalczyk';

export const sample = (name: string): string => join(packageRoot(), 'samples', name);

/** Where a look at the page is left. */
const SCREENSHOTS = join(packageRoot(), 'build', 'screenshots');

export interface BrowserSuite {
  readonly test: Test['skip'];
  readonly stage: () => Stage;
  readonly run: () => void;
}

/**
 * Tests on a stage of their own; where no browser can be had they say so and are skipped.
 * @param access who may come; by default everybody
 */
export function browserSuite(name: string, access?: () => Promise<AccessOptions>): BrowserSuite {
  const tests = suite(name);
  let stage: Stage | undefined;
  const present = existsSync(CHROMIUM);
  if (present) {
    tests.before(async () => {
      stage = await Stage.set(await access?.());
    });
    tests.after(() => stage?.strike());
  } else console.log(`Skipped, since there is no ${CHROMIUM}: the ${name}.`);
  return { test: present ? tests : tests.skip, stage: () => stage!, run: () => tests.run() };
}

/** Gateway and browser, whose microphone hears the two samples and then silence. */
export class Stage {
  readonly url: string;
  readonly #service: Service;
  readonly #browser: Browser;
  readonly #folder: string;

  private constructor(service: Service, browser: Browser, folder: string) {
    this.#service = service;
    this.#browser = browser;
    this.#folder = folder;
    this.url = service.url.replace('ws:', 'http:').replace('/v1/stream', '/');
  }

  static async set(access?: AccessOptions): Promise<Stage> {
    const command = addSettings(new Command()).parse(['--port', '0', '--workers', '1'], { from: 'user' });
    const service = await startService(readSettings(command), access);
    const folder = await mkdtemp(join(tmpdir(), 'lexigate-'));
    const microphone = join(folder, 'microphone.wav');
    await writeFile(microphone, await conversation());
    const args = [
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${microphone}%noloop`,
    ];
    const browser = await chromium.launch({ executablePath: CHROMIUM, args });
    await mkdir(SCREENSHOTS, { recursive: true });
    return new Stage(service, browser, folder);
  }

  /** A page in a fresh profile; `complaints` gathers what the browser finds wrong with it. */
  async open(
    options: BrowserContextOptions = {},
    fragment = '',
  ): Promise<{ page: Page; complaints: string[] }> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(this.url + fragment);
    return { page, complaints };
  }

  async strike(): Promise<void> {
    await this.#browser.close();
    await this.#service.stop({ graceMs: 0 });
    await rm(this.#folder, { recursive: true });
  }
}

/** Both sentences, each with a pause behind it. */
async function conversation(): Promise<Uint8Array> {
  const parts = await Promise.all(
    ['before.wav', 'after.wav'].map(async (name) => readWav(await readFile(sample(name)))),
  );
  const { sampleRate } = parts[0]!;
  const pause = new Array<number>(2 * sampleRate).fill(0);
  const samples = parts.flatMap(({ channels }) => [...channels[0]!, ...pause]);
  return nodeWav.encode([Float32Array.from(samples)], { sampleRate, float: false, bitDepth: 16 });
}

export async function screenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

/** Waits for what the page says of itself, and gives it. */
export async function says(page: Page, id: string, pattern: RegExp): Promise<string> {
  await page.locator(`#${id}`).filter({ hasText: pattern }).waitFor({ state: 'attached' });
  return textOf(page, `#${id}`);
}

export async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).textContent()) ?? '';
}

/** Captions of a file; resolves once all of them stand. */
export async function captionFile(page: Page, name: string): Promise<void> {
  await page.locator('#file').setInputFiles(sample(name));
  await says(page, 'status', /^Stopped/);
}

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What axe holds to be a serious hindrance or worse. */
export async function hindrances(page: Page): Promise<string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // evaluated by the debugger, which the page's policy does not bind
  await page.evaluate(`${axe};undefined`);
  const violations = await page.evaluate<Violation[]>('axe.run().then(({ violations }) => violations)');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
