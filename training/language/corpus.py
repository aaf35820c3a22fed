#!/usr/bin/env python3
"""Sentences of the text corpus -> normalised training and held-out text, a file per domain, and the word counts.

    python corpus.py OUT_FOLDER TEXT_FOLDER ... [--exclude DEV.tsv ...]

Each TEXT_FOLDER holds `<domain>.txt.gz`, a sentence a line. Writes OUT/<domain>.train, OUT/<domain>.held (one sentence in
fifty, by md5 of the raw sentence, the same rule as for the synthetic speech) and OUT/counts.json.
Books of the text were also read aloud for the development speech. Sentences that share seven words in a row with a
transcript of DEV.tsv, or that lie whole in one (three words or more), are therefore left out.
"""
import argparse
import collections
import csv
import gzip
import hashlib
import json
import pathlib
import re
import unicodedata

HELD_OUT = 50


def held_out(sentence: str) -> bool:
    """Whether a raw sentence belongs to the development part."""
    return int(hashlib.md5(sentence.encode()).hexdigest(), 16) % HELD_OUT == 0


def normalise(sentence: str) -> str:
    """Transcript form: lower case letters, apostrophes inside words, single spaces. Accents fall, quotes are no apostrophes."""
    s = unicodedata.normalize('NFKD', sentence.replace('\u2019', "'"))
    s = ''.join(c for c in s if not unicodedata.combining(c)).lower()
    words = re.sub(r"[^a-z' ]", ' ', s).split()
    return ' '.join(w for w in (trim(w) for w in words) if w)


def trim(word: str) -> str:
    """A word without the quotation marks around it; 'tis, 'em and plural possessives (dogs') keep theirs."""
    if word.startswith("'") and word not in LEADING:
        word = word.lstrip("'")
    if word.endswith("'") and not re.search(r"(s|in|o|th)'$", word):
        word = word.rstrip("'")
    return word if word.strip("'") else ''


LEADING = {"'tis", "'twas", "'em", "'til", "'cause", "'twere", "'twill", "'tisn't", "'twasn't", "'bout", "'d", "'s", "'ll"}


class Spoken:
    """Word sequences of development transcripts."""

    LONG = 7

    def __init__(self, manifests: list[pathlib.Path]) -> None:
        self.transcripts: list[str] = []
        for manifest in manifests:
            with open(manifest, encoding='utf-8') as file:
                rows = csv.DictReader(file, delimiter='\t', quoting=csv.QUOTE_NONE)
                self.transcripts += [row['transcript'] for row in rows]
        self.grams = {g for t in self.transcripts for n in range(3, self.LONG + 1) for g in self._grams(t.split(), n)}

    @staticmethod
    def _grams(words: list[str], n: int) -> list[tuple[str, ...]]:
        return [tuple(words[i:i + n]) for i in range(len(words) - n + 1)]

    def contains(self, sentence: str) -> bool:
        words = sentence.split()
        return len(words) >= 3 and any(g in self.grams for g in self._grams(words, min(len(words), self.LONG)))


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument('out', type=pathlib.Path)
    args.add_argument('text', type=pathlib.Path, nargs='+')
    args.add_argument('--exclude', type=pathlib.Path, nargs='*', default=[], help='manifests of development speech')
    a = args.parse_args()
    spoken = Spoken(a.exclude)
    a.out.mkdir(parents=True, exist_ok=True)
    counts: dict[str, collections.Counter[str]] = {}
    for file in sorted(f for folder in a.text for f in folder.glob('*.txt.gz')):
        domain = file.name.removesuffix('.txt.gz')
        counts[domain] = collections.Counter()
        parts: dict[bool, list[str]] = {False: [], True: []}
        dropped = 0
        with gzip.open(file, 'rt', encoding='utf-8') as lines:
            for line in lines:
                sentence = line.rstrip('\n')
                words = normalise(sentence)
                if spoken.contains(words):
                    dropped += 1
                elif words:
                    parts[held_out(sentence)].append(words)
        (a.out / f'{domain}.train').write_text('\n'.join(parts[False]) + '\n')
        (a.out / f'{domain}.held').write_text('\n'.join(parts[True]) + '\n')
        for s in parts[False]:
            counts[domain].update(s.split())
        print(domain, len(parts[False]), 'sentences', sum(counts[domain].values()), 'words;', len(parts[True]), 'held out;', dropped, 'spoken in the development sets')
    (a.out / 'counts.json').write_text(json.dumps(counts))


if __name__ == '__main__':
    main()
