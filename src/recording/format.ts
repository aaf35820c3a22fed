/**
 * A recording is a folder of these files. The audio is as the client sent it; docs/recording.md tells about the rest.
 */
import type {
  RecogniserConfig,
  RecogniserEvent,
  UpdateMoment,
  VocabularyChange,
} from '../session/recogniser.js';
import type { Boundary } from '../util/flow.js';

export const FORMAT = 1;

export const FILES = {
  /** `SessionRecord`. */
  session: 'session.json',
  /** The client's frames one after the other, in the format of the session. */
  audio: 'audio.raw',
  /** `CommandRecord`, one a line. */
  commands: 'commands.jsonl',
  /** What was told, one message a line. */
  messages: 'messages.jsonl',
  /** `EndRecord`; absent where the gateway itself came to an end. */
  end: 'end.json',
} as const;

/** What a session ran on. */
export interface ModelRecord {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the files of its folder, by their names. */
  readonly files: Readonly<Record<string, string>>;
}

export interface SessionRecord {
  readonly format: typeof FORMAT;
  /** Of the gateway. */
  readonly lexigate: string;
  /** ISO 8601. */
  readonly begun: string;
  readonly model: ModelRecord;
  readonly config: RecogniserConfig;
}

/** Something that came between the audio, behind so many samples of a channel. */
export type CommandRecord =
  | { readonly sample: number; readonly boundary: Boundary }
  | {
      readonly sample: number;
      readonly update: {
        readonly id: string;
        readonly change: VocabularyChange;
        readonly at: UpdateMoment;
        readonly retroactive: boolean;
        readonly step: number;
      };
    };

export interface EndRecord {
  /** `stopped`: by the client's `stop`. `cut`: without one. `truncated`: the recording ends before the session. */
  readonly ended: 'stopped' | 'cut' | 'truncated';
  /** Why a recording is truncated. */
  readonly why?: string;
}

/**
 * The line of a message that is the same whenever it is told: without what a clock measured. Undefined for what no client
 * is told.
 */
export function lineOf(event: RecogniserEvent): string | undefined {
  switch (event.type) {
    case 'progress':
    case 'placed':
    case 'vocabulary.settled':
      return undefined;
    case 'vocabulary.applied':
      return JSON.stringify({ ...event, buildMs: 0 });
    default:
      return JSON.stringify(event);
  }
}
