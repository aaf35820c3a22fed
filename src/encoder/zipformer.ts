import { type CtcForm, type Facts, type FormState, ModelFormError } from './ctc-form.js';

/** State of the convolutions in front of the encoder, which every Zipformer 2 has in this shape. */
const EMBED_STATE: FormState = { type: 'float32', shape: [1, 128, 3, 19], axis: 0 };
const PROCESSED: FormState = { type: 'int64', shape: [1], axis: 0 };

/**
 * Streaming Zipformer 2 with a CTC head, as icefall's `export-onnx-streaming-ctc.py` writes it and sherpa-onnx's
 * `online-zipformer2-ctc-model.cc` reads it: six states a layer, then those of the front and the frames seen.
 */
export function zipformerForm(facts: Facts): CtcForm {
  const feature = facts.text('feature') ?? '';
  if (feature !== '') {
    throw new ModelFormError(
      `the model reads features of the kind "${feature}"; only Kaldi's are computed here`,
    );
  }
  return {
    features: 'kaldi',
    window: facts.number('T'),
    shift: facts.number('decode_chunk_len'),
    bandsFirst: false,
    takesLength: false,
    skippedOutputs: 0,
    states: [...layerStates(facts), EMBED_STATE, PROCESSED],
  };
}

function layerStates(facts: Facts): FormState[] {
  const layers = facts.numbers('num_encoder_layers');
  const perStack = (key: string): readonly number[] => {
    const numbers = facts.numbers(key);
    if (numbers.length !== layers.length) {
      throw new ModelFormError(
        `the metadata "${key}" has ${numbers.length} numbers, "num_encoder_layers" ${layers.length}`,
      );
    }
    return numbers;
  };
  const dims = perStack('encoder_dims');
  const heads = perStack('num_heads');
  const queries = perStack('query_head_dims');
  const values = perStack('value_head_dims');
  const kernels = perStack('cnn_module_kernels');
  const lefts = perStack('left_context_len');
  return layers.flatMap((count, i) => {
    const left = lefts[i]!;
    const value = values[i]! * heads[i]!;
    const convolution = {
      type: 'float32',
      shape: [1, dims[i]!, Math.floor(kernels[i]! / 2)],
      axis: 0,
    } as const;
    const layer: FormState[] = [
      { type: 'float32', shape: [left, 1, queries[i]! * heads[i]!], axis: 1 },
      { type: 'float32', shape: [1, 1, left, Math.floor((3 * dims[i]!) / 4)], axis: 1 },
      { type: 'float32', shape: [left, 1, value], axis: 1 },
      { type: 'float32', shape: [left, 1, value], axis: 1 },
      convolution,
      convolution,
    ];
    return Array.from({ length: count }, () => layer).flat();
  });
}
