import { symbolOf, WORD_BEGIN } from './alphabet.js';
import {
  BELOW,
  bitsOf,
  CHILDREN,
  type Claim,
  depthOf,
  FACTS_SIZE,
  type GraphNodes,
  LATER,
  PARENT,
  POSITION,
  popcount,
  positionOf,
  ROOT,
  STEP_SIZE,
  SYMBOL_BITS,
  TITLE,
  type Title,
  titleOf,
  WEIGHT,
  wordsOf,
} from './graph-nodes.js';
import { PagedList } from './paged-list.js';
import { Pages } from './pages.js';
import type { SpelledEntry } from './spellings.js';

/** The trie of a list, laid out breadth first: the children of a node are consecutive, and what is read most is close. */
export function buildNodes(list: readonly SpelledEntry[]): GraphNodes {
  const claims = claimsOf(list);
  const spellings = [...claims.keys()].sort();
  const titles = spellings.map((spelling) => titleOf(claims.get(spelling)!));
  const { text, offset } = flatten(spellings);
  const steps = new Int32Array((text.length + 1) * STEP_SIZE);
  const facts = new Int32Array((text.length + 1) * FACTS_SIZE);
  const size = grow(text, offset, steps, facts);
  weigh(size, titles, steps, facts);
  return {
    steps: Pages.of(steps.subarray(0, size * STEP_SIZE)),
    facts: Pages.of(facts.subarray(0, size * FACTS_SIZE)),
    edges: Pages.of(new Int32Array(0)),
    titles: PagedList.of<Title | undefined>(titles),
    entries: list.reduce((sum, { entry }) => (entry === undefined ? sum : sum + 1), 0),
    words: spellings.reduce((sum, spelling) => sum + wordsOf(spelling), 0),
    size,
    nodesEnd: size,
    edgesEnd: 0,
    freeNodes: undefined,
    freeTitles: undefined,
    freeEdges: [],
  };
}

function claimsOf(list: readonly SpelledEntry[]): ReadonlyMap<string, Claim[]> {
  const claims = new Map<string, Claim[]>();
  for (const { entry, spellings } of list) {
    if (entry === undefined) continue;
    for (const { spelling, direct } of spellings) {
      const others = claims.get(spelling);
      if (others === undefined) claims.set(spelling, [{ entry, direct }]);
      else others.push({ entry, direct });
    }
  }
  return claims;
}

/** Symbols of all spellings, each with its leading `▁`; spelling i is [offset[i], offset[i + 1]). */
function flatten(spellings: readonly string[]): { readonly text: Uint8Array; readonly offset: Int32Array } {
  const offset = new Int32Array(spellings.length + 1);
  for (const [i, spelling] of spellings.entries()) offset[i + 1] = offset[i]! + spelling.length + 1;
  const text = new Uint8Array(offset[spellings.length]!);
  for (const [i, spelling] of spellings.entries()) {
    const at = offset[i]!;
    text[at] = WORD_BEGIN;
    for (let j = 0; j < spelling.length; j++) text[at + 1 + j] = symbolOf(spelling.charCodeAt(j));
  }
  return { text, offset };
}

/** Lays out the nodes level by level over the sorted spellings; returns their number. */
function grow(text: Uint8Array, offset: Int32Array, steps: Int32Array, facts: Int32Array): number {
  // the spellings that go through a node are a range of rows
  const low = new Int32Array(text.length + 1);
  const high = new Int32Array(text.length + 1);
  high[ROOT] = offset.length - 1;
  facts[TITLE] = -1;
  let size = 1;
  for (let node = 0; node < size; node++) {
    const position = facts[node * FACTS_SIZE + POSITION]!;
    const level = depthOf(position);
    let row = low[node]!;
    const rows = high[node]!;
    if (row < rows && offset[row + 1]! - offset[row]! === level) {
      facts[node * FACTS_SIZE + TITLE] = row;
      row += 1;
    }
    const ownLater = steps[node * STEP_SIZE + CHILDREN]!;
    let mask = ownLater;
    steps[node * STEP_SIZE + BELOW] = size;
    while (row < rows) {
      const symbol = text[offset[row]! + level]!;
      const from = row;
      while (row < rows && text[offset[row]! + level] === symbol) row += 1;
      mask |= 1 << symbol;
      low[size] = from;
      high[size] = row;
      steps[size * STEP_SIZE + CHILDREN] = node !== ROOT && symbol === WORD_BEGIN ? LATER : ownLater;
      facts[size * FACTS_SIZE + POSITION] = positionOf(level + 1, symbol);
      facts[size * FACTS_SIZE + PARENT] = node;
      facts[size * FACTS_SIZE + TITLE] = -1;
      size += 1;
    }
    steps[node * STEP_SIZE + CHILDREN] = mask;
  }
  return size;
}

/** Children have higher numbers than their parents. The bits of positive floats are in the order of the floats. */
function weigh(size: number, titles: readonly Title[], steps: Int32Array, facts: Int32Array): void {
  for (let node = size - 1; node >= 0; node--) {
    const title = facts[node * FACTS_SIZE + TITLE]!;
    let weight = title < 0 ? 0 : bitsOf(titles[title]!.weight);
    const begin = steps[node * STEP_SIZE + BELOW]!;
    const end = begin + popcount(steps[node * STEP_SIZE + CHILDREN]! & SYMBOL_BITS);
    for (let child = begin; child < end; child++) {
      weight = Math.max(weight, facts[child * FACTS_SIZE + WEIGHT]!);
    }
    facts[node * FACTS_SIZE + WEIGHT] = weight;
  }
}
