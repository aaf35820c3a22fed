/** How three servers are spoken to, and what they say, brought to one form. */
import type { ServerMessage } from '../../src/protocol/messages.js';
import type { Line } from '../load/speech.js';

/** What a frame from a server tells. */
export type Heard =
  /** All that the open segment says by now, and when its newest word ended in the audio, in seconds. */
  | { readonly type: 'partial'; readonly text: string; readonly end: number }
  | { readonly type: 'final'; readonly segment: number; readonly text: string }
  | { readonly type: 'over' };

export interface Dialect {
  readonly line: Line;
  readonly subprotocols: readonly string[];
  /** Sent before the audio. */
  readonly first?: string;
  /** Whether the audio may begin with what the server says first. */
  readonly waits: boolean;
  /** Sent behind it. */
  readonly last: string;
  hear(frame: string): readonly Heard[];
}

/** CTC tokens are dated by the frame in which they appear, and end with it. */
const FRAME_SECONDS = 0.04;

export const LEXIGATE: Dialect = {
  line: 'microphone',
  subprotocols: ['lexigate.v1'],
  first: JSON.stringify({
    type: 'start',
    audio: { encoding: 's16le', sampleRate: 16_000, channels: 1 },
  }),
  waits: true,
  last: '{"type":"stop"}',
  hear: (frame) => {
    const message = JSON.parse(frame) as ServerMessage;
    switch (message.type) {
      case 'partial':
        return [{ type: 'partial', text: message.text, end: message.end }];
      case 'final':
        return [{ type: 'final', segment: message.segment, text: message.text }];
      case 'stopped':
        return [{ type: 'over' }];
      case 'error':
        throw new Error(message.message);
      default:
        return [];
    }
  },
};

interface SherpaResult {
  readonly text: string;
  readonly timestamps: readonly number[];
  readonly start_time: number;
  readonly segment: number;
}

export const SHERPA: Dialect = {
  line: 'float',
  subprotocols: [],
  waits: false,
  last: 'Done',
  hear: (frame) => {
    if (frame === 'Done!') return [{ type: 'over' }];
    const { text, timestamps, start_time, segment } = JSON.parse(frame) as SherpaResult;
    const end = start_time + (timestamps.at(-1) ?? 0) + FRAME_SECONDS;
    // the last result of a segment is its final; which it is shows only when another follows
    return [
      { type: 'partial', text, end },
      { type: 'final', segment, text },
    ];
  },
};

interface WhisperResult {
  readonly text: string;
  readonly end: number;
}

export const WHISPER: Dialect = {
  line: 'float',
  subprotocols: [],
  waits: false,
  last: 'Done',
  hear: (frame) => {
    if (frame === 'Done!') return [{ type: 'over' }];
    const { text, end } = JSON.parse(frame) as WhisperResult;
    return [
      { type: 'partial', text, end },
      { type: 'final', segment: 0, text },
    ];
  },
};
