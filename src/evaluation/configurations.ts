import type { BiasingTechniques } from '../session/recogniser.js';

/** What is switched on in a configuration. */
export interface Configuration {
  readonly name: string;
  /** Hypotheses per step; absent: the gateway's default. */
  readonly beam?: number;
  readonly languageModel: boolean;
  /** Whether the recogniser is given the list; it is scored with it in any case. */
  readonly vocabulary: boolean;
  /** Techniques that are switched on; the others are off. */
  readonly biasing: readonly (keyof BiasingTechniques)[];
}

/** What all configurations with a list have in common: techniques are measured beside it. */
const SUBWORDS: Configuration['biasing'] = ['adaptive', 'unigram', 'acceptance'];

export const CONFIGURATIONS: readonly Configuration[] = [
  { name: 'greedy', beam: 1, languageModel: false, vocabulary: false, biasing: [] },
  { name: 'beam', languageModel: false, vocabulary: false, biasing: [] },
  { name: 'none', languageModel: true, vocabulary: false, biasing: [] },
  { name: 'unigram', languageModel: true, vocabulary: true, biasing: ['unigram', 'acceptance'] },
  { name: 'adaptive', languageModel: true, vocabulary: true, biasing: SUBWORDS },
  { name: 'phonetic', languageModel: true, vocabulary: true, biasing: [...SUBWORDS, 'phonetic'] },
  { name: 'lexicon', languageModel: true, vocabulary: true, biasing: [...SUBWORDS, 'lexicon'] },
  { name: 'g2g', languageModel: true, vocabulary: true, biasing: [...SUBWORDS, 'g2g'] },
  { name: 'phonetic-none', languageModel: true, vocabulary: false, biasing: ['phonetic'] },
  {
    name: 'decoder',
    languageModel: true,
    vocabulary: true,
    biasing: [...SUBWORDS, 'phonetic', 'lexicon', 'g2g'],
  },
  {
    name: 'unvetted',
    languageModel: true,
    vocabulary: true,
    biasing: ['adaptive', 'unigram', 'phonetic', 'lexicon', 'g2g'],
  },
  { name: 'encoder', languageModel: true, vocabulary: true, biasing: ['encoder'] },
  {
    name: 'joint',
    languageModel: true,
    vocabulary: true,
    biasing: [...SUBWORDS, 'phonetic', 'lexicon', 'g2g', 'encoder'],
  },
];

/** Configurations by their names, in the order asked for. */
export function chooseConfigurations(names: readonly string[]): Configuration[] {
  return [...new Set(names)].map((name) => {
    const found = CONFIGURATIONS.find((configuration) => configuration.name === name);
    if (found !== undefined) return found;
    const known = CONFIGURATIONS.map((configuration) => configuration.name).join(', ');
    throw new Error(`there is no configuration ${JSON.stringify(name)}; known are ${known}`);
  });
}
