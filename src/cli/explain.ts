import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { attend } from '../adapter/attention.js';
import { readAdapter } from '../adapter/bundle.js';
import { Catalogue } from '../adapter/catalogue.js';
import { EmbeddedLists } from '../adapter/embedded-lists.js';
import { OnnxAdapter } from '../adapter/onnx.js';
import { createResampler } from '../audio/resample.js';
import { Vocabulary } from '../biasing/vocabulary.js';
import { loadEncoder } from '../encoder/load.js';
import { drawAttention } from '../evaluation/attention-plot.js';
import { decodeAudio } from '../evaluation/audio.js';
import { createPronouncer, loadPhonetics } from '../phonetics/bundle.js';
import { Background } from '../session/background.js';
import { Embeddings } from '../session/embeddings.js';
import { chooseLatency } from '../session/start.js';
import type { ServeSettings } from './settings.js';
import { readVocabularyFile } from './vocabulary-file.js';

export interface ExplainOptions {
  readonly vocabulary: string;
  readonly out: string;
  readonly latency?: number;
}

/** Draws which entries of a list the network attends to over a recording. */
export async function explain(
  file: string,
  { vocabulary: listFile, out, latency }: ExplainOptions,
  { model }: Pick<ServeSettings, 'model'>,
): Promise<void> {
  const [audio, entries, files, phonetics] = await Promise.all([
    readFile(file).then(decodeAudio),
    readVocabularyFile(listFile),
    readAdapter(model),
    loadPhonetics(model),
  ]);
  if (files === undefined || phonetics === undefined) {
    throw new Error(
      `the model in ${model} has no contextual adapter: nothing in it attends to entries. Give one that has with --model.`,
    );
  }
  const { vocabulary, rejected } = Vocabulary.empty().replace(
    entries.map(({ text, weight = 1, soundsLike = [] }) => ({ text, weight, soundsLike })),
  );
  for (const { text, reason } of rejected)
    process.stderr.write(`${listFile}: ${text} is left out: ${reason}\n`);
  if (vocabulary.size === 0) throw new Error(`${listFile} has no entries; write one a line`);
  const [encoder, adapter, pronouncer] = await Promise.all([
    loadEncoder(model, { layers: true }),
    OnnxAdapter.load(files),
    createPronouncer(phonetics),
  ]);
  const list = await new Promise<Embeddings>((resolve) => {
    const embeddings = new Embeddings({
      lists: new EmbeddedLists(new Catalogue(adapter)),
      pronouncer,
      background: new Background(),
      settled: () => resolve(embeddings),
    });
    embeddings.follow(vocabulary);
  }).then((embeddings) => embeddings.list(vocabulary)!);
  const resampler = await createResampler(audio.sampleRate, encoder.description.sampleRate);
  const samples = [resampler.push(audio.samples), resampler.flush()].flatMap((part) => [...part]);
  const attention = await attend(Float32Array.from(samples), list, {
    encoder,
    adapter,
    latency: chooseLatency(latency, encoder.description),
  });
  await writeFile(out, drawAttention(basename(file), attention));
  await Promise.all([encoder.close(), adapter.close()]);
  for (const line of summary(attention)) process.stdout.write(`${line}\n`);
}

/** Entries that had the greatest weight of all, `<no-bias>` included, in some frame, where they had it longest first. */
function summary({ entries, none, frames, frameMs }: Awaited<ReturnType<typeof attend>>): string[] {
  const found = entries.flatMap(({ text, weights }) => {
    let peak = 0;
    let led = 0;
    for (let frame = 0; frame < frames; frame++) {
      const weight = weights[frame]!;
      if (weight > weights[peak]!) peak = frame;
      if (weight > none[frame]! && entries.every((other) => other.weights[frame]! <= weight)) led++;
    }
    return led === 0 ? [] : [{ text, led, peak, weight: weights[peak]! }];
  });
  if (found.length === 0) return ['no entry was attended to more than <no-bias>'];
  return found
    .sort((a, b) => b.led - a.led)
    .map(
      ({ text, led, peak, weight }) =>
        `${text}: leads for ${((led * frameMs) / 1000).toFixed(2)} s, most at ${((peak * frameMs) / 1000).toFixed(2)} s (${weight.toFixed(2)})`,
    );
}
