import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RejectedEntries } from '../src/protocol/messages.js';
import { asked, LINEAR16, type ListenTalk, listen, stopped } from './compat-deepgram-support.js';
import { FakeRecogniser } from './session-support.js';

const test = suite('Deepgram: Configure');

/** What the recogniser was told to listen for, update by update. */
function lists(talk: ListenTalk): unknown[] {
  return asked(talk).map((command) => (command.type === 'vocabulary' ? command.change : command));
}

function apply({ recogniser }: ListenTalk, rejected: RejectedEntries = []): void {
  const { vocabulary } = recogniser;
  recogniser.happened.next({ type: 'vocabulary.applied', id: 'configure', ...vocabulary, rejected });
}

test('keyterms take the place of those of the query, and are told once they are in effect', async () => {
  const talk = await listen(`${LINEAR16}&keyterm=old`);
  talk.say({ type: 'Configure', keyterms: ['Ada Lovelace', 'Siobhan:2'] });
  assert.equal(lists(talk), [
    {
      replace: [
        { text: 'Ada Lovelace', weight: 1, soundsLike: [] },
        { text: 'Siobhan', weight: 2, soundsLike: [] },
      ],
    },
  ]);
  assert.equal(talk.sent, []);
  apply(talk);
  assert.equal(
    talk.all('ConfigureSuccess').map(({ keyterms }) => keyterms),
    [['Ada Lovelace', 'Siobhan:2']],
  );
});

test('an empty list clears them', async () => {
  const talk = await listen(`${LINEAR16}&keyterm=old`);
  talk.say({ type: 'Configure', keyterms: [] });
  assert.equal(lists(talk), [{ replace: [] }]);
  apply(talk);
  assert.equal(talk.all('ConfigureSuccess')[0]!.keyterms, []);
});

test('absent and null keep them, and the answer names none', async () => {
  const talk = await listen(`${LINEAR16}&keyterm=old`);
  talk.say({ type: 'Configure' });
  talk.say({ type: 'Configure', keyterms: null, features: null });
  assert.equal(lists(talk), []);
  assert.is(talk.all('ConfigureSuccess').length, 2);
  for (const answer of talk.all('ConfigureSuccess')) assert.not('keyterms' in answer);
});

test('a list above the limit fails, the old one stays, and the next one is taken', async () => {
  const talk = await listen(LINEAR16, { limits: { maxEntries: 2 } });
  talk.say({ type: 'Configure', keyterms: ['a', 'b', 'c'] });
  const [failure] = talk.all('ConfigureFailure');
  assert.is(failure!.code, 'CONFIGURE_KEYTERM_LIMIT_EXCEEDED');
  assert.match(failure!.description, /There are 3 keyterms; send at most 2. The keyterms in effect stay/);
  assert.equal(lists(talk), []);
  talk.say({ type: 'Configure', keyterms: ['a', 'b'] });
  assert.is(lists(talk).length, 1);
  assert.equal(talk.closes, []);
});

test('a term too long, empty or of impossible weight fails with the reason', async () => {
  const reasons: Readonly<Record<string, RegExp>> = {
    ['a'.repeat(101)]: /LIMIT_EXCEEDED.*101 characters/,
    ' ': /INTERNAL_ERROR.*empty/,
    'Ada:11': /INTERNAL_ERROR.*weight/,
  };
  for (const [keyterm, reason] of Object.entries(reasons)) {
    const talk = await listen(LINEAR16);
    talk.say({ type: 'Configure', keyterms: ['fine', keyterm] });
    const { code, description } = talk.all('ConfigureFailure')[0]!;
    assert.match(`${code} ${description}`, reason);
    assert.equal(lists(talk), []);
  }
});

test('what the vocabulary refuses late is a failure too', async () => {
  const talk = await listen(LINEAR16);
  talk.say({ type: 'Configure', keyterms: ['a'] });
  const message = 'The list in force stays.';
  talk.recogniser.happened.next({ type: 'failed', code: 'vocabulary_too_large', message, id: 'configure' });
  assert.is(talk.all('ConfigureFailure')[0]!.code, 'CONFIGURE_KEYTERM_LIMIT_EXCEEDED');
  assert.equal(talk.all('Error'), []);
  talk.say({ type: 'Configure', keyterms: ['b'] });
  assert.is(lists(talk).length, 2);
});

test('a list that fits no message of the session is a failure, not silence', async () => {
  const keyterms = Array.from({ length: 90 }, (_, i) => `${i}:1`);
  const talk = await listen(LINEAR16, { limits: { maxFrameBytes: 1000 } });
  talk.say({ type: 'Configure', keyterms });
  assert.is(talk.all('ConfigureFailure')[0]!.code, 'CONFIGURE_KEYTERM_LIMIT_EXCEEDED');
  talk.say({ type: 'Configure', keyterms: ['a'] });
  assert.is(lists(talk).length, 1);
});

test('one that comes before the last is answered fails at once, and the last one is answered', async () => {
  const talk = await listen(LINEAR16);
  talk.say({ type: 'Configure', keyterms: ['a'] });
  talk.say({ type: 'Configure', keyterms: ['b'] });
  apply(talk);
  assert.equal(
    talk.sent.map((answer) => (answer.type === 'ConfigureFailure' ? answer.code : answer.type)),
    ['CONFIGURE_ALREADY_PENDING', 'ConfigureSuccess'],
  );
  assert.is(lists(talk).length, 1);
});

test('terms that cannot be listened for are named, and not among those in effect', async () => {
  const talk = await listen(LINEAR16);
  talk.say({ type: 'Configure', keyterms: ['Ada', '!!'] });
  apply(talk, [{ text: '!!', reason: '"!!" has no letters' }]);
  const { keyterms, rejected } = talk.all('ConfigureSuccess')[0]!;
  assert.equal(keyterms, ['Ada']);
  assert.equal(rejected, [{ text: '!!', reason: '"!!" has no letters' }]);
});

test('keyterms of the query that cannot be listened for are warned of in the Metadata', async () => {
  class Rejecting extends FakeRecogniser {
    override readonly vocabulary = {
      ...new FakeRecogniser().vocabulary,
      rejected: [{ text: '!!', reason: 'it has no letters' }] as never[],
    };
  }
  const talk = await listen(`${LINEAR16}&keyterm=!!`, { recogniser: new Rejecting() });
  talk.say({ type: 'CloseStream' });
  talk.recogniser.happened.next(stopped(0));
  const warning = { parameter: 'keyterm', type: 'unusable_keyterm', message: '"!!": it has no letters' };
  assert.equal(talk.all('Metadata')[0]!.warnings, [warning]);
});

test('features that change nothing may be switched; others fail, and the keyterms beside them are not taken', async () => {
  const talk = await listen(LINEAR16);
  talk.say({ type: 'Configure', features: { punctuate: true, numerals: false } });
  assert.is(talk.all('ConfigureSuccess').length, 1);
  talk.say({ type: 'Configure', keyterms: ['a'], features: { numerals: true } });
  talk.say({ type: 'Configure', keyterms: ['a'], thresholds: {} });
  assert.equal(
    talk.all('ConfigureFailure').map(({ description }) => description),
    ['"numerals" is not offered; nothing was changed.', '"thresholds" is not offered; nothing was changed.'],
  );
  assert.equal(lists(talk), []);
});

test('a Configure that is not well formed is a SchemaError', async () => {
  const talk = await listen(LINEAR16);
  for (const wrong of [
    { keyterms: 'a' },
    { keyterms: [1] },
    { features: { numerals: 'yes' } },
    { features: [] },
  ]) {
    talk.say({ type: 'Configure', ...wrong });
    assert.is(talk.all('Error').at(-1)!.variant, 'SchemaError', JSON.stringify(wrong));
  }
  assert.is(talk.all('Error').length, 4);
  assert.equal(lists(talk), []);
});

test.run();
