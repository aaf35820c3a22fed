import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { annotate } from '../src/biasing/annotate.js';
import type { VocabularyEntry } from '../src/biasing/entry.js';
import { Vocabulary } from '../src/biasing/vocabulary.js';
import { GraphemeTable } from '../src/phonetics/graphemes.js';
import { Lexicon } from '../src/phonetics/lexicon.js';
import { Pronouncer } from '../src/phonetics/pronouncer.js';
import { Background } from '../src/session/background.js';
import type { VocabularyChange } from '../src/session/recogniser.js';
import { Sounding } from '../src/session/sounding.js';
import { packageRoot } from '../src/util/package-root.js';

const test = suite('session: sounding');
const table = readFileSync(join(packageRoot(), 'models', 'en-base', 'graphemes.tsv'), 'utf8');

function entry(text: string): VocabularyEntry {
  return { text, weight: 1, soundsLike: [] };
}

/** A session's list and what is matched in its place. */
class Lists {
  changes = 0;
  readonly settled: number[] = [];
  readonly sounding: Sounding;
  newest = Vocabulary.empty();
  #waiting: (() => void)[] = [];

  constructor() {
    this.sounding = new Sounding({
      pronouncer: new Pronouncer({
        lexicon: Lexicon.fromBytes(new Uint8Array(0)),
        graphemes: GraphemeTable.parse(table),
      }),
      background: new Background(),
      spellings: true,
      empty: this.newest,
      changed: () => {
        this.changes += 1;
      },
      settled: () => {
        this.settled.push(this.newest.size);
        for (const resolve of this.#waiting.splice(0)) resolve();
      },
    });
  }

  apply(change: VocabularyChange): void {
    const changed =
      'replace' in change ? this.newest.replace(change.replace) : this.newest.patch(change.patch);
    this.newest = changed.vocabulary;
    this.sounding.follow(change, this.newest);
  }

  learnt(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Texts of the entries that are found in a list. */
  found(words: string, vocabulary = this.newest): string[] {
    return annotate(words.split(' '), this.sounding.matched(vocabulary).graph).spans.map(({ text }) => text);
  }
}

test('an entry is found as it is spelled at once, and by its sound when that is known', async () => {
  const lists = new Lists();
  lists.apply({ replace: [entry('Szymanski'), entry('Nguyen')] });
  assert.equal(lists.found('szymanski shimansky'), ['Szymanski']);
  await lists.learnt();
  assert.equal(lists.found('szymanski shimansky'), ['Szymanski', 'Szymanski']);
  assert.equal([lists.changes, lists.settled], [1, [2]]);
});

test('what is taken out is found neither way, also when its sound is being learnt', async () => {
  const lists = new Lists();
  lists.apply({ replace: [entry('Szymanski'), entry('Nguyen')] });
  lists.apply({ patch: { set: [entry('Kowalczyk')], remove: ['Szymanski'] } });
  await lists.learnt();
  assert.equal(lists.found('szymanski shimansky kowalczyk'), ['Kowalczyk']);
  lists.apply({ patch: { set: [], remove: ['Kowalczyk'] } });
  assert.equal(lists.found('kowalczyk'), []);
});

test('an older version stays as it was while the newest one learns', async () => {
  const lists = new Lists();
  lists.apply({ replace: [entry('Szymanski')] });
  const older = lists.newest;
  lists.apply({ patch: { set: [entry('Kowalczyk')], remove: [] } });
  await lists.learnt();
  assert.equal(lists.found('shimansky kowalczyk', older), []);
  assert.equal(lists.found('shimansky kowalczyk'), ['Szymanski', 'Kowalczyk']);
  assert.is(lists.sounding.matched(lists.newest).size, lists.newest.size);
});

test('a long list is learnt in parts, and a closed session learns no more', async () => {
  const lists = new Lists();
  const names = Array.from({ length: 150 }, (_, i) => {
    const [a, b] = [String.fromCharCode(97 + (i % 26)), String.fromCharCode(97 + Math.floor(i / 26))];
    return entry(`sk${a}wl${b}zyk`);
  });
  lists.apply({ replace: names });
  await lists.learnt();
  assert.is(lists.changes, 3);
  lists.apply({ patch: { set: [entry('Szymanski')], remove: [] } });
  lists.sounding.close();
  assert.equal(lists.settled, [150]);
  assert.equal(lists.found('shimansky'), []);
});

test.run();
