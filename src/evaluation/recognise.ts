import type { Latency } from '../encoder/runtime.js';
import type { FinalMessage } from '../protocol/messages.js';
import { DEFAULT_LIMITS } from '../session/limits.js';
import type { Recogniser, RecogniserConfig, RecogniserFactory } from '../session/recogniser.js';
import { toConfig } from '../session/start.js';
import type { MonoAudio } from './audio.js';
import type { Configuration } from './configurations.js';

export interface RecogniseOptions {
  readonly configuration: Configuration;
  readonly latency: Latency;
  /** Whether pauses end segments, as they do in the gateway. */
  readonly endpoints: boolean;
}

/** Clients send packets of about this length. */
const PACKET_SECONDS = 0.1;

/** Sends a recording as a client does, only faster, and resolves with the text of its finals. */
export async function recognise(
  recognisers: RecogniserFactory,
  audio: MonoAudio,
  list: readonly string[],
  options: RecogniseOptions,
): Promise<string> {
  const config = configOf(audio, list, options);
  const recogniser = await recognisers.open(config);
  try {
    // what a session learns within its first second shall take part from the begin, however fast the audio comes
    const { g2g, lexicon, encoder } = config.biasing;
    if ((g2g || lexicon || encoder) && config.vocabulary.length > 0) await settled(recogniser);
    return await stream(recogniser, audio);
  } finally {
    recogniser.close();
  }
}

/** Exactly what a `start` message with these wishes leads to, so that every default is the gateway's. */
function configOf(
  { sampleRate }: MonoAudio,
  list: readonly string[],
  { configuration, latency, endpoints }: RecogniseOptions,
): RecogniserConfig {
  const { beam, languageModel, vocabulary, biasing } = configuration;
  return toConfig(
    {
      type: 'start',
      audio: { encoding: 'f32le', sampleRate, channels: 1 },
      options: {
        ...(beam !== undefined && { beam }),
        languageModel,
        biasing: {
          adaptive: biasing.includes('adaptive'),
          unigram: biasing.includes('unigram'),
          phonetic: biasing.includes('phonetic'),
          lexicon: biasing.includes('lexicon'),
          g2g: biasing.includes('g2g'),
          encoder: biasing.includes('encoder'),
          acceptance: biasing.includes('acceptance'),
        },
        partials: false,
        endpoint: { enabled: endpoints },
      },
      ...(vocabulary && { vocabulary: [...list] }),
    },
    latency,
    // an utterance's own entities come on top of a list of the largest size
    { ...DEFAULT_LIMITS, maxEntries: Math.max(DEFAULT_LIMITS.maxEntries, list.length) },
  );
}

/** Resolves when what is learnt about the list takes part. */
function settled(recogniser: Recogniser): Promise<void> {
  return new Promise((resolve, reject) => {
    const subscription = recogniser.events.subscribe((event) => {
      if (event.type === 'failed') reject(new Error(event.message));
      else if (event.type === 'vocabulary.settled') resolve();
      else return;
      subscription.unsubscribe();
    });
  });
}

/** Reads no further than the gateway would while audio waits to be decoded (see `SessionLimits`). */
function stream(recogniser: Recogniser, { sampleRate, samples }: MonoAudio): Promise<string> {
  const packet = Math.round(sampleRate * PACKET_SECONDS);
  const mostWaiting = DEFAULT_LIMITS.maxBufferedSeconds * sampleRate;
  const finals: FinalMessage[] = [];
  let sent = 0;
  let stopped = false;
  const send = (decoded: number): void => {
    for (; sent < samples.length && sent - decoded < mostWaiting; sent += packet) {
      const part = samples.slice(sent, sent + packet);
      recogniser.send({ type: 'audio', bytes: new Uint8Array(part.buffer) });
    }
    if (sent < samples.length || stopped) return;
    stopped = true;
    recogniser.send({ type: 'boundary', boundary: { type: 'stop' } });
  };
  return new Promise((resolve, reject) => {
    recogniser.events.subscribe((event) => {
      if (event.type === 'final') finals.push(event);
      else if (event.type === 'progress') send(event.sample);
      else if (event.type === 'failed') reject(new Error(event.message));
      else if (event.type === 'stopped') resolve(finals.map(({ text }) => text).join(' '));
    });
    send(0);
  });
}
