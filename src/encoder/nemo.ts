import { type CtcForm, type Facts, ModelFormError } from './ctc-form.js';

/**
 * The CTC branch of a cache-aware FastConformer of NeMo, as sherpa-onnx's `export-onnx-ctc.py` writes it and its
 * `online-nemo-ctc-model.cc` reads it: three caches, the number of frames as an input, that of rows as an output.
 */
export function nemoForm(facts: Facts): CtcForm {
  const normalisation = facts.text('normalize_type') ?? '';
  if (normalisation !== '' && normalisation !== 'NA') {
    throw new ModelFormError(
      `the model wants features normalised by "${normalisation}", which needs the whole recording: it is no streaming model`,
    );
  }
  const dims = (cache: string): readonly number[] =>
    [1, 2, 3].map((dim) => facts.number(`cache_last_${cache}_dim${dim}`));
  return {
    features: 'nemo',
    window: facts.number('window_size'),
    shift: facts.number('chunk_shift'),
    bandsFirst: true,
    takesLength: true,
    skippedOutputs: 1,
    states: [
      { type: 'float32', shape: [1, ...dims('channel')], axis: 0 },
      { type: 'float32', shape: [1, ...dims('time')], axis: 0 },
      { type: 'int64', shape: [1], axis: 0 },
    ],
  };
}
