import type { Speech, Utterance } from './speech.js';

/** What one stream says from begin to end: whole utterances in turn, each followed by a flush. */
export interface Track {
  readonly packets: readonly Uint8Array[];
  /** Packets sent when an utterance is over. */
  readonly ends: readonly number[];
  /** Which utterance of the speech each is. */
  readonly utterances: readonly number[];
}

/** Streams begin with one of so many utterances: that many different transcripts have to be known beforehand. */
const MAX_TRACKS = 4;

/** Tracks of at least so many packets; a stream takes the one of its number, modulo their count. */
export function tracksOf({ utterances }: Speech, packets: number): Track[] {
  const count = Math.min(MAX_TRACKS, utterances.length);
  const stride = Math.floor(utterances.length / count);
  return Array.from({ length: count }, (_, i) => trackFrom(utterances, i * stride, packets));
}

function trackFrom(utterances: readonly Utterance[], first: number, least: number): Track {
  const packets: Uint8Array[] = [];
  const ends: number[] = [];
  const said: number[] = [];
  for (let turn = first; packets.length < least; turn++) {
    const which = turn % utterances.length;
    packets.push(...utterances[which]!.packets);
    ends.push(packets.length);
    said.push(which);
  }
  return { packets, ends, utterances: said };
}
