import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommonSounds } from '../src/phonetics/common-sounds.js';
import { GraphemeTable } from '../src/phonetics/graphemes.js';
import { Lexicon } from '../src/phonetics/lexicon.js';
import { Pronouncer } from '../src/phonetics/pronouncer.js';

const test = suite('phonetics: common sounds');

function sound(phones: string): Uint8Array {
  return Uint8Array.from(phones, (phone) => phone.charCodeAt(0));
}

test('a sound is the same as that of a common word, a phone more, less or another, or not near', () => {
  const common = new CommonSounds();
  common.add(sound('with'));
  for (const [heard, nearness] of [
    ['with', 2],
    ['wit', 1],
    ['withs', 1],
    ['wiph', 1],
    ['xwith', 1],
    ['wi', 0],
    ['wxyh', 0],
    ['', 0],
  ] as const) {
    assert.is(common.nearest(sound(heard)), nearness, heard);
  }
});

test('a pronouncer learns the common words of its dictionary, all pronunciations of each', async () => {
  const lexicon = Lexicon.fromBytes(new TextEncoder().encode('rare\tɹɛɹ\nread\tɹid ɹɛd\n'));
  assert.equal([...lexicon.words()], ['rare', 'read']);
  const pronouncer = new Pronouncer({
    lexicon,
    graphemes: GraphemeTable.parse(''),
    words: { isListed: () => true, isCommon: (word) => word === 'read' },
  });
  const [reed, red] = pronouncer.labels('read');
  assert.is(pronouncer.confusability(red!), 0);
  await pronouncer.learn([]);
  assert.equal([pronouncer.confusability(reed!), pronouncer.confusability(red!)], [2, 2]);
  assert.is(pronouncer.confusability(pronouncer.labels('rare')[0]!), 1);
});

test.run();
