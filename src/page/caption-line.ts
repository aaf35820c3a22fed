import { speakerName } from '../captions/speaker.js';
import type { FinalMessage, PartialMessage, Word } from '../protocol/messages.js';

/** What was spoken between two pauses, as it stands now. */
export interface CaptionLine {
  /** The same for all states of one segment. */
  readonly key: string;
  readonly words: readonly Word[];
  /** Leading words that will not change. */
  readonly committed: number;
  readonly final: boolean;
  /** Absent where there is but one. */
  readonly speaker?: string;
}

/**
 * @param channels of the session: with two each is a speaker
 * @param session a name that no other session has, also of other pages: each counts its segments from 0
 */
export function lineOf(
  message: PartialMessage | FinalMessage,
  session: string,
  channels: number,
): CaptionLine {
  const { channel, segment, words = [] } = message;
  const final = message.type === 'final';
  return {
    key: `${session}/${channel}/${segment}`,
    words,
    committed: final ? words.length : committedWords(words, message.committed),
    final,
    ...(channels === 2 && { speaker: speakerName(channel) }),
  };
}

/** Words that the committed text is made of; a word may itself hold spaces. */
function committedWords(words: readonly Word[], committed: string): number {
  let length = -1;
  let count = 0;
  for (const { word } of words) {
    length += 1 + word.length;
    if (length > committed.length) break;
    count++;
  }
  return count;
}
