import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  captionFile,
  hindrances,
  missing,
  Stage,
  sample,
  says,
  screenshot,
  textOf,
} from './page-browser-support.js';
import { parseSubtitles } from './subtitle-parser.js';

const browser = suite('caption page in Chromium');
if (missing !== '') console.log(`Skipped, since ${missing}: the caption page in Chromium.`);
const test = missing === '' ? browser : browser.skip;

const NAME = 'Siobhan Kowalczyk';
const SENTENCE = new RegExp(`thank you please tell ${NAME} that the meeting starts at noon`);

let stage: Stage;

if (missing === '') {
  browser.before(async () => {
    stage = await Stage.set();
  });
  browser.after(() => stage.strike());
}

async function download(from: Page, format: string): Promise<string> {
  const [file] = await Promise.all([
    from.waitForEvent('download'),
    from.locator(`#download-${format}`).click(),
  ]);
  assert.is(file.suggestedFilename(), `captions.${format}`);
  return readFile(await file.path(), 'utf8');
}

test('what is spoken appears, and a name that is added meanwhile is written right from then on', async () => {
  const { page, complaints } = await stage.open();
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
  const { page, complaints } = await stage.open();
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
  const { page } = await stage.open();
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

test('a file can be played aloud and is captioned as it sounds', async () => {
  const { page } = await stage.open();
  await page.locator('#played').check();
  await captionFile(page, 'after.wav');
  assert.match(await textOf(page, '.line'), /meeting starts at noon/);
  await page.context().close();
});

test('a word stays where it is while the words before it stay what they are, and no line grows shorter', async () => {
  const { page } = await stage.open({ viewport: { width: 360, height: 740 } });
  await page.evaluate(`
    globalThis.moves = [];
    globalThis.places = new Map();
    const heights = new Map();
    new MutationObserver(() => {
      for (const line of document.querySelectorAll('.line')) {
        if (line.offsetHeight < (heights.get(line) ?? 0)) moves.push('a line');
        heights.set(line, line.offsetHeight);
        let text = '';
        for (const word of line.children) {
          text += ' ' + word.textContent;
          const place = word.offsetLeft + '/' + (word.offsetTop - line.offsetTop);
          if ((places.get(text) ?? place) !== place) moves.push(text);
          places.set(text, place);
        }
      }
    }).observe(document.querySelector('#captions'), { subtree: true, childList: true, attributes: true });
  `);
  await page.locator('#vocabulary').fill(NAME);
  await captionFile(page, 'after.wav');
  assert.ok((await page.evaluate<number>('places.size')) > 12, 'nothing changed');
  assert.equal(await page.evaluate('moves'), []);
  await page.context().close();
});

test('a word of the list explains itself to the pointer and to the keyboard, until Escape', async () => {
  const { page } = await stage.open();
  await page.locator('#vocabulary').fill(NAME);
  await captionFile(page, 'after.wav');
  const explanation = page.locator('#explanation');
  const [first, second] = await page.locator('.listed:visible').all();
  await first!.hover();
  assert.match(
    await textOf(page, '#explanation'),
    /“Siobhan Kowalczyk”\. Confidence \d+\s%\. Spoken from \d\.\d\d\ss to/,
  );
  await page.keyboard.press('Escape');
  await explanation.waitFor({ state: 'hidden' });
  await first!.focus();
  await page.keyboard.press('Tab');
  await explanation.waitFor();
  assert.is(await second!.getAttribute('aria-describedby'), 'explanation');
  await page.context().close();
});

test('an entry that cannot be used is told with the reason, a line that is none with its number', async () => {
  const { page } = await stage.open();
  await page.locator('#vocabulary').fill(`${NAME}\n中村\nAda | twelve`);
  await captionFile(page, 'after.wav');
  await says(page, 'vocabulary-changes', /Version 1: 1 entry.*Not used: “中村”: .*alphabet/s);
  await says(page, 'vocabulary-faults', /^Line 3: the weight is “twelve”/);
  assert.is(await page.locator('#vocabulary').getAttribute('aria-invalid'), 'true');
  await page.context().close();
});

test('when the gateway ends a session the page says why, and the next one is a click away', async () => {
  const { page } = await stage.open();
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

test('screen readers are told what is decided, once', async () => {
  const { page } = await stage.open();
  await page.evaluate(`
    globalThis.told = [];
    const live = document.querySelector('[aria-live]');
    new MutationObserver(() => told.push(live.textContent)).observe(live, { childList: true, subtree: true });
  `);
  await captionFile(page, 'after.wav');
  const line = await textOf(page, '.line');
  assert.equal(await page.evaluate('told'), [line.trim()]);
  await page.context().close();
});

test('a projector shows the captions of the page, also one that is opened later', async () => {
  const { page } = await stage.open();
  await captionFile(page, 'before.wav');
  const projector = await page.context().newPage();
  await projector.goto(`${stage.url}projector?background=navy`);
  await says(projector, 'captions', /could you put me through/);
  await captionFile(page, 'after.wav');
  await says(projector, 'captions', /meeting starts at noon/);
  await screenshot(projector, 'projector');
  await page.locator('#clear').click();
  await projector.locator('.line').first().waitFor({ state: 'detached' });
  await page.context().close();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`nothing serious hinders anybody in ${colorScheme} colours`, async () => {
    const { page } = await stage.open({ colorScheme });
    assert.equal(await hindrances(page), []);
    await page.locator('#vocabulary').fill(`${NAME}\nAda | twelve`);
    await captionFile(page, 'after.wav');
    assert.equal(await hindrances(page), []);
    await page.locator('.listed:visible').first().hover();
    await screenshot(page, colorScheme);
    await page.context().close();
  });
}

test('at 360 pixels, and at twice the size, nothing stands beside the window', async () => {
  for (const [name, width, height] of [
    ['narrow', 360, 740],
    ['zoomed', 640, 400],
  ] as const) {
    const { page } = await stage.open({ viewport: { width, height } });
    await page.locator('#vocabulary').fill(NAME);
    await captionFile(page, 'after.wav');
    assert.is(await page.evaluate('document.documentElement.scrollWidth'), width);
    await screenshot(page, name);
    await page.context().close();
  }
});

test('the keyboard passes the controls in the order in which they are read', async () => {
  const { page } = await stage.open();
  const order: string[] = [];
  for (let i = 0; i < 9; i++) {
    await page.keyboard.press('Tab');
    order.push(
      await page.evaluate<string>('document.activeElement.id || document.activeElement.textContent'),
    );
  }
  assert.equal(order, [
    'start',
    'file',
    'played',
    'captions',
    'clear',
    'Projector',
    'size',
    'theme',
    'vocabulary',
  ]);
  await page.context().close();
});

test('list, colours and size of letters are there again after a reload', async () => {
  const { page } = await stage.open();
  await page.locator('#vocabulary').fill(NAME);
  await page.locator('#theme').selectOption('dark');
  await page.locator('#size').fill('4');
  await page.reload();
  assert.is(await page.locator('#vocabulary').inputValue(), NAME);
  assert.is(await page.locator('html').getAttribute('data-theme'), 'dark');
  assert.is(await page.locator('#size').inputValue(), '4');
  await page.context().close();
});

browser.run();
