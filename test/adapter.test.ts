import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BiasQueue } from '../src/adapter/bias-queue.js';
import { Catalogue } from '../src/adapter/catalogue.js';
import { EmbeddedLists, embeddedList } from '../src/adapter/embedded-lists.js';
import type { Embedding, Layers } from '../src/adapter/runtime.js';
import { SubwordTokeniser } from '../src/adapter/subwords.js';
import { packageRoot } from '../src/util/package-root.js';
import { FakeAdapter } from './adapter-support.js';

const entry = (text: string, ...phones: number[]) => ({ text, phones });

const subwords = suite('subwords of entries');

const table = JSON.parse(readFileSync(join(packageRoot(), 'models', 'en-base', 'subwords.json'), 'utf8')) as {
  pieces: string[];
  scores: number[];
};

/** As SentencePiece 0.2 divides them with the same table. */
const DIVIDED: readonly (readonly [string, readonly number[]])[] = [
  ["siobhan o'connor", [45, 9, 12, 41, 32, 35, 96, 29, 17, 80, 8, 62]],
  ['metoolol', [73, 2, 12, 12, 111, 39]],
  ['kaletka street', [157, 40, 5, 2, 51, 6, 92, 30, 5, 2]],
  ['anon', [93, 80]],
  ['the pyridostigmine trial', [3, 54, 13, 64, 4, 12, 48, 9, 37, 11, 47, 5, 65, 64, 40]],
  ['xq zyx', [7, 191, 190, 7, 151, 13, 191]],
  ['a', [10]],
  ['hydroxychloroquine', [7, 32, 13, 4, 68, 191, 13, 71, 111, 68, 190, 20, 47, 5]],
  ["we'll", [27, 29, 58]],
];

subwords('are those that the training tokeniser finds', () => {
  const tokeniser = new SubwordTokeniser(table.pieces, table.scores);
  for (const [text, ids] of DIVIDED) assert.equal(tokeniser.encode(text), ids, text);
});

subwords('a character that no piece has stands for nothing known', () => {
  assert.equal(new SubwordTokeniser(['<unk>', '▁', 'a'], [0, -1, -1]).encode('aéa'), [1, 2, 0, 2]);
});

subwords.run();

const catalogue = suite('catalogue of entries');

catalogue('an entry that was embedded is not embedded again', async () => {
  const runtime = new FakeAdapter();
  const entries = new Catalogue(runtime);
  const [first] = await entries.embed([entry('anna')]);
  const again = await entries.embed([entry('bert'), entry('anna'), entry('Anna ')]);
  assert.is(again[1], first);
  assert.is(again[2], first, 'what is spelled the same is the same');
  assert.equal(runtime.embedded, [1, 1]);
});

catalogue('the longest unused embeddings are forgotten first', async () => {
  const runtime = new FakeAdapter();
  const entries = new Catalogue(runtime, 2);
  await entries.embed([entry('anna'), entry('bert')]);
  await entries.embed([entry('anna')]);
  await entries.embed([entry('carl')]);
  await entries.embed([entry('anna')]);
  assert.equal(runtime.embedded, [2, 0, 1, 0]);
  await entries.embed([entry('bert')]);
  assert.is(runtime.embedded.at(-1), 1);
});

catalogue('more entries at once than are remembered are all embedded', async () => {
  const entries = new Catalogue(new FakeAdapter(), 1);
  const made = await entries.embed([entry('anna'), entry('bert'), entry('carl')]);
  assert.is(made.filter((each) => each !== undefined).length, 3);
});

catalogue('what cannot be spelled has no embedding', async () => {
  assert.equal(await new Catalogue(new FakeAdapter()).embed([entry('東京')]), [undefined]);
});

catalogue('an entry that is said otherwise is another one', async () => {
  const runtime = new FakeAdapter();
  const entries = new Catalogue(runtime);
  const [one, other] = await entries.embed([entry('anna', 1, 2), entry('anna', 1)]);
  assert.not.equal(one, other);
  assert.equal(
    runtime.asked.map(({ phones }) => phones),
    [[1, 2], [1]],
  );
});

catalogue('of a long entry the begin is read', async () => {
  const runtime = new FakeAdapter();
  await new Catalogue(runtime).embed([entry('a'.repeat(50), ...Array<number>(50).fill(1))]);
  assert.equal([runtime.asked[0]!.subwords.length, runtime.asked[0]!.phones.length], [8, 8]);
});

catalogue.run();

const lists = suite('embedded lists');

const list = (...texts: string[]): Map<string, Embedding> =>
  new Map(
    texts.map((text) => [
      text,
      { keys: new Float32Array(text.length).fill(1), values: new Float32Array(text.length).fill(-1) },
    ]),
  );

lists('keys and values lie in the order of the entries, and say whose they are', () => {
  const { keys, values, owners } = embeddedList(list('aa', 'bbbb'), 2)!;
  assert.equal([...keys], [1, 1, 1, 1, 1, 1]);
  assert.equal([...values], [-1, -1, -1, -1, -1, -1]);
  assert.equal([...owners], [0n, 1n, 1n]);
});

lists('without entries there is no list', () => {
  assert.is(embeddedList(new Map(), 1), undefined);
});

lists('the second session with a list gets the first one’s', () => {
  const kept = new EmbeddedLists(new Catalogue(new FakeAdapter()));
  const first = embeddedList(list('a'), 1)!;
  assert.is(kept.keep('h', first), first);
  assert.is(kept.keep('h', embeddedList(list('a'), 1)!), first);
  assert.is(kept.find('h'), first);
});

lists('a list too many pushes out the longest unused one', () => {
  // a list of one entry with one key and value of one number takes 16 bytes
  const kept = new EmbeddedLists(new Catalogue(new FakeAdapter()), 32);
  for (const hash of ['a', 'b']) kept.keep(hash, embeddedList(list(hash), 1)!);
  kept.find('a');
  kept.keep('c', embeddedList(list('c'), 1)!);
  assert.equal(
    ['a', 'b', 'c'].filter((hash) => kept.find(hash) !== undefined),
    ['a', 'c'],
  );
});

lists.run();

const queue = suite('queue of the adapter');

const layers = (frames = 2): Layers => ({ frames, hidden: new Float32Array(frames), taps: [] });

queue('streams that share a list and a length share a run', async () => {
  const runtime = new FakeAdapter();
  const [a, b] = [embeddedList(list('a'), 1)!, embeddedList(list('b'), 1)!];
  const waiting = new BiasQueue(runtime);
  await Promise.all([
    waiting.bias(layers(), a),
    waiting.bias(layers(), b),
    waiting.bias(layers(), a),
    waiting.bias(layers(3), a),
  ]);
  assert.equal(runtime.runs, [2, 1, 1]);
});

queue('each stream gets its own result, however many wait', async () => {
  const waiting = new BiasQueue(new FakeAdapter(), { maxBatch: 3 });
  const shared = embeddedList(list('a'), 1)!;
  const asked = Array.from({ length: 8 }, (_, i) => ({ ...layers(1), hidden: Float32Array.of(i) }));
  const found = await Promise.all(asked.map((each) => waiting.bias(each, shared)));
  assert.equal(
    found.map(({ subwords: [first] }) => first),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
});

queue('a run that fails fails its own streams, and the next one runs', async () => {
  const runtime = new FakeAdapter();
  const waiting = new BiasQueue(runtime);
  const shared = embeddedList(list('a'), 1)!;
  runtime.failing = true;
  const reason = await waiting.bias(layers(), shared).catch((error: unknown) => error);
  assert.match(String(reason), 'out of order');
  runtime.failing = false;
  assert.is((await waiting.bias(layers(), shared)).subwords.length, 2);
});

queue.run();
