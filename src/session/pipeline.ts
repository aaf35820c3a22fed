import {
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  ignoreElements,
  map,
  type Observable,
  type OperatorFunction,
  pipe,
  share,
  tap,
} from 'rxjs';
import { decodeFrame } from '../audio/decode.js';
import { frameLevels } from '../audio/levels.js';
import type { Resampler } from '../audio/resample.js';
import { window } from '../audio/window.js';
import { decode } from '../decoder/decode.js';
import type { FinalHypothesis, PartialHypothesis, Segmenter } from '../decoder/segmenter.js';
import type { Batcher } from '../encoder/batcher.js';
import { type EncodedWindow, encode } from '../encoder/encode.js';
import type { Latency } from '../encoder/runtime.js';
import type { ObserveStage, Stage } from '../observability/stages.js';
import { timed } from '../observability/timed.js';
import type { AudioFormat, FinalMessage, PartialMessage } from '../protocol/messages.js';
import { data, type Flow } from '../util/flow.js';
import { joinChannels } from './join.js';

/** What one channel's stages need. */
export interface ChannelStages {
  readonly resampler: Resampler;
  readonly batcher: Batcher;
  readonly latency: Latency;
  readonly segmenter: Segmenter;
  readonly messages: (
    hypothesis: FinalHypothesis | PartialHypothesis,
  ) => readonly (PartialMessage | FinalMessage)[];
  /** Called before each step of adapting and decoding, be it audio or a boundary, which waits for what is returned. */
  readonly before: () => Promise<void> | undefined;
  /** Emits a window once, its log-probabilities leaning towards the list in force. */
  readonly adapt: (item: Flow<EncodedWindow>) => Observable<Flow<EncodedWindow>>;
  /** Called when the step is done. */
  readonly after: () => void;
  /** Told the frame up to which the channel is decoded. */
  readonly progress: (frame: number) => void;
  /** Told how long stages take, but for the encoder, which works for many channels at once. */
  readonly observe?: ObserveStage | undefined;
}

/**
 * Bytes become samples, samples become log-probabilities, which lean towards the list; log-probabilities become
 * hypotheses, hypotheses become messages. Boundaries pass through all stages in their place.
 */
export function pipeline(
  bytes: Observable<Flow<Uint8Array>>,
  audio: AudioFormat,
  channels: readonly ChannelStages[],
): Observable<Flow<PartialMessage | FinalMessage>> {
  const samples = bytes.pipe(toSamples(audio), share());
  return joinChannels(
    channels.map((stages, channel) => {
      const { frameSamples } = stages.batcher.runtime.description;
      const { observe } = stages;
      const told = (stage: Stage) => observe && ((seconds: number) => observe(stage, seconds));
      return samples.pipe(
        timed(
          pipe(resampled(stages.resampler, channel), window({ ...stages.latency, frameSamples })),
          told('windowing'),
        ),
        encode(stages.batcher, stages.latency),
        inSteps(stages),
        tap((item) => {
          if (item.kind === 'data') stages.progress(item.value.window.frame + item.value.window.to);
        }),
        timed(
          decode(stages.segmenter, (pcm) => frameLevels(pcm, frameSamples)),
          told('decoder'),
        ),
        timed(captioned(stages), told('captions')),
      );
    }),
  );
}

/** Each item when its step may begin, adapted. The step is done when everything behind has seen what comes of it. */
function inSteps({
  before,
  adapt,
  after,
}: ChannelStages): OperatorFunction<Flow<EncodedWindow>, Flow<EncodedWindow>> {
  return concatMap((item) => {
    const wait = before();
    return concat(
      wait === undefined ? EMPTY : from(wait).pipe(ignoreElements()),
      defer(() => adapt(item)),
      defer(() => {
        after();
        return EMPTY;
      }),
    );
  });
}

function captioned({
  messages,
}: ChannelStages): OperatorFunction<
  Flow<FinalHypothesis | PartialHypothesis>,
  Flow<PartialMessage | FinalMessage>
> {
  return concatMap((item) =>
    from(item.kind === 'data' ? messages(item.value).map((each) => data(each)) : [item]),
  );
}

/** An array of samples per channel. */
function toSamples(audio: AudioFormat): OperatorFunction<Flow<Uint8Array>, Flow<Float32Array[]>> {
  return map((item) => (item.kind === 'data' ? data(decodeFrame(audio, item.value)) : item));
}

/** One channel at the model's rate; what ends a segment takes along the samples that the resampler still holds back. */
function resampled(
  resampler: Resampler,
  channel: number,
): OperatorFunction<Flow<Float32Array[]>, Flow<Float32Array>> {
  return map((item) => {
    if (item.kind === 'data') return data(resampler.push(item.value[channel]!));
    if (item.boundary.type === 'mark') return item;
    return { kind: 'boundary', boundary: { ...item.boundary, tail: resampler.flush() } };
  });
}
