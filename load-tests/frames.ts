/**
 * What decoding costs a frame, by the length of the list: the bundled sentences, encoded once, then decoded with lists of
 * every size in turn. Gateway's decoder and language model, without phones; lists of two dictionary words an entry.
 *
 *   npm run frames -- [--json] [--rounds 40]
 *
 * Processor time, which other work on the machine hardly changes. Absolute times are of the machine they were taken on;
 * compare runs only within one.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { readWav } from '../src/audio/wav.js';
import { Windower } from '../src/audio/windower.js';
import { PrefixGraph } from '../src/biasing/prefix-graph.js';
import { loadLanguageModel } from '../src/decoder/language-bundle.js';
import { NgramModel } from '../src/decoder/ngram.js';
import { VettedDecoder } from '../src/decoder/vetted-decoder.js';
import { OnnxEncoder } from '../src/encoder/onnx.js';
import type { EncoderState } from '../src/encoder/runtime.js';
import { packageRoot } from '../src/util/package-root.js';
import { percentiles } from './statistics.js';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '40' } },
});
const SIZES = [0, 100, 1000, 10_000];
const model = join(packageRoot(), 'models', 'en-base');
const encoder = await OnnxEncoder.load(model);
const { pieces, blank, latencies, frameSamples } = encoder.description;
const width = pieces.length + 1;

/** Log-probabilities of a sentence, row-major (frames, pieces + 1). */
async function encode(file: string): Promise<Float32Array> {
  const [latency] = latencies;
  const speech = readWav(readFileSync(join(packageRoot(), 'samples', file))).channels[0]!;
  const windower = new Windower({ ...latency!, frameSamples });
  const rows: number[] = [];
  let state: EncoderState = encoder.start();
  for (const { pcm, from, to } of [...windower.push(speech), ...windower.flush(new Float32Array(0))]) {
    const [result] = await encoder.run([{ pcm, state }], latency!);
    state = result!.state;
    rows.push(...result!.logProbs.subwords.subarray(from * width, to * width));
  }
  return Float32Array.from(rows);
}

/** Words of the dictionary, spread over all of it. */
function list(size: number): PrefixGraph {
  const lexicon = gunzipSync(readFileSync(join(model, 'lexicon.tsv.gz'))).toString();
  const words = [...new Set(lexicon.split('\n').map((line) => line.split('\t')[0]!))].filter(
    (word) => word.length > 3,
  );
  const word = (i: number): string => words[(i * 7919) % words.length]!;
  const entries = Array.from({ length: size }, (_, i) => `${word(2 * i)} ${word(2 * i + 1)}`);
  return PrefixGraph.build(entries.map((text) => ({ text, weight: 1, soundsLike: [] }))).graph;
}

const sentences = [await encode('before.wav'), await encode('after.wav')];
const frames = sentences.reduce((sum, rows) => sum + rows.length / width, 0);
const shared = await loadLanguageModel(model);
const languageModel = shared && NgramModel.fromBuffer(shared);
const decoders = SIZES.map((size) => {
  const decoder = new VettedDecoder({ pieces, blank, beam: 64, languageModel });
  decoder.setGraph(list(size));
  return { size, decoder, times: [] as number[] };
});
/** Of this process, since. */
function processorMicroseconds(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun);
  return user + system;
}

const rounds = Number(values.rounds);
for (let round = 0; round < rounds + 10; round++) {
  for (const { decoder, times } of decoders) {
    const begun = process.cpuUsage();
    for (const rows of sentences) {
      decoder.reset(0);
      decoder.push(rows, rows.length / width);
      decoder.finish();
    }
    // the first rounds compile
    if (round >= 10) times.push(processorMicroseconds(begun) / frames);
  }
}
await encoder.close();
const report = {
  frames,
  usPerFrame: Object.fromEntries(decoders.map(({ size, times }) => [size, percentiles(times)])),
};
console.log(values.json ? JSON.stringify(report) : report);
