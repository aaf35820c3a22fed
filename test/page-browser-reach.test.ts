import * as assert from 'uvu/assert';
import {
  browserSuite,
  captionFile,
  hindrances,
  NAME,
  says,
  screenshot,
  textOf,
} from './page-browser-support.js';

const { test, run, stage } = browserSuite('caption page for everybody');

test('a word stays where it is while the words before it stay what they are, and no line grows shorter', async () => {
  const { page } = await stage().open({ viewport: { width: 360, height: 740 } });
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
  const { page } = await stage().open();
  await page.locator('#vocabulary').fill(NAME);
  await captionFile(page, 'after.wav');
  const explanation = page.locator('#explanation');
  const [first, second] = await page.locator('.listed:visible').all();
  await first!.hover();
  assert.match(
    await textOf(page, '#explanation'),
    /“Siobhan Kowalczyk”\. Confidence \d+\s%\. Spoken from \d\.\d\d\ss to .*\. Without the list: “[a-z ]+”\./,
  );
  await page.keyboard.press('Escape');
  await explanation.waitFor({ state: 'hidden' });
  await first!.focus();
  await page.keyboard.press('Tab');
  await explanation.waitFor();
  assert.is(await second!.getAttribute('aria-describedby'), 'explanation');
  await page.context().close();
});

test('screen readers are told what is decided, once', async () => {
  const { page } = await stage().open();
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

test('a gateway that is overloaded is told of, in whole seconds, and when it is over too', async () => {
  const { page } = await stage().open();
  const model = { name: 'fake', version: '1', latencies: [] };
  const ready = { type: 'ready', protocol: 'lexigate.v1', sessionId: 'x', latencyMs: 640, limits: {}, model };
  const partial = { type: 'partial', channel: 0, segment: 0, start: 0, end: 1, committed: '', words: [] };
  let say = (_: object): void => undefined;
  await page.routeWebSocket(/\/v1\/stream$/, (socket) => {
    say = (message) => socket.send(JSON.stringify(message));
    socket.onMessage((data) => {
      if (!`${data}`.startsWith('{"type":"start"')) return;
      say(ready);
      say({ ...partial, text: 'late', tail: 'late', lagMs: 2400 });
    });
  });
  await page.reload();
  await page.locator('#start').click();
  await says(page, 'status', /overloaded: captions are about 2 s late/);
  say({ ...partial, text: 'later', tail: 'later' });
  await says(page, 'status', /^Listening\.$/);
  await page.context().close();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`nothing serious hinders anybody in ${colorScheme} colours`, async () => {
    const { page } = await stage().open({ colorScheme });
    assert.equal(await hindrances(page), []);
    await page.locator('#vocabulary').fill(`${NAME}\nAda | twelve`);
    await captionFile(page, 'after.wav');
    await says(page, 'vocabulary-faults', /^Line 2/);
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
    const { page } = await stage().open({ viewport: { width, height } });
    await page.locator('#vocabulary').fill(NAME);
    await captionFile(page, 'after.wav');
    assert.is(await page.evaluate('document.documentElement.scrollWidth'), width);
    await screenshot(page, name);
    await page.context().close();
  }
});

test("what a browser's MediaRecorder writes is understood at Deepgram's address, as their examples send it", async () => {
  const { page } = await stage().open();
  const heard = await page.evaluate<string>(`(async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const ws = new WebSocket(new URL('v1/listen?model=nova-3', location.href.replace('http', 'ws')), ['token', 'any']);
    const texts = [];
    const recorder = new MediaRecorder(stream, { mimeType: 'audio/webm' });
    recorder.ondataavailable = ({ data }) => {
      if (data.size > 0 && ws.readyState === 1) ws.send(data);
    };
    ws.onopen = () => recorder.start(250);
    await new Promise((resolve) => {
      ws.onclose = ({ code, reason }) => resolve(texts.push(code + reason));
      ws.onmessage = ({ data }) => {
        const { is_final, channel } = JSON.parse(data);
        if (!is_final) return;
        texts.push(channel.alternatives[0].transcript);
        ws.send('{"type":"CloseStream"}');
      };
    });
    return texts.join(' / ');
  })()`);
  assert.match(heard, /could you put me through to .*1000$/);
  await page.context().close();
});

test('the keyboard passes the controls in the order in which they are read', async () => {
  const { page } = await stage().open();
  const order: string[] = [];
  for (let i = 0; i < 10; i++) {
    await page.keyboard.press('Tab');
    order.push(
      await page.evaluate<string>('document.activeElement.id || document.activeElement.textContent'),
    );
  }
  assert.equal(order, [
    'start',
    'file',
    'played',
    'apart',
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
  const { page } = await stage().open();
  await page.locator('#vocabulary').fill(NAME);
  await page.locator('#theme').selectOption('dark');
  await page.locator('#size').fill('4');
  await page.reload();
  assert.is(await page.locator('#vocabulary').inputValue(), NAME);
  assert.is(await page.locator('html').getAttribute('data-theme'), 'dark');
  assert.is(await page.locator('#size').inputValue(), '4');
  await page.context().close();
});

run();
