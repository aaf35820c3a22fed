/** Words with times become subtitles, by rules that style guides for captions share. */
import { breakLines, clings, lengthOf } from './subtitles-lines.js';

/** All times in seconds. */
export interface TimedWord {
  /** May hold spaces, as an entry does that was heard as one. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Absent where there is but one. */
  readonly speaker?: string;
}

/** What is on the screen from `start` to `end`, in seconds. */
export interface Cue {
  readonly start: number;
  readonly end: number;
  /** One or two. */
  readonly lines: readonly string[];
  readonly speaker?: string;
}

export interface CueRules {
  /** Characters. 42: what broadcasters and streaming services agree on for the Latin alphabet. */
  readonly maxLineLength: number;
  /** Characters of the first line that are kept for the speaker's name. */
  readonly prefixWidth: number;
  /** A cue that is shorter flickers. */
  readonly minSeconds: number;
  /** One that is longer is read twice. */
  readonly maxSeconds: number;
  /** Reading speed of adults, spaces counted. Given up only where the next words follow sooner. */
  readonly maxCharactersPerSecond: number;
  /** Two pictures of 24 a second: without it the eye does not notice that the text has changed. */
  readonly gapSeconds: number;
  /** A pause as long as this always ends a cue; longer than `minSeconds` and `gapSeconds`, so that there is time. */
  readonly pauseSeconds: number;
  /** A gap up to this lies between any two words: recognition dates a word's end early. */
  readonly breathSeconds: number;
  /** A gap that is shorter looks like a fault and is closed up to `gapSeconds`. */
  readonly chainSeconds: number;
  /** Text stays this long behind its last word where there is room: the eye is later than the ear. */
  readonly lingerSeconds: number;
}

export const DEFAULT_RULES: CueRules = {
  maxLineLength: 42,
  prefixWidth: 0,
  minSeconds: 1,
  maxSeconds: 7,
  maxCharactersPerSecond: 20,
  gapSeconds: 0.08,
  pauseSeconds: 1.2,
  breathSeconds: 0.3,
  chainSeconds: 0.5,
  lingerSeconds: 0.4,
};

/** Without the gap rather than too short to be seen at all, in seconds. */
const GLIMPSE = 0.2;

/** Words that begin together are spread by this much, in seconds, so that every cue lasts. */
const TICK = 0.01;

/**
 * Cues in the order of their begins, a speaker's without overlap. Speakers who talk at once overlap: that is what
 * happened, and one after the other would be a claim that it did not.
 * @param words each speaker's in the order in which they were spoken
 */
export function toCues(words: readonly TimedWord[], changes: Partial<CueRules> = {}): Cue[] {
  const rules = { ...DEFAULT_RULES, ...changes };
  const speakers = new Set(words.map(({ speaker }) => speaker));
  const cues = [...speakers].flatMap((speaker) => {
    const own = spread(words.filter((word) => word.speaker === speaker).flatMap(split));
    return time(group(own, rules), rules).map((cue) => (speaker === undefined ? cue : { ...cue, speaker }));
  });
  return cues.sort((a, b) => a.start - b.start);
}

/** Its parts where a word holds spaces, each with the time that its letters take. */
function split({ text, start, end }: TimedWord): TimedWord[] {
  const parts = text.split(/\s+/).filter((part) => part !== '');
  const letters = parts.reduce((sum, part) => sum + lengthOf(part), 0);
  let before = 0;
  return parts.map((part) => {
    const from = start + ((end - start) * before) / letters;
    before += lengthOf(part);
    return { text: part, start: from, end: start + ((end - start) * before) / letters };
  });
}

function spread(words: readonly TimedWord[]): TimedWord[] {
  let earliest = Number.NEGATIVE_INFINITY;
  return words.map(({ text, start, end }) => {
    const from = Math.max(start, earliest);
    earliest = from + TICK;
    return { text, start: from, end: Math.max(end, earliest) };
  });
}

interface Group {
  readonly words: readonly TimedWord[];
  readonly lines: readonly string[];
}

/** The division into cues that costs least in all, found from front to back (dynamic programming). */
function group(words: readonly TimedWord[], rules: CueRules): Group[] {
  const best = [{ cost: 0, from: 0, lines: [] as readonly string[] }];
  for (let to = 1; to <= words.length; to++) {
    let choice = { cost: Number.POSITIVE_INFINITY, from: to - 1, lines: [] as readonly string[] };
    let pauses = 0;
    for (let from = to - 1; from >= 0; from--) {
      const own = words.slice(from, to);
      if (own.length > 1) {
        const gap = gapBehind(words, from);
        if (gap >= rules.pauseSeconds || own.at(-1)!.end - own[0]!.start > rules.maxSeconds) break;
        pauses += 4 * pauseOf(gap, rules) ** 2;
      }
      const lines = breakLines(
        own.map(({ text }) => text),
        rules,
      );
      if (lines === undefined) break;
      const cost = best[from]!.cost + pauses + cueCost(words, from, to, lines, rules);
      if (cost < choice.cost) choice = { cost, from, lines };
    }
    best.push(choice);
  }
  const groups: Group[] = [];
  for (let to = words.length; to > 0; to = best[to]!.from) {
    groups.push({ words: words.slice(best[to]!.from, to), lines: best[to]!.lines });
  }
  return groups.reverse();
}

function gapBehind(words: readonly TimedWord[], index: number): number {
  const next = words[index + 1];
  return next === undefined ? Number.POSITIVE_INFINITY : next.start - words[index]!.end;
}

/** 0 for what lies between any two words, 1 for a pause that always ends a cue. */
function pauseOf(gap: number, { breathSeconds, pauseSeconds }: CueRules): number {
  return Math.max(0, Math.min(1, (gap - breathSeconds) / (pauseSeconds - breathSeconds)));
}

/**
 * What speaks against a cue of the words `from` to `to`. A cue costs 1, so that there are few; the weights of the rest,
 * and of pauses within a cue, say how many more cues it is worth to avoid them.
 */
function cueCost(
  words: readonly TimedWord[],
  from: number,
  to: number,
  lines: readonly string[],
  rules: CueRules,
): number {
  const { minSeconds, maxSeconds, maxCharactersPerSecond, gapSeconds, maxLineLength } = rules;
  const start = words[from]!.start;
  const next = words[to]?.start ?? Number.POSITIVE_INFINITY;
  const seconds = Math.max(TICK, Math.min(maxSeconds, next - gapSeconds - start));
  const characters = charactersOf(lines);
  const tooShort = Math.max(0, 1 - seconds / minSeconds);
  const tooFast = Math.max(0, 1 - (seconds * maxCharactersPerSecond) / characters);
  const last = words[to - 1]!.text;
  const midSpeech = /[.?!…]$/.test(last) ? 0 : 1 - pauseOf(gapBehind(words, to - 1), rules);
  const empty = 1 - Math.min(1, characters / (2 * maxLineLength));
  return 1 + 6 * tooShort + 3 * tooFast + (clings(last) ? 3 : 2) * midSpeech + 0.5 * empty ** 2;
}

function charactersOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + lengthOf(line), lines.length - 1);
}

/** A cue begins with its first word and stays as long as it takes to read, if the next one lets it. */
function time(groups: readonly Group[], rules: CueRules): Cue[] {
  return groups.map(({ words, lines }, i) => {
    const { start } = words[0]!;
    const next = groups[i + 1]?.words[0]?.start ?? Number.POSITIVE_INFINITY;
    const wanted = Math.max(
      words.at(-1)!.end + rules.lingerSeconds,
      start + rules.minSeconds,
      start + charactersOf(lines) / rules.maxCharactersPerSecond,
    );
    const latest = next - rules.gapSeconds;
    const chained = next - wanted < rules.chainSeconds ? latest : Math.min(wanted, latest);
    const end = Math.min(chained, start + rules.maxSeconds);
    return { start, end: end - start < GLIMPSE ? Math.min(next, start + GLIMPSE) : end, lines };
  });
}
