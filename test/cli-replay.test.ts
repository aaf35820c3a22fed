import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LexigateClient } from '../src/client/client.js';
import { packageRoot } from '../src/util/package-root.js';
import { run, start } from './cli-support.js';
import { inTemporaryFolder } from './temporary-folder.js';

const test = suite('recordings');

const AUDIO = { encoding: 's16le', sampleRate: 16_000, channels: 1 } as const;

test('a session of the shipped model, its list changed while it spoke, is replayed byte for byte, and a difference is told', async () => {
  await inTemporaryFolder(async (parent) => {
    const recordings = join(parent, 'recordings');
    const serve = start(['serve', '--port', '0', '--workers', '1', '--record', recordings]);
    const url = await serve.said(/listens on (\S+)/);
    await serve.said(/every session is recorded to .*, speech and text/);
    // in no dictionary: its sound is learnt in the background
    const vocabulary = ['Qzorblatt Wyxenby'];
    const options = { explain: true };
    const client = await LexigateClient.connect(url, { audio: AUDIO, vocabulary, options });
    const texts: string[] = [];
    client.on('final', ({ text }) => texts.push(text));
    const samples = (await readFile(join(packageRoot(), 'samples', 'after.wav'))).subarray(44);
    const third = Math.floor(samples.length / 3 / 320) * 320;
    await client.sendAudio(samples.subarray(0, third));
    await client.updateVocabulary({ patch: { set: ['Siobhan Kowalczyk'] } });
    await client.sendAudio(samples.subarray(third, 2 * third));
    await client.updateVocabulary({ patch: { set: ['Thyrza Quenn'] }, retroactive: true });
    await client.sendAudio(samples.subarray(2 * third));
    await client.stop();
    serve.process.kill('SIGTERM');
    await serve.ended;
    assert.match(texts.join(' '), /Siobhan Kowalczyk/);

    const [name] = await readdir(recordings);
    const folder = join(recordings, name!);
    const messages = await readFile(join(folder, 'messages.jsonl'), 'utf8');
    const same = await run('replay', folder);
    assert.is(same.code, 0, same.err);
    assert.is(same.out, messages);
    assert.match(same.err, /\d+ messages, the same as recorded/);

    await writeFile(join(folder, 'messages.jsonl'), messages.replace('Kowalczyk', 'Kowalski'));
    const other = await run('replay', folder);
    assert.is(other.code, 1);
    assert.match(other.err, /message \d+ differs\n.*recorded: .*Kowalski.*\n.*replayed: .*Kowalczyk/);
  });
});

test('without --record nothing is recorded, and what is no recording is refused', async () => {
  const serve = start(['serve', '--port', '0', '--workers', '1']);
  await serve.said(/listens on (\S+)/);
  serve.process.kill('SIGTERM');
  const { out, err: log } = await serve.ended;
  assert.not.match(out + log, /record/);
  const { code, err } = await run('replay', packageRoot());
  assert.is(code, 1);
  assert.match(err, /is no recording: session.json cannot be read/);
});

test.run();
