import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readWav } from '../src/audio/wav.js';
import { Windower } from '../src/audio/windower.js';
import { importModel } from '../src/cli/import-model.js';
import { FORMS, type FormName } from '../src/encoder/ctc-form.js';
import { loadEncoder } from '../src/encoder/load.js';
import { readOnnxMetadata } from '../src/encoder/onnx-metadata.js';
import type { EncoderRuntime, EncoderState } from '../src/encoder/runtime.js';
import { stack, unstack } from '../src/encoder/stack.js';
import { parseTokens } from '../src/encoder/tokens.js';
import { packageRoot } from '../src/util/package-root.js';
import { run } from './cli-support.js';
import { inTemporaryFolder } from './temporary-folder.js';

const fixtures = join(packageRoot(), 'test', 'fixtures');
const speech = readWav(readFileSync(join(fixtures, 'encoder', 'speech.wav'))).channels[0]!;

/** What ONNX Runtime and sherpa-onnx in Python made of the recording; see test/fixtures/forms/make.py. */
interface Expected {
  readonly windows: number;
  readonly frames: number;
  readonly tokens: readonly string[];
}

function expected(form: FormName): Expected & { readonly logProbs: Float32Array } {
  const folder = join(fixtures, 'forms', form);
  const bytes = readFileSync(join(folder, 'log_probs.bin'));
  return {
    ...(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected),
    logProbs: new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)),
  };
}

/** The bundle that `lexigate import-model` makes of a fixture. */
async function importFixture(
  folder: string,
  form: FormName,
  changes: { tokens?: string } = {},
): Promise<string> {
  const from = join(fixtures, 'forms', form);
  const out = join(folder, form);
  const tokens = changes.tokens ?? join(from, 'tokens.txt');
  await importModel(join(from, 'model.onnx'), { tokens, out, modelVersion: '7' });
  return out;
}

async function withModel(form: FormName, use: (encoder: EncoderRuntime) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const encoder = await loadEncoder(await importFixture(folder, form));
    try {
      await use(encoder);
    } finally {
      await encoder.close();
    }
  });
}

/** Log-probabilities of the speech, window by window as a session has them. */
async function rowsOf(encoder: EncoderRuntime): Promise<Float32Array> {
  const { frameSamples, latencies } = encoder.description;
  const [latency] = latencies;
  const windower = new Windower({ ...latency!, frameSamples });
  const rows: Float32Array[] = [];
  let state: EncoderState = encoder.start();
  for (const { pcm } of windower.push(speech)) {
    const [result] = await encoder.run([{ pcm, state }], latency!);
    rows.push(result!.logProbs.subwords);
    state = result!.state;
  }
  return Float32Array.from(rows.flatMap((block) => [...block]));
}

/** Best symbols, repetitions and blanks left out, spelled as sherpa-onnx spells them. */
function greedy(rows: Float32Array, { pieces, blank }: EncoderRuntime['description']): string[] {
  const symbols = [...pieces.slice(0, blank), '', ...pieces.slice(blank)];
  const best = Array.from({ length: rows.length / symbols.length }, (_, frame) => {
    const row = rows.subarray(frame * symbols.length, (frame + 1) * symbols.length);
    return row.indexOf(Math.max(...row));
  });
  return best
    .filter((id, i) => id !== blank && id !== best[i - 1])
    .map((id) => symbols[id]!.replace('▁', ' '));
}

for (const form of FORMS) {
  const forms = suite(`encoder: ${form}`);

  forms('the log-probabilities are those of ONNX Runtime over the features of kaldi-native-fbank', () =>
    withModel(form, async (encoder) => {
      const want = expected(form).logProbs;
      const rows = await rowsOf(encoder);
      // a session may need up to a row more of audio behind the last window
      assert.ok(
        rows.length >= want.length - want.length / expected(form).windows,
        `${rows.length} of ${want.length} numbers`,
      );
      const compared = Math.min(rows.length, want.length);
      let worst = 0;
      for (let i = 0; i < compared; i++) worst = Math.max(worst, Math.abs(rows[i]! - want[i]!));
      assert.ok(worst < 5e-3, `largest difference ${worst}`);
    }),
  );

  forms('the symbols are those that sherpa-onnx itself writes', () =>
    withModel(form, async (encoder) => {
      const { tokens, frames } = expected(form);
      const width = encoder.description.pieces.length + 1;
      const said = greedy((await rowsOf(encoder)).subarray(0, frames * width), encoder.description);
      const want = tokens.map((token) => (/^<.*>$/.test(token) ? token : token.toLowerCase()));
      assert.equal(said, want.slice(0, said.length));
      assert.ok(said.length > 0.9 * want.length);
    }),
  );

  forms('a stream gets the same numbers alone and among others at other positions', () =>
    withModel(form, async (encoder) => {
      const [latency] = encoder.description.latencies;
      const frame = encoder.description.frameSamples;
      const size = (latency!.chunkFrames + latency!.lookaheadFrames) * frame;
      const at = (i: number): Float32Array => speech.slice(i * frame, i * frame + size);
      const [first] = await encoder.run([{ pcm: at(0), state: encoder.start() }], latency!);
      const requests = [
        { pcm: at(20), state: encoder.start() },
        { pcm: at(8), state: first!.state },
        { pcm: at(30), state: first!.state },
      ];
      const together = await encoder.run(requests, latency!);
      for (const [i, request] of requests.entries()) {
        const [alone] = await encoder.run([request], latency!);
        const numbers = together[i]!.logProbs.subwords;
        assert.ok(numbers.every((value, k) => Math.abs(value - alone!.logProbs.subwords[k]!) < 1e-4));
        assert.equal(
          together[i]!.state.tensors.map((tensor) => (tensor as Float32Array).length),
          alone!.state.tensors.map((tensor) => (tensor as Float32Array).length),
        );
        const [next] = await encoder.run([{ pcm: at(40), state: together[i]!.state }], latency!);
        const [nextAlone] = await encoder.run([{ pcm: at(40), state: alone!.state }], latency!);
        assert.ok(
          next!.logProbs.subwords.every(
            (value, k) => Math.abs(value - nextAlone!.logProbs.subwords[k]!) < 1e-4,
          ),
        );
      }
    }),
  );

  forms('a window of the wrong size is an error that says both sizes', () =>
    withModel(form, async (encoder) => {
      const [latency] = encoder.description.latencies;
      try {
        await encoder.run([{ pcm: new Float32Array(10), state: encoder.start() }], latency!);
        assert.unreachable();
      } catch (error) {
        assert.match(String(error), /takes \d+ samples, not 10/);
      }
    }),
  );

  forms('tokens of another model are refused, and no folder is left', () =>
    inTemporaryFolder(async (folder) => {
      const tokens = join(folder, 'tokens.txt');
      writeFileSync(tokens, '<blk> 0\na 1\n');
      try {
        await importFixture(folder, form, { tokens });
        assert.unreachable();
      } catch (error) {
        assert.match(String(error), /it writes \d+ symbols, tokens\.txt has 2/);
      }
      assert.throws(() => readFileSync(join(folder, form, 'bundle.json')), /ENOENT/);
    }),
  );

  forms.run();
}

const bundles = suite('encoder: imported models');

bundles('a session transcribes with them, language model and vocabulary included', () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, 'model');
    const from = join(fixtures, 'forms', 'zipformer2Ctc');
    const vocabulary = join(folder, 'names.txt');
    writeFileSync(vocabulary, 'OfEE\n');
    const imported = await run(
      ...['import-model', join(from, 'model.onnx'), '--tokens', join(from, 'tokens.txt'), '--out', out],
      ...['--name', 'tiny', '--language', join(packageRoot(), 'models', 'en-base')],
    );
    assert.is(imported.code, 0, imported.err);
    assert.match(
      imported.out,
      /tiny, 18 symbols and the blank, a row each 40 ms, chunks of 320 ms that see 160 ms more/,
    );
    const {
      code,
      out: text,
      err,
    } = await run(
      ...[
        'transcribe',
        join(packageRoot(), 'samples', 'before.wav'),
        '--workers',
        '1',
        '--model',
        out,
        '--json',
      ],
      ...['--vocabulary', vocabulary],
    );
    assert.is(code, 0, err);
    const messages = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type?: string; model?: { name: string }; text?: string });
    assert.is(messages.find(({ type }) => type === 'ready')?.model?.name, 'tiny');
    // its weights are random, but its words are made of its symbols, and the entry is written as it was given
    const said = messages.filter(({ type }) => type === 'final').map((message) => message.text);
    assert.match(said.join(' '), /\bOfEE\b/);
  }),
);

bundles('a model file without the metadata of a form is refused, naming the exporters', async () => {
  const model = join(packageRoot(), 'models', 'en-base', 'g2p.onnx');
  const { code, err } = await run('import-model', model, '--tokens', model, '--out', 'nowhere');
  assert.is(code, 1);
  assert.match(
    err,
    /g2p\.onnx has not the metadata of zipformer2Ctc or nemoCtc.*export-onnx-streaming-ctc\.py/s,
  );
});

bundles('a folder that is there already is not touched', () =>
  inTemporaryFolder(async (folder) => {
    const out = await importFixture(folder, 'nemoCtc');
    const before = readFileSync(join(out, 'bundle.json'), 'utf8');
    try {
      await importFixture(folder, 'nemoCtc');
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), /cannot be made.*not there yet/s);
    }
    assert.is(readFileSync(join(out, 'bundle.json'), 'utf8'), before);
  }),
);

bundles('an unknown form is an error that names the known ones', () =>
  inTemporaryFolder(async (folder) => {
    writeFileSync(join(folder, 'bundle.json'), '{"format":1,"form":"paraformer"}');
    try {
      await loadEncoder(folder);
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), /its form is "paraformer", known are zipformer2Ctc, nemoCtc/);
    }
  }),
);

bundles('a damaged model is an error before anything runs', () =>
  inTemporaryFolder(async (folder) => {
    const out = await importFixture(folder, 'nemoCtc');
    const model = join(out, 'model.onnx');
    const bytes = readFileSync(model);
    bytes[100] = bytes[100]! ^ 1;
    writeFileSync(model, bytes);
    try {
      await loadEncoder(out);
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), /sha256/);
    }
  }),
);

bundles.run();

const metadata = suite('encoder: ONNX metadata');
const file = readFileSync(join(fixtures, 'forms', 'zipformer2Ctc', 'model.onnx'));

metadata('it is what the exporter wrote', () => {
  const facts = readOnnxMetadata(file);
  assert.is(facts.get('T'), '45');
  assert.is(facts.get('left_context_len'), '16,8');
  assert.is(facts.get('comment'), 'streaming ctc zipformer2');
});

metadata('a file cut anywhere, and any bytes at all, are read or refused but never hang', () => {
  const read = (bytes: Uint8Array): void => {
    try {
      readOnnxMetadata(bytes);
    } catch (error) {
      assert.is((error as Error).name, 'OnnxFileError');
    }
  };
  fc.assert(fc.property(fc.nat(file.length), (end) => read(file.subarray(0, end))));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), read));
});

metadata.run();

const tables = suite('encoder: tokens.txt');

tables('capitals become small where there is nothing else, and the blank is left out', () => {
  assert.equal(parseTokens('<blk> 0\n<unk> 1\n▁THE 2\nS 3\n'), { pieces: ['<unk>', '▁the', 's'], blank: 0 });
  assert.equal(parseTokens('▁The 0\r\n▁the 1\r\n<blk> 2\r\n'), { pieces: ['▁The', '▁the'], blank: 2 });
});

tables('what is wrong is said with its line or number', () => {
  assert.throws(() => parseTokens('<blk> 0\nx y 2\n'), /line 2 is "x y 2"/);
  assert.throws(() => parseTokens('<blk> 0\nx 2\n'), /no symbol has the number 1/);
  assert.throws(() => parseTokens('x 0\n'), /none of <blk>, <eps>, <blank>/);
});

tables.run();

const stacks = suite('encoder: states of several streams');

stacks('side by side on any axis and apart again they are what they were', () => {
  const sizes = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(sizes, sizes, sizes, (outer, inner, batch) => {
      const parts = Array.from({ length: batch }, (_, b) =>
        Float32Array.from({ length: outer * inner }, (__, i) => 100 * b + i),
      );
      const together = stack(parts, inner);
      // element (o, b, i) of the whole is (o, i) of part b
      for (let o = 0; o < outer; o++) {
        for (let b = 0; b < batch; b++) {
          for (let i = 0; i < inner; i++) {
            assert.is(together[(o * batch + b) * inner + i], parts[b]![o * inner + i]);
          }
        }
      }
      assert.equal(unstack(together, batch, inner), parts);
    }),
  );
});

stacks.run();
