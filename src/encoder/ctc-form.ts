import type { FbankKind } from './fbank.js';

/**
 * What two widespread forms of streaming CTC models have in common: filterbanks in, log-probabilities out, and tensors
 * that one step hands the next. How a form names and shapes them is its own file's knowledge.
 */
export interface CtcForm {
  readonly features: FbankKind;
  /** Frames of filterbanks that a step sees. */
  readonly window: number;
  /** By how many of them steps lie apart. */
  readonly shift: number;
  /** Filterbanks come as (batch, bands, frames) instead of (batch, frames, bands). */
  readonly bandsFirst: boolean;
  /** The number of frames is an input of its own, behind the filterbanks. */
  readonly takesLength: boolean;
  /** Outputs between log-probabilities and states. */
  readonly skippedOutputs: number;
  /** In the order of the inputs, and of the outputs. */
  readonly states: readonly FormState[];
}

export interface FormState {
  readonly type: 'float32' | 'int64';
  /** With a batch of one. */
  readonly shape: readonly number[];
  /** Which axis is the batch. */
  readonly axis: number;
}

/** The names that bundle.json has for the forms: those of sherpa-onnx's loaders. */
export const FORMS = ['zipformer2Ctc', 'nemoCtc'] as const;
export type FormName = (typeof FORMS)[number];

export class ModelFormError extends Error {
  override readonly name = 'ModelFormError';
}

/** The facts that an exporter writes into the file. */
export class Facts {
  readonly #metadata: ReadonlyMap<string, string>;

  constructor(metadata: ReadonlyMap<string, string>) {
    this.#metadata = metadata;
  }

  text(key: string): string | undefined {
    return this.#metadata.get(key);
  }

  /** @throws ModelFormError where it is missing or no whole number above 0 */
  number(key: string): number {
    const numbers = this.numbers(key);
    if (numbers.length !== 1) throw this.#wrong(key, 'a number');
    return numbers[0]!;
  }

  /** Separated by commas. @throws ModelFormError where they are missing or one is no whole number above 0 */
  numbers(key: string): readonly number[] {
    const numbers = (this.#metadata.get(key) ?? '').split(',').map(Number);
    if (!numbers.every((each) => Number.isInteger(each) && each > 0 && each < 2 ** 31)) {
      throw this.#wrong(key, 'whole numbers above 0');
    }
    return numbers;
  }

  #wrong(key: string, what: string): ModelFormError {
    const value = this.#metadata.get(key);
    const found = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`;
    return new ModelFormError(
      `the metadata "${key}" ${found} and should be ${what}; export the model again with the exporter of icefall or sherpa-onnx`,
    );
  }
}
