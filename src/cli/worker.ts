/** Entry of a recognition worker: loads the model once and serves its sessions until it is told to stop. */
import { parentPort, workerData } from 'node:worker_threads';
import { BiasQueue } from '../adapter/bias-queue.js';
import { readAdapter } from '../adapter/bundle.js';
import { Catalogue } from '../adapter/catalogue.js';
import { EmbeddedLists } from '../adapter/embedded-lists.js';
import { OnnxAdapter } from '../adapter/onnx.js';
import { VocabularyCache } from '../biasing/vocabulary-cache.js';
import { knownWords } from '../decoder/known-words.js';
import { NgramModel } from '../decoder/ngram.js';
import { Batcher } from '../encoder/batcher.js';
import { loadEncoder } from '../encoder/load.js';
import { RecognitionMetrics } from '../observability/recognition-metrics.js';
import { createPronouncer, type PhoneticsFiles } from '../phonetics/bundle.js';
import { Background } from '../session/background.js';
import { host } from '../session/host.js';

export interface WorkerSettings {
  /** Folder of the model bundle. */
  readonly model: string;
  /** Streams per run of the encoder. */
  readonly maxBatch: number;
  /** The bundle's language model, if it has one; shared by all workers. */
  readonly languageModel: SharedArrayBuffer | undefined;
  /** What it knows of pronunciations, likewise. */
  readonly phonetics: PhoneticsFiles | undefined;
}

if (parentPort === null) throw new Error('this file runs as a worker thread; start `lexigate serve`');
const { model, maxBatch, languageModel, phonetics } = workerData as WorkerSettings;
const adapterFiles = await readAdapter(model);
const encoder = await loadEncoder(model, { layers: adapterFiles !== undefined });
const words = languageModel && NgramModel.fromBuffer(languageModel);
const metrics = new RecognitionMetrics({
  waitingSteps: () => batcher.waiting,
  keptListBytes: () => vocabularies.bytes,
});
const batcher = new Batcher(encoder, {
  maxBatch,
  observe: (waits, seconds) => metrics.batch(waits, seconds),
});
const vocabularies = new VocabularyCache();
const pronouncer = phonetics && (await createPronouncer(phonetics, words && knownWords(words)));
const adapter = adapterFiles && (await OnnxAdapter.load(adapterFiles));
host(parentPort, {
  batcher,
  vocabularies,
  metrics,
  background: new Background(() => batcher.busy),
  ...(pronouncer !== undefined && { pronouncer }),
  ...(adapter !== undefined && {
    adapter: {
      queue: new BiasQueue(adapter, { maxBatch, observe: (seconds) => metrics.stage('adapter', seconds) }),
      lists: new EmbeddedLists(new Catalogue(adapter)),
    },
  }),
  ...(words !== undefined && { languageModel: words }),
});
