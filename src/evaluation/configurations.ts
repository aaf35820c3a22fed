/** What is switched on in a configuration. */
export interface Configuration {
  readonly name: string;
  /** Hypotheses per step; absent: the gateway's default. */
  readonly beam?: number;
  readonly languageModel: boolean;
  /** Whether the recogniser is given the list; it is scored with it in any case. */
  readonly vocabulary: boolean;
}

export const CONFIGURATIONS: readonly Configuration[] = [
  { name: 'greedy', beam: 1, languageModel: false, vocabulary: false },
  { name: 'beam', languageModel: false, vocabulary: false },
  { name: 'none', languageModel: true, vocabulary: false },
  { name: 'adaptive', languageModel: true, vocabulary: true },
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
