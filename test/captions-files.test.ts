/** Subtitle files as players and editors read them: parsed by `media-captions`, which is none of ours. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as mediaCaptions from 'media-captions';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { srtPrefix, writeSrt } from '../src/captions/srt.js';
import type { Cue } from '../src/captions/subtitles.js';
import { timestamp } from '../src/captions/subtitles-time.js';
import { writeVtt } from '../src/captions/vtt.js';
import { chooseFormat, formatTranscript } from '../src/cli/transcript-file.js';
import type { FinalMessage } from '../src/protocol/messages.js';
import { packageRoot } from '../src/util/package-root.js';
import { final } from './compat-vosk-support.js';

const test = suite('subtitle files');

interface ParsedCue {
  readonly startTime: number;
  readonly endTime: number;
  readonly text: string;
}

type ParsedNode =
  | { readonly type: 'text'; readonly data: string }
  | { readonly type: 'v'; readonly voice: string; readonly children: readonly ParsedNode[] };

/** What is used of the parser. Its own declarations are written for bundlers, and empty as Node resolves them. */
const { parseText, tokenizeVTTCue } = mediaCaptions as unknown as {
  parseText(
    text: string,
    options: { type: 'srt' | 'vtt'; strict: boolean; errors: boolean },
  ): Promise<{ cues: ParsedCue[]; errors: unknown[] }>;
  tokenizeVTTCue(cue: ParsedCue): readonly ParsedNode[];
};

/** Fails on anything that the parser finds wrong. */
async function parse(text: string, type: 'srt' | 'vtt'): Promise<ParsedCue[]> {
  const { cues, errors } = await parseText(text, { type, strict: true, errors: true });
  assert.equal(errors, []);
  return cues;
}

/** Text of a cue with its markup taken away, and who speaks by it. */
function read(cue: ParsedCue): { readonly text: string; readonly voice: string | undefined } {
  let voice: string | undefined;
  const visit = (nodes: readonly ParsedNode[]): string =>
    nodes
      .map((node) => {
        if (node.type === 'text') return node.data;
        assert.is(node.type, 'v', 'markup that nobody wrote');
        voice = node.voice;
        return visit(node.children);
      })
      .join('');
  return { text: visit(tokenizeVTTCue(cue)), voice };
}

/** Lines with what means something to one format or the other in them. */
const line = fc
  .array(
    fc.constantFrom(
      'a',
      'naïve',
      '&',
      '&amp;',
      '<b>',
      '</i>',
      '<',
      '>',
      '-->',
      '{\\an8}',
      '<00:01>',
      '1',
      'NOTE',
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(' '));

const cues: fc.Arbitrary<Cue[]> = fc
  .array(
    fc.record({
      ms: fc.integer({ min: 1, max: 4_000_000 }),
      lines: fc.array(line, { minLength: 1, maxLength: 2 }),
      speaker: fc.option(fc.constantFrom('Speaker 1', 'A & <B>'), { nil: undefined }),
    }),
    { maxLength: 8 },
  )
  .map((all) => {
    let at = 0;
    return all.map(({ ms, lines, speaker }) => {
      const start = at / 1000;
      at += ms;
      return { start, end: at / 1000, lines, ...(speaker !== undefined && { speaker }) };
    });
  });

test('WebVTT reads back as it was written, text, times and voices', async () => {
  await fc.assert(
    fc.asyncProperty(cues, async (written) => {
      const found = await parse(writeVtt(written), 'vtt');
      assert.equal(
        found.map((cue) => ({ start: cue.startTime, end: cue.endTime, ...read(cue) })),
        written.map(({ start, end, lines, speaker }) => ({
          start,
          end,
          text: lines.join('\n'),
          voice: speaker,
        })),
      );
    }),
  );
});

test('SRT reads back as it was written but for invisible joiners, with speakers in front', async () => {
  await fc.assert(
    fc.asyncProperty(cues, async (written) => {
      const found = await parse(writeSrt(written), 'srt');
      assert.equal(
        found.map(({ startTime, endTime, text }) => ({
          start: startTime,
          end: endTime,
          text: text.replaceAll('\u2060', ''),
        })),
        written.map(({ start, end, lines, speaker }) => ({
          start,
          end,
          text: (speaker === undefined ? '' : `${speaker}: `) + lines.join('\n'),
        })),
      );
      // what players take for markup, or parsers for times, is not in the text
      for (const { text } of found) assert.not.match(text, /<[a-z/]|\{\\|-->/i);
    }),
  );
});

test('times have hours, and milliseconds are rounded before they are cut up', () => {
  assert.is(timestamp(0, ','), '00:00:00,000');
  assert.is(timestamp(59.9996, '.'), '00:01:00.000');
  assert.is(timestamp(3599.999, ','), '00:59:59,999');
  assert.is(timestamp(360_000.5, '.'), '100:00:00.500');
});

test('files without a word are files all the same', async () => {
  assert.is(writeSrt([]), '');
  assert.equal(await parse(writeVtt([]), 'vtt'), []);
});

const DIALOGUE: readonly FinalMessage[] = [
  { ...final(1, 'fine thank you and how are you today if i may ask'), channel: 1, startSample: 16_000 },
  { ...final(0, 'how do you do'), channel: 0, startSample: 0 },
];

test('two channels are two speakers: voices in WebVTT, names in front in SRT and text', async () => {
  const vtt = await parse(formatTranscript('vtt', DIALOGUE, 2), 'vtt');
  assert.equal(
    vtt.map((cue) => read(cue).voice),
    ['Speaker 1', 'Speaker 2'],
  );
  const srt = await parse(formatTranscript('srt', DIALOGUE, 2), 'srt');
  assert.is(srt[0]!.text, `${srtPrefix('Speaker 1')}how do you do`);
  // 49 characters and a name: the name counts as part of its line
  for (const { text } of srt) for (const each of text.split('\n')) assert.ok(each.length <= 42, each);
  assert.is(
    formatTranscript('txt', DIALOGUE, 2),
    'Speaker 1: how do you do\nSpeaker 2: fine thank you and how are you today if i may ask\n',
  );
});

test('one channel needs no names', () => {
  const [, alone] = DIALOGUE;
  assert.is(formatTranscript('txt', [alone!], 1), 'how do you do\n');
  assert.not.match(formatTranscript('vtt', [alone!], 1), /<v/);
  assert.not.match(formatTranscript('srt', [alone!], 1), /Speaker/);
});

test('the format is what a flag says, or else the file’s name, or it is asked for', () => {
  assert.is(chooseFormat({}, undefined), undefined);
  assert.is(chooseFormat({ txt: true }, 'a.srt'), 'txt');
  assert.is(chooseFormat({}, 'a/b.VTT'), 'vtt');
  assert.throws(() => chooseFormat({}, 'a.doc'), /a\.doc.*--srt/);
});

const main = join(packageRoot(), 'build', 'src', 'cli', 'main.js');
const sample = join(packageRoot(), 'samples', 'after.wav');

function transcribe(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, 'transcribe', ...args]);
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

test('the commands of docs/captions.md write what they say', async () => {
  const guide = await readFile(join(packageRoot(), 'docs', 'captions.md'), 'utf8');
  const commands = [...guide.matchAll(/^npm run -s cli -- transcribe samples\/after\.wav (.+?) +#/gm)];
  const folder = await mkdtemp(join(tmpdir(), 'lexigate-'));
  const written = new Map<string, string>();
  for (const [, args] of commands) {
    const [flag, name] = args!.split(' ');
    const path = name === undefined ? undefined : join(folder, name);
    const { code, out, err } = await transcribe(sample, flag!, ...(path === undefined ? [] : [path]));
    assert.is(code, 0, err);
    written.set(flag!, path === undefined ? out : await readFile(path, 'utf8'));
  }
  await rm(folder, { recursive: true });
  assert.equal([...written.keys()], ['--srt', '--vtt', '--txt', '--json', '--out']);
  const text = written.get('--txt')!.trim();
  assert.match(text, /^thank you please .* the meeting/);
  for (const [flag, type] of [
    ['--srt', 'srt'],
    ['--vtt', 'vtt'],
    ['--out', 'vtt'],
  ] as const) {
    const found = await parse(written.get(flag)!, type);
    assert.is(found.map((cue) => cue.text.replaceAll('\n', ' ')).join(' '), text);
  }
  const last = JSON.parse(written.get('--json')!.trim().split('\n').at(-1)!) as {
    type: string;
    text: string;
  };
  assert.is(last.type, 'transcript');
  assert.is(last.text, text);
});

test('transcribe --out writes the file that its name says, here of two channels', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lexigate-'));
  try {
    const stereo = join(folder, 'stereo.wav');
    await writeFile(stereo, twice(await readFile(sample)));
    const path = join(folder, 'captions.srt');
    const { code, out, err } = await transcribe(stereo, '--out', path);
    assert.is(code, 0, err);
    assert.is(out, '');
    const found = await parse(await readFile(path, 'utf8'), 'srt');
    assert.match(found[0]!.text, /^Speaker 1: thank you/);
    assert.match(found[1]!.text, /^Speaker 2: thank you/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** A mono file's samples on two channels. */
function twice(wav: Buffer): Buffer {
  const samples = wav.subarray(44);
  const out = Buffer.alloc(44 + 2 * samples.length);
  wav.copy(out, 0, 0, 44);
  out.writeUInt32LE(36 + 2 * samples.length, 4);
  out.writeUInt16LE(2, 22);
  out.writeUInt32LE(2 * wav.readUInt32LE(28), 28);
  out.writeUInt16LE(4, 32);
  out.writeUInt32LE(2 * samples.length, 40);
  for (let at = 0; at < samples.length; at += 2) {
    samples.copy(out, 44 + 2 * at, at, at + 2);
    samples.copy(out, 46 + 2 * at, at, at + 2);
  }
  return out;
}

test('two formats at once, and one file for several, are refused', async () => {
  assert.match(
    (await transcribe(sample, '--srt', '--vtt')).err,
    /'--srt' cannot be used with option '--vtt'/,
  );
  const several = await transcribe(sample, sample, '--srt');
  assert.is(several.code, 1);
  assert.match(several.err, /one file at a time/);
});

test.run();
