import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DescribedFile, readDescribed } from '../util/checked-file.js';
import { G2p } from './g2p.js';
import { GraphemeTable } from './graphemes.js';
import { Lexicon } from './lexicon.js';
import { type KnownWords, Pronouncer } from './pronouncer.js';

interface PhoneticsManifest {
  readonly lexicon?: DescribedFile;
  readonly g2p?: DescribedFile;
  readonly graphemes?: DescribedFile;
}

/** What a bundle knows of pronunciations, in memory that threads share. Plain data: it goes to the workers. */
export interface PhoneticsFiles {
  /** Unpacked. */
  readonly lexicon: SharedArrayBuffer;
  readonly g2p: SharedArrayBuffer;
  readonly graphemes: SharedArrayBuffer;
}

/** `undefined` where the bundle lacks one of lexicon, letters to phones and grapheme table. */
export async function loadPhonetics(folder: string): Promise<PhoneticsFiles | undefined> {
  const manifest = join(folder, 'language.json');
  if (!existsSync(manifest)) return undefined;
  const { lexicon, g2p, graphemes } = JSON.parse(await readFile(manifest, 'utf8')) as PhoneticsManifest;
  if (lexicon === undefined || g2p === undefined || graphemes === undefined) return undefined;
  const [packed, network, table] = await Promise.all(
    [lexicon, g2p, graphemes].map((each) => readDescribed(join(folder, each.file), each, manifest)),
  );
  const { bytes } = Lexicon.fromBytes(new Uint8Array(packed!));
  const unpacked = new SharedArrayBuffer(bytes.length);
  new Uint8Array(unpacked).set(bytes);
  return { lexicon: unpacked, g2p: network!, graphemes: table! };
}

/** A worker's own pronouncer over the files that all share. @param words see `PronouncerOptions` */
export async function createPronouncer(
  { lexicon, g2p, graphemes }: PhoneticsFiles,
  words?: KnownWords,
): Promise<Pronouncer> {
  return new Pronouncer({
    ...(words !== undefined && { words }),
    lexicon: Lexicon.fromBytes(new Uint8Array(lexicon)),
    // copies: neither the runtime nor the decoder takes shared memory
    g2p: await G2p.load(new Uint8Array(g2p).slice()),
    graphemes: GraphemeTable.parse(new TextDecoder().decode(new Uint8Array(graphemes).slice())),
  });
}
