/** Every parser of what others made: damaged input is a result or a sentence, never an accident, and never takes long. */
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readKeyFile } from '../src/access/key-file.js';
import { Tokens } from '../src/access/tokens.js';
import { decodeFrame } from '../src/audio/decode.js';
import { OggOpusReader } from '../src/audio/ogg-opus.js';
import { opusSamples } from '../src/audio/opus-packet.js';
import { readWav } from '../src/audio/wav.js';
import { addSettings, readSettings } from '../src/cli/settings.js';
import { readVocabularyFile } from '../src/cli/vocabulary-file.js';
import { parseListenMessage } from '../src/compat/deepgram-messages.js';
import { parseQuery } from '../src/compat/deepgram-query.js';
import { parseVoskRequest } from '../src/compat/vosk-request.js';
import { NgramModel } from '../src/decoder/ngram.js';
import { loadBundle } from '../src/encoder/bundle.js';
import { parseManifest } from '../src/evaluation/manifest.js';
import { indexTar, readMember } from '../src/evaluation/tar.js';
import { parseVocabulary } from '../src/page/vocabulary-text.js';
import { decodeText, parseClientMessage, parseServerMessage } from '../src/protocol/validate.js';
import { readRecording } from '../src/recording/replay.js';
import { DEFAULT_LIMITS } from '../src/session/limits.js';
import { inTemporaryFolder } from './temporary-folder.js';

const test = suite('fuzzing: parsers');

interface Parser {
  /** What it takes, to be damaged. */
  readonly whole: Uint8Array;
  /** @param folder that the parser may write into */
  readonly parse: (bytes: Uint8Array, folder: string) => unknown;
}

function text(whole: string, parse: (text: string) => unknown): Parser {
  return { whole: Buffer.from(whole), parse: (bytes) => parse(Buffer.from(bytes).toString()) };
}

function file(whole: string | Uint8Array, name: string, parse: (path: string) => unknown): Parser {
  return {
    whole: Buffer.from(whole),
    parse: async (bytes, folder) => {
      const path = join(folder, name);
      await writeFile(path, bytes);
      return parse(path);
    },
  };
}

function wav(): Uint8Array {
  const bytes = Buffer.alloc(44 + 16);
  bytes.write(
    'RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\x10\0\0\0',
    0,
    'latin1',
  );
  return bytes;
}

/** A POSIX tar of one file of a few bytes, behind a header that gives it a long name. */
function tar(): Uint8Array {
  const entry = (name: string, type: string, content: string): Buffer => {
    const block = Buffer.alloc(1024);
    block.write(name, 0);
    block.write(content.length.toString(8).padStart(11, '0'), 124);
    block.write(`${type}ustar\0`, 156);
    block.write(content, 512);
    return block;
  };
  return Buffer.concat([
    entry('././@LongLink', 'L', 'a/b.wav\0'),
    entry('b.wav', '0', 'sound'),
    Buffer.alloc(1024),
  ]);
}

function ngram(): Uint8Array {
  const header = new Uint32Array(16);
  header.set([0x4d4c584c, 1, 2, 0, 0, 1, 256, 64]);
  return new Uint8Array(header.buffer);
}

function ogg(): Uint8Array {
  const head = Buffer.alloc(28 + 19);
  head.write('OggS\0\x02', 0, 'latin1');
  head.writeUInt8(1, 26);
  head.writeUInt8(19, 27);
  head.write('OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0', 28, 'latin1');
  return head;
}

const KEY = `{"keys":[{"id":"abcdefgh","hash":"sha256:${'0'.repeat(64)}","created":"2026","limits":{"maxEntries":5}}]}`;
const BUNDLE =
  '{"format":1,"name":"a","version":"1","sampleRate":16000,"frameSamples":640,"latencies":[{"chunkFrames":8,"lookaheadFrames":8}],"encoder":{"file":"e","sha256":"","bytes":1,"blank":1,"taps":[],"state":[]}}';
const START =
  '{"type":"start","audio":{"encoding":"s16le","sampleRate":16000,"channels":1},"vocabulary":["Ada",{"text":"Bo","weight":2}]}';

const PARSERS: Readonly<Record<string, Parser>> = {
  'messages of clients': text(START, parseClientMessage),
  'messages of servers': text('{"type":"flushed","id":"a","sample":3,"seq":1}', parseServerMessage),
  'text frames': { whole: Buffer.from('{"é":1}'), parse: decodeText },
  'audio frames': {
    whole: new Uint8Array(12),
    parse: (bytes) => decodeFrame({ encoding: 's16le', channels: 2 }, bytes),
  },
  'WAV files': { whole: wav(), parse: readWav },
  'Opus packets': { whole: Uint8Array.of(0x03, 0x82, 1, 2, 3, 4), parse: opusSamples },
  'Ogg streams': { whole: ogg(), parse: (bytes) => new OggOpusReader().push(bytes) },
  "Deepgram's messages": text('{"type":"Configure","keyterms":["Ada"]}', parseListenMessage),
  "Deepgram's queries": text('encoding=linear16&sample_rate=16000&keyterm=Ada&endpointing=10', (query) =>
    parseQuery(new URLSearchParams(query), DEFAULT_LIMITS),
  ),
  "vosk's requests": text(
    '{"config":{"sample_rate":16000,"phrase_list":["ada"],"words":1}}',
    parseVoskRequest,
  ),
  'vocabularies that are typed': text('Ada | 1.2 | ay da, ada\nBo', parseVocabulary),
  'vocabulary files': file('Ada\t1.2\tay da\nBo\n', 'names.txt', readVocabularyFile),
  'key files': file(KEY, 'keys.json', readKeyFile),
  tokens: text('eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwianRpIjoiYiIsImV4cCI6OX0.c2lnbmF0dXJl', (token) =>
    new Tokens().verify(token),
  ),
  'config files': file('{"port":8080,"trustProxy":true,"host":"::1"}', 'config.json', (path) => {
    const command = addSettings(new Command('serve').exitOverride());
    return readSettings(command.parse(['--config', path], { from: 'user' }));
  }),
  manifests: text('path\ttranscript\tentities\na.wav\thello ada\tada\n', (tsv) =>
    parseManifest(tsv, 'x.tsv'),
  ),
  'tar archives': file(tar(), 'x.tar', async (path) => {
    const handle = await open(path);
    try {
      for (const member of (await indexTar(handle)).values()) await readMember(handle, member);
    } finally {
      await handle.close();
    }
  }),
  recordings: file(
    '{"format":1,"lexigate":"0.1.0","begun":"","model":{},"config":{}}',
    'session.json',
    async (path) => {
      const folder = join(path, '..');
      for (const name of ['commands.jsonl', 'messages.jsonl', 'audio.raw'])
        await writeFile(join(folder, name), '');
      return readRecording(folder);
    },
  ),
  'bundle descriptions': file(BUNDLE, 'bundle.json', (path) => loadBundle(join(path, '..'))),
  'language models': {
    whole: ngram(),
    parse: (bytes) => NgramModel.fromBuffer(Uint8Array.from(bytes).buffer),
  },
};

/** Bytes cut, changed, doubled and put in; or none of the parser's at all. */
function damaged(whole: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat(whole.length);
  const change = fc.oneof(
    place.map((at) => (bytes: Uint8Array) => bytes.subarray(0, at)),
    fc
      .tuple(place, fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0x22, 0x2d, 0x39))
      .map(([at, byte]) => (bytes: Uint8Array) => {
        const out = Uint8Array.from(bytes);
        if (at < out.length) out[at] = byte;
        return out;
      }),
    fc.tuple(place, fc.uint8Array({ maxLength: 9 })).map(
      ([at, put]) =>
        (bytes: Uint8Array) =>
          Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at)]),
    ),
    fc.tuple(place, place).map(
      ([from, to]) =>
        (bytes: Uint8Array) =>
          Buffer.concat([bytes, bytes.subarray(from, to)]),
    ),
  );
  const changed = fc
    .array(change, { minLength: 1, maxLength: 4 })
    .map((changes) => changes.reduce<Uint8Array>((bytes, apply) => apply(bytes), whole));
  return fc.oneof(
    { weight: 4, arbitrary: changed },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  );
}

/** Of the language itself: nobody meant to say it. */
const ACCIDENTS = ['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError', 'AssertionError'];

/** A parser that says so itself is no accident, whatever class it says it with. */
function isAccident(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return true;
  return ACCIDENTS.includes(thrown.name) && !thrown.message.startsWith('language model:');
}

for (const [name, { whole, parse }] of Object.entries(PARSERS)) {
  test(`${name}: damaged, they are read or refused in words`, async () => {
    await inTemporaryFolder(async (folder) => {
      await fc.assert(
        fc.asyncProperty(damaged(whole), async (bytes) => {
          try {
            await parse(bytes, folder);
          } catch (thrown) {
            assert.not(
              isAccident(thrown),
              thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : 'no error',
            );
            assert.ok((thrown as Error).message.length > 10);
          }
        }),
        { numRuns: 400 },
      );
    });
  });
}

test.run();
