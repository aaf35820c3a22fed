import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GraphemeTable } from '../src/phonetics/graphemes.js';
import { Lexicon } from '../src/phonetics/lexicon.js';
import { Pronouncer } from '../src/phonetics/pronouncer.js';
import type { BiasingTechniques } from '../src/session/recogniser.js';
import { ScriptedRun, type ScriptRow } from './scripted-support.js';

const test = suite('transcriber: biasing techniques');
const PIECES = ['▁ask', '▁now', '▁ky', '▁ki', '▁at', '▁con', 'ra', 'na', 'to', 'tow', 'a'];
const lexicon = Lexicon.fromBytes(
  new TextEncoder().encode('ask\tæsk\nat\tæt\ncon\tkɑn\nkira\tkiɹə\nkynato\tkInɑtO\nnow\tnW\n'),
);
/** k, y, a, and the t-o of "tow". */
const graphemes = GraphemeTable.parse(
  ['\t\t4\t1:4', 'k\tk\t4\t2:2 5:2', 'y\tI\t2\t3:2', 'n\tn\t2\t4:2', 'a\tɑ\t2\t0:2', 'i\ti\t2\t3:2'].join(
    '\n',
  ),
);
const NONE: BiasingTechniques = {
  adaptive: false,
  unigram: false,
  phonetic: false,
  lexicon: false,
  g2g: false,
  encoder: false,
  acceptance: true,
};

function frame(piece: Readonly<Record<string, number>>, phone: string): ScriptRow {
  return { ...piece, [`/${phone}`]: -0.01 };
}

async function hear(
  techniques: Partial<BiasingTechniques>,
  rows: readonly ScriptRow[],
  entry: string,
): Promise<string | undefined> {
  const run = await ScriptedRun.start(
    PIECES,
    {
      biasing: { ...NONE, ...techniques },
      vocabulary: [{ text: entry, weight: 1, soundsLike: [] }],
      explain: true,
    },
    { pronouncer: new Pronouncer({ lexicon, graphemes }) },
  );
  if (techniques.lexicon === true || techniques.g2g === true) await run.settled();
  await run.say(rows);
  await run.boundary('stop');
  return run.finals[0]?.text;
}

test('an entry that is less likely than another spelling is written where subwords are boosted', async () => {
  const rows = [
    frame({ '▁ki': -0.4, '▁ky': -1.5 }, ''),
    frame({ '': -0.01 }, ''),
    frame({ ra: -0.5, na: -2 }, ''),
    frame({ '': -0.01 }, ''),
  ];
  assert.is(await hear({}, rows, 'Kyna'), 'kira');
  assert.is(await hear({ adaptive: true, unigram: true }, rows, 'Kyna'), 'Kyna');
});

/** "ask con at now" by its subwords, which another reading keeps open; "ask kynato now" by its phones. */
const NAMED = [
  frame({ '▁ask': -0.1 }, 'æ'),
  frame({ '': -0.01 }, 's'),
  frame({ '': -0.01 }, 'k'),
  frame({ '▁con': -0.1, '▁ki': -1.5 }, ''),
  frame({ '': -0.01 }, 'k'),
  frame({ '': -0.01 }, 'I'),
  frame({ '▁at': -0.1 }, 'n'),
  frame({ '': -0.01 }, 'ɑ'),
  frame({ '': -0.01 }, 't'),
  frame({ '': -0.01 }, 'O'),
  frame({ '▁now': -0.1 }, 'n'),
  frame({ '': -0.01 }, 'W'),
];

test('an entry that only the phones tell of is written where pronunciations are looked up', async () => {
  assert.is(await hear({ adaptive: true }, NAMED, 'Kynato'), 'ask con at now');
  assert.is(await hear({ lexicon: true }, NAMED, 'Kynato'), 'ask Kynato now');
  assert.is(await hear({ lexicon: true, phonetic: true }, NAMED, 'Kynato'), 'ask Kynato now');
});

test('of two spellings that are equally likely the one that sounds so is written where phones judge', async () => {
  const rows = [
    frame({ '▁ask': -0.1 }, 'æ'),
    frame({ '': -0.01 }, 's'),
    frame({ '': -0.01 }, 'k'),
    frame({ '▁con': -0.6, '▁at': -0.8 }, 'æ'),
    frame({ '': -0.01 }, 't'),
    frame({ '': -0.01 }, ''),
  ];
  assert.is(await hear({}, rows, 'Kynato'), 'ask con');
  assert.is(await hear({ phonetic: true }, rows, 'Kynato'), 'ask at');
});

test.run();
