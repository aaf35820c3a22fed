import { FbankEncoder } from './fbank-encoder.js';
import { namesForm } from './form-bundle.js';
import { OnnxEncoder, type OnnxEncoderOptions } from './onnx.js';
import type { EncoderRuntime } from './runtime.js';

/** The runtime for whatever kind of model lies in a folder; docs/models.md. */
export async function loadEncoder(folder: string, options: OnnxEncoderOptions = {}): Promise<EncoderRuntime> {
  return (await namesForm(folder)) ? FbankEncoder.load(folder, options) : OnnxEncoder.load(folder, options);
}
