import type { FinalMessage, PartialMessage, Word } from '../protocol/messages.js';
import type { RecogniserCommand, RecogniserEvent } from './recogniser.js';

/** What a session has behind it when another recogniser goes on: its clock and its counts begin at nothing. */
export interface Past {
  /** Client's samples. */
  readonly sample: number;
  /** Segments that are told, by channel. */
  readonly segments: readonly number[];
  readonly words: number;
  /** Versions of the list besides those that the recogniser counts. */
  readonly versions: number;
}

/** A command as a recogniser is told it that began at `sample`. */
export function shiftCommand(command: RecogniserCommand, sample: number): RecogniserCommand {
  if (command.type !== 'vocabulary' || typeof command.at !== 'number') return command;
  return { ...command, at: Math.max(0, command.at - sample) };
}

/** An event on the session's clock and in its counts. */
export function shiftEvent(event: RecogniserEvent, past: Past, sampleRate: number): RecogniserEvent {
  switch (event.type) {
    case 'partial':
      return shiftCaption(event, past, sampleRate);
    case 'final': {
      const { startSample, endSample } = event;
      const samples = { startSample: startSample + past.sample, endSample: endSample + past.sample };
      return { ...shiftCaption(event, past, sampleRate), ...samples };
    }
    case 'progress':
    case 'mark':
    case 'flushed':
      return { ...event, sample: event.sample + past.sample };
    case 'vocabulary.applied':
      return { ...event, sample: event.sample + past.sample, version: event.version + past.versions };
    case 'stopped':
      return {
        ...event,
        audioSeconds: (event.samples + past.sample) / sampleRate,
        samples: event.samples + past.sample,
        segments: event.segments + past.segments.reduce((sum, count) => sum + count, 0),
        words: event.words + past.words,
        vocabularyVersion: event.vocabularyVersion + past.versions,
      };
    default:
      return event;
  }
}

function shiftCaption<M extends PartialMessage | FinalMessage>(
  message: M,
  past: Past,
  sampleRate: number,
): M {
  const seconds = (sample: number): number => Math.round((sample / sampleRate) * 1e6) / 1e6;
  const words = message.words?.map((word): Word => {
    const startSample = word.startSample + past.sample;
    const endSample = word.endSample + past.sample;
    return { ...word, startSample, endSample, start: seconds(startSample), end: seconds(endSample) };
  });
  return {
    ...message,
    segment: message.segment + past.segments[message.channel]!,
    start: words?.[0]?.start ?? message.start,
    end: words?.at(-1)?.end ?? message.end,
    ...(words !== undefined && { words }),
  };
}
