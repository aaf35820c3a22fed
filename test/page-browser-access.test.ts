import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { createApiKey, formatApiKey, hashSecret } from '../src/access/api-key.js';
import { writeKeyFile } from '../src/access/key-file.js';
import { Keyring } from '../src/access/keyring.js';
import { Tokens } from '../src/access/tokens.js';
import { tokenRoute } from '../src/server/token-route.js';
import { browserSuite, captionFile, hindrances, says, screenshot, textOf } from './page-browser-support.js';

const key = createApiKey();
let keyring: Keyring;

const { test, run, stage } = browserSuite('caption page of a gateway with keys', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lexigate-'));
  const file = join(folder, 'keys.json');
  await writeKeyFile(file, [{ id: key.id, hash: hashSecret(key.secret), created: '2026-01-01T00:00:00Z' }]);
  keyring = await Keyring.open({ file, tokens: new Tokens() });
  await rm(folder, { recursive: true });
  return { authenticator: keyring, routes: [tokenRoute({ authenticator: keyring, maxSeconds: 60 })] };
});

test('a token in the address is used, and stands there no more', async () => {
  const token = await keyring.issue(key.id, 60, {});
  const { page, complaints } = await stage().open({}, `?x=1#token=${token}`);
  assert.is(await page.evaluate('location.search + location.hash'), '?x=1');
  await captionFile(page, 'after.wav');
  assert.match(await textOf(page, '#captions'), /noon/);
  await page.reload();
  await captionFile(page, 'after.wav');
  assert.equal(complaints, []);
  await page.context().close();
});

test('without one the page asks, says what is wrong with an answer, and goes on with a right one', async () => {
  const { page } = await stage().open();
  const dialog = page.locator('#access');
  await dialog.waitFor();
  assert.is(await textOf(page, '#access-fault'), '');
  assert.equal(await hindrances(page), []);
  await screenshot(page, 'access');
  await page.locator('#access-token').fill('lxg_wrong');
  await page.keyboard.press('Enter');
  await says(page, 'access-fault', /not known here/);
  await page.locator('#access-token').fill(formatApiKey(key));
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  await captionFile(page, 'after.wav');
  assert.match(await textOf(page, '#captions'), /noon/);
  await page.context().close();
});

test('who cancels is told why nothing is heard, and asked again at the next start', async () => {
  const { page } = await stage().open();
  const dialog = page.locator('#access');
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#start').click();
  await dialog.waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await says(page, 'status', /asks for a key or token/);
  await page.context().close();
});

run();
