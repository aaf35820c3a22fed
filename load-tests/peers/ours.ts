import { PrefixGraph } from '../../src/biasing/prefix-graph.js';
import type { LanguageModel } from '../../src/decoder/language-model.js';
import { VettedDecoder } from '../../src/decoder/vetted-decoder.js';
import type { Job, JobResult } from './jobs.js';
import type { Sample } from './log-probs.js';

export interface Model {
  readonly pieces: readonly string[];
  readonly blank: number;
  readonly beam: number;
  readonly languageModel?: LanguageModel;
}

/** A job by the gateway's decoder on subwords alone: what it does with phones the peers cannot do, and are not given. */
export function decodeOurs(samples: readonly Sample[], { weights, n, ...job }: Job, model: Model): JobResult {
  const { pieces } = model;
  const decoder = new VettedDecoder({
    ...model,
    lmWeight: weights.alpha,
    wordBonus: weights.beta,
    unlistedLetter: weights.unlisted,
    bias: { base: weights.entry },
    tokenThreshold: -weights.tokens,
    beamThreshold: -2 * weights.tokens,
  });
  const texts: string[] = [];
  let listSeconds = 0;
  let decodeSeconds = 0;
  for (const index of job.samples) {
    const { rows, utterance, distractors } = samples[index]!;
    const begun = processorSeconds();
    if (n !== null) {
      const list = [...utterance.entities, ...distractors.slice(0, n)];
      decoder.setGraph(PrefixGraph.build(list.map((text) => ({ text, weight: 1, soundsLike: [] }))).graph);
    }
    const built = processorSeconds();
    decoder.reset(0);
    decoder.push(rows, rows.length / (pieces.length + 1));
    const [best] = decoder.finish();
    decodeSeconds += processorSeconds() - built;
    listSeconds += built - begun;
    texts.push(
      best!.tokens
        .map(({ token }) => pieces[token])
        .join('')
        .replaceAll('▁', ' ')
        .trim(),
    );
    if (listSeconds + decodeSeconds > job.seconds) break;
  }
  return { texts, listSeconds, decodeSeconds };
}

/** Of the whole process: unlike a clock's, hardly changed by what else the machine does. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
