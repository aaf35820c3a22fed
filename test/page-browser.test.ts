import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { packageRoot } from '../src/util/package-root.js';
import {
  browserSuite,
  captionFile,
  hindrances,
  NAME,
  sample,
  says,
  screenshot,
  textOf,
} from './page-browser-support.js';
import { parseSubtitles } from './subtitle-parser.js';

const { test, run, stage } = browserSuite('caption page in Chromium');

/** Both samples side by side, as Ogg Opus. */
const BOTH = join(packageRoot(), 'test', 'fixtures', 'opus', 'both.ogg');

const SENTENCE = new RegExp(`thank you please tell ${NAME} that the meeting starts at noon`);

async function download(from: Page, format: string): Promise<string> {
  const [file] = await Promise.all([
    from.waitForEvent('download'),
    from.locator(`#download-${format}`).click(),
  ]);
  assert.is(file.suggestedFilename(), `captions.${format}`);
  return readFile(await file.path(), 'utf8');
}

test('what is spoken appears, and a name that is added meanwhile is written right from then on', async () => {
  const { page, complaints } = await stage().open();
  await page.locator('#start').click();
  await page.locator('.line .tentative').first().waitFor();
  await page.locator('#vocabulary').fill(NAME);
  const state = await says(page, 'vocabulary-state', /^In force/);
  assert.match(state, /^In force from \d+\.\d\d s: version 1, 1 entry, built in [\d.]+ ms\.$/);
  await says(page, 'captions', SENTENCE);
  assert.match(await textOf(page, '#latency'), /^\d+ ms$/);
  await page.locator('#start').click();
  await says(page, 'status', /^Stopped\. \d+ words/);
  assert.match(await textOf(page, '#captions'), /could you put me through to/);
  assert.is(await page.locator('.tentative:visible').count(), 0);
  // the first sentence has the name too where the list was sent fast enough
  const listed = page.locator('.line').last().locator('.listed');
  assert.equal(await listed.allTextContents(), NAME.split(' '));
  assert.equal(complaints, []);
  await page.context().close();
});

test('files that are chosen are captioned, and taken away as one timeline in every format', async () => {
  const { page, complaints } = await stage().open();
  await page.locator('#vocabulary').fill(NAME);
  assert.ok(await page.locator('#download-srt').isDisabled());
  await captionFile(page, 'before.wav');
  const first = Number(/in ([\d.]+) s/.exec(await textOf(page, '#status'))![1]);
  await captionFile(page, 'after.wav');
  assert.match(await download(page, 'txt'), SENTENCE);
  for (const type of ['srt', 'vtt'] as const) {
    const cues = await parseSubtitles(await download(page, type), type);
    assert.match(cues.map(({ text }) => text.replace('\n', ' ')).join(' '), SENTENCE);
    assert.match(cues[0]!.text, /^could/);
    const second = cues.find(({ text }) => text.startsWith('thank you'))!;
    assert.ok(second.startTime > first && second.startTime < first + 1, `${second.startTime}`);
  }
  assert.equal(complaints, []);
  await page.context().close();
});

test('a file that is dropped is captioned, one that holds no audio is told', async () => {
  const { page } = await stage().open();
  const drop = async (name: string): Promise<void> => {
    const bytes = (await readFile(name)).toString('base64');
    const dataTransfer = await page.evaluateHandle(`(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob('${bytes}'), (c) => c.charCodeAt(0))], 'dropped'));
      return transfer;
    })()`);
    await page.dispatchEvent('body', 'drop', { dataTransfer });
  };
  await drop(sample('README.md'));
  await says(page, 'status', /cannot read this file as audio/);
  await drop(sample('after.wav'));
  await says(page, 'status', /^Stopped/);
  assert.match(await textOf(page, '.line'), /meeting starts at noon/);
  await page.context().close();
});

for (const way of ['read', 'played'] as const) {
  test(`left and right of a file that is ${way} are two speakers, on the page, the projector and in what is taken away`, async () => {
    const { page, complaints } = await stage().open();
    await page.locator('#apart').check();
    await page.locator('#played').setChecked(way === 'played');
    const projector = await page.context().newPage();
    await projector.goto(`${stage().url}projector`);
    await page.locator('#file').setInputFiles(BOTH);
    await says(page, 'status', /^Stopped/);
    for (const each of [page, projector]) {
      await says(each, 'captions', /Speaker 1\s+could you put me through to/);
      await says(each, 'captions', /Speaker 2\s+thank you please tell .* that the meeting starts at noon/);
    }
    assert.match(await download(page, 'txt'), /^Speaker 1: could you .*^Speaker 2: thank you/ms);
    const cues = await parseSubtitles(await download(page, 'srt'), 'srt');
    assert.ok(cues.every(({ text }) => /^Speaker [12]: /.test(text)));
    await screenshot(page, `two-speakers-${way}`);
    assert.equal(await hindrances(page), []);
    assert.equal(complaints, []);
    await page.context().close();
  });
}

test('a file of one channel has one speaker, whatever is ticked', async () => {
  const { page } = await stage().open();
  await page.locator('#apart').check();
  await captionFile(page, 'after.wav');
  assert.is(await page.locator('.speaker').count(), 0);
  await page.context().close();
});

test('a file can be played aloud and is captioned as it sounds', async () => {
  const { page } = await stage().open();
  await page.locator('#played').check();
  await captionFile(page, 'after.wav');
  assert.match(await textOf(page, '.line'), /meeting starts at noon/);
  await page.context().close();
});

test('an entry that cannot be used is told with the reason, a line that is none with its number', async () => {
  const { page } = await stage().open();
  await page.locator('#vocabulary').fill(`${NAME}\n中村\nAda | twelve`);
  await captionFile(page, 'after.wav');
  await says(page, 'vocabulary-changes', /Version 1: 1 entry.*Not used: “中村”: .*alphabet/s);
  await says(page, 'vocabulary-faults', /^Line 3: the weight is “twelve”/);
  assert.is(await page.locator('#vocabulary').getAttribute('aria-invalid'), 'true');
  await page.context().close();
});

test('when the gateway ends a session the page says why, and the next one is a click away', async () => {
  const { page } = await stage().open();
  let ended = false;
  await page.routeWebSocket(/stream/, (socket) => {
    const gateway = socket.connectToServer();
    socket.onMessage((message) => {
      if (ended || typeof message === 'string') gateway.send(message);
      else {
        ended = true;
        socket.send(
          JSON.stringify({
            type: 'error',
            code: 'session_too_long',
            message: 'The time is over.',
            fatal: true,
          }),
        );
        void socket.close({ code: 4410 });
      }
    });
  });
  await page.reload();
  await page.locator('#start').click();
  await says(page, 'status', /^The time is over\.$/);
  assert.is(await textOf(page, '#start'), 'Start microphone');
  await captionFile(page, 'after.wav');
  await page.context().close();
});

test('a change that is made while a session is still being opened is not lost', async () => {
  const { page } = await stage().open();
  const held: (() => void)[] = [];
  let hold = true;
  await page.routeWebSocket(/stream/, (socket) => {
    socket.connectToServer().onMessage((message) => {
      if (hold) held.push(() => socket.send(message));
      else socket.send(message);
    });
  });
  await page.reload();
  await page.locator('#start').click();
  await says(page, 'status', /^Connecting/);
  await page.locator('#vocabulary').fill('Ada Lovelace');
  await says(page, 'vocabulary-state', /^1 entry, to be used/);
  hold = false;
  for (const release of held) release();
  await says(page, 'vocabulary-state', /^In force from .*: version 1, 1 entry/);
  await page.locator('#start').click();
  await says(page, 'status', /^Stopped/);
  await page.context().close();
});

test('a projector shows the captions of the page, also one that is opened later', async () => {
  const { page } = await stage().open();
  await captionFile(page, 'before.wav');
  const projector = await page.context().newPage();
  await projector.goto(`${stage().url}projector?background=navy`);
  await says(projector, 'captions', /could you put me through/);
  assert.is(await projector.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(0, 0, 128)');
  await captionFile(page, 'after.wav');
  await says(projector, 'captions', /meeting starts at noon/);
  await screenshot(projector, 'projector');
  await page.locator('#clear').click();
  await projector.locator('.line').first().waitFor({ state: 'detached' });
  await page.context().close();
});

run();
