import type { AudioFormat } from '../../protocol/messages.js';
import type { Packet } from '../packets.js';
import type { ProcessorOptions } from './capture-worklet.js';

/** The gateway hears 8 to 48 kHz. */
const MAX_SAMPLE_RATE = 48_000;

/** How long the last packet is waited for, in milliseconds: an audio thread that the system has halted sends none. */
const FLUSH_MS = 500;

export interface CaptureOptions {
  readonly onPacket: (packet: Packet) => void;
  /** The microphone was pulled out, or the audio came to its end. */
  readonly onEnded?: () => void;
  /** Left and right stay apart, as two channels; otherwise they are mixed. */
  readonly apart?: boolean;
  /** Where `capture-worklet.js` lies; beside this file unless it is said. */
  readonly workletUrl?: string | URL;
}

export interface MicrophoneOptions extends CaptureOptions {
  /** What the browser is asked for; one channel with its usual echo and noise treatment unless it is said. */
  readonly constraints?: MediaTrackConstraints;
}

export interface PlaybackOptions extends CaptureOptions {
  readonly audio: AudioBuffer;
}

/** Sound on its way into a session. */
export interface Capture {
  /** What the packets are: s16le at the rate of the browser's own clock, which the gateway resamples. */
  readonly format: AudioFormat;
  /** Lets go of the microphone; resolves behind the last packet. */
  stop(): Promise<void>;
}

/** Asks for the microphone and sends packets of 100 ms. Call it when the user clicks: browsers want that. */
export async function captureMicrophone(options: MicrophoneOptions): Promise<Capture> {
  // absent, whatever the types say, where the page is neither at HTTPS nor at localhost
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) {
    throw new Error('The browser lends its microphone only to pages at HTTPS or localhost.');
  }
  const audio = options.constraints ?? { channelCount: 1 };
  const stream = await devices.getUserMedia({ audio });
  const release = (): void => {
    for (const track of stream.getTracks()) track.stop();
  };
  try {
    const context = newContext();
    const source = context.createMediaStreamSource(stream);
    const capture = await connect(context, source, options, release);
    stream.getAudioTracks()[0]?.addEventListener('ended', () => options.onEnded?.());
    return capture;
  } catch (error) {
    release();
    throw error;
  }
}

/** Plays audio to the loudspeaker, and sends it as it sounds. */
export async function capturePlayback(options: PlaybackOptions): Promise<Capture> {
  const context = newContext();
  const source = context.createBufferSource();
  source.buffer = options.audio;
  source.connect(context.destination);
  source.addEventListener('ended', () => options.onEnded?.());
  const capture = await connect(context, source, options, () => {
    source.stop();
  });
  source.start();
  return capture;
}

/** The device's own rate, so that the browser need not resample; only what the gateway does not hear is converted. */
function newContext(): AudioContext {
  const context = new AudioContext();
  if (context.sampleRate <= MAX_SAMPLE_RATE) return context;
  void context.close();
  return new AudioContext({ sampleRate: MAX_SAMPLE_RATE });
}

async function connect(
  context: AudioContext,
  source: AudioNode,
  { onPacket, apart = false, workletUrl = new URL('./capture-worklet.js', import.meta.url) }: CaptureOptions,
  release: () => void,
): Promise<Capture> {
  try {
    await context.audioWorklet.addModule(workletUrl);
    await context.resume();
  } catch (error) {
    await context.close();
    throw error;
  }
  const channels = apart ? 2 : 1;
  const node = new AudioWorkletNode(context, 'lexigate-capture', {
    numberOfOutputs: 0,
    processorOptions: { channels } satisfies ProcessorOptions,
  });
  const flushed = new Promise<void>((resolve) => {
    node.port.onmessage = ({ data }: MessageEvent<Packet | undefined>) => {
      if (data === undefined) resolve();
      else onPacket(data);
    };
  });
  source.connect(node);
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    node.port.postMessage('stop');
    await Promise.race([flushed, new Promise((resolve) => setTimeout(resolve, FLUSH_MS))]);
    release();
    await context.close();
  };
  return {
    format: { encoding: 's16le', sampleRate: context.sampleRate, channels },
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}
