import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Catalogue } from '../src/adapter/catalogue.js';
import { EmbeddedLists } from '../src/adapter/embedded-lists.js';
import { Vocabulary } from '../src/biasing/vocabulary.js';
import { GraphemeTable } from '../src/phonetics/graphemes.js';
import { Lexicon } from '../src/phonetics/lexicon.js';
import { Pronouncer } from '../src/phonetics/pronouncer.js';
import { Background } from '../src/session/background.js';
import { Embeddings } from '../src/session/embeddings.js';
import type { VocabularyChange } from '../src/session/recogniser.js';
import { FakeAdapter } from './adapter-support.js';

const entry = (text: string, ...soundsLike: string[]) => ({ text, weight: 1, soundsLike });

/** A session's lists and their embeddings. */
class Lists {
  readonly runtime = new FakeAdapter();
  readonly embeddings: Embeddings;
  newest = Vocabulary.empty();
  #settled = 0;
  #waiting: (() => void) | undefined;

  constructor(shared?: EmbeddedLists) {
    const pronouncer = new Pronouncer({
      lexicon: Lexicon.fromBytes(new Uint8Array(0)),
      graphemes: GraphemeTable.parse('a\tæ\t9\t9:9'),
    });
    this.embeddings = new Embeddings({
      lists: shared ?? new EmbeddedLists(new Catalogue(this.runtime)),
      pronouncer,
      background: new Background(),
      settled: () => {
        this.#settled++;
        this.#waiting?.();
      },
    });
  }

  apply(change: VocabularyChange): Vocabulary {
    const { vocabulary } =
      'replace' in change ? this.newest.replace(change.replace) : this.newest.patch(change.patch);
    this.newest = vocabulary;
    this.embeddings.follow(vocabulary);
    return vocabulary;
  }

  async settled(): Promise<void> {
    const before = this.#settled;
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
    assert.ok(this.#settled > before);
  }

  texts(vocabulary = this.newest): string[] {
    return [...(this.embeddings.list(vocabulary)?.embeddings.keys() ?? [])].sort();
  }
}

test('in the end every entry of the list takes part, whatever came before', async () => {
  const text = fc.constantFrom('anna', 'bert', 'carl', 'dora', 'emil');
  const change = fc.oneof(
    fc.array(text).map((texts) => ({ replace: texts.map((each) => entry(each)) })),
    fc
      .record({ set: fc.array(text.map((each) => entry(each))), remove: fc.array(text) })
      .map((patch) => ({ patch })),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(change, fc.boolean()), { minLength: 1, maxLength: 6 }),
      async (steps) => {
        const lists = new Lists();
        for (const [each, awaited] of steps) {
          lists.apply(each);
          if (awaited) await lists.settled();
        }
        if (!steps.at(-1)![1]) await lists.settled();
        assert.equal(
          lists.texts(),
          lists.newest.entries.map((each) => each.text),
        );
      },
    ),
    { numRuns: 60 },
  );
});

test('until a list is learnt the one before takes part, and none once it is empty', async () => {
  const lists = new Lists();
  lists.apply({ replace: [entry('anna')] });
  assert.equal(lists.texts(), []);
  await lists.settled();
  const old = lists.newest;
  lists.apply({ patch: { set: [entry('bert')], remove: [] } });
  assert.equal(lists.texts(), ['anna']);
  await lists.settled();
  assert.equal(lists.texts(), ['anna', 'bert']);
  assert.equal(lists.texts(old), ['anna'], 'a version that is still in force elsewhere stays as it is');
  lists.apply({ replace: [] });
  assert.equal(lists.texts(), []);
});

test('a changed list embeds what is new in it alone', async () => {
  const lists = new Lists();
  lists.apply({ replace: [entry('anna'), entry('bert')] });
  await lists.settled();
  lists.apply({ patch: { set: [entry('carl')], remove: ['anna'] } });
  await lists.settled();
  assert.equal(lists.runtime.embedded, [2, 1]);
});

test('an entry that sounds like something else now is embedded anew', async () => {
  const lists = new Lists();
  lists.apply({ replace: [entry('anna')] });
  await lists.settled();
  lists.apply({ patch: { set: [entry('anna', 'ana')], remove: [] } });
  await lists.settled();
  assert.is(lists.texts().length, 1);
});

test('sessions with one list share its embeddings', async () => {
  const runtime = new FakeAdapter();
  const shared = new EmbeddedLists(new Catalogue(runtime));
  const [first, second] = [new Lists(shared), new Lists(shared)];
  for (const lists of [first, second]) {
    lists.apply({ replace: [entry('anna'), entry('bert')] });
    await lists.settled();
  }
  assert.is(first.embeddings.list(first.newest), second.embeddings.list(second.newest));
});

test('a long list takes part in portions while it is learnt', async () => {
  const lists = new Lists();
  const texts = Array.from(
    { length: 1300 },
    (_, i) => `name ${String.fromCharCode(97 + (i % 26))}${'a'.repeat(i / 26)}`,
  );
  lists.apply({ replace: texts.map((text) => entry(text)) });
  const seen = new Set<number>();
  const watch = setInterval(() => seen.add(lists.texts().length), 0);
  await lists.settled();
  clearInterval(watch);
  assert.is(lists.texts().length, 1300);
  assert.ok(seen.has(512) && seen.has(1024), [...seen].join(' '));
});

test('a closed session learns no more', async () => {
  const lists = new Lists();
  lists.apply({ replace: [entry('anna')] });
  lists.embeddings.close();
  for (let turn = 0; turn < 10; turn++) await setImmediate();
  assert.equal(lists.runtime.embedded, []);
});

test.run();
