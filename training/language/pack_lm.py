#!/usr/bin/env python3
"""A 3-gram model in ARPA form -> lm.bin, the form that the gateway maps into typed arrays without parsing.

    python pack_lm.py MODEL.arpa lm.bin [--unlisted .076]

Little endian. 64 bytes of header: magic "LXLM", then uint32: version (1), words V, bigrams B, trigrams T, trie nodes N,
floats in the codebooks (256 each), total bytes; zeros. The sections follow in this order, each padded to 8 bytes:

    unigramScore    f32 V       natural log-probability of the word
    unigramBackoff  f32 V       natural log of the back-off weight after it
    unigramBigrams  u32 V+1     first bigram of each word
    codebooks       f32 3x256   bigram scores, bigram back-offs, trigram scores
    bigramBlocks    u32 B/256+2 first trigram of every 256th bigram
    bigramOffsets   u16 B+1     first trigram of each bigram, from that of its block
    bigramWords     u16 B       second word, ascending within the first
    bigramScores    u8  B       index into codebook 0
    bigramBackoffs  u8  B       index into codebook 1
    trigramWords    u16 T       third word, ascending within the bigram
    trigramScores   u8  T       index into codebook 2
    trieChildren    u32 N+1     first child of each node of the letter trie (breadth first; node 0 is the root)
    trieBest        f32 N       greatest unigram score of any word below the node
    trieWords       u16 N       the word that ends at the node, 65535 for none
    trieLetters     u8  N       letter that leads to the node: 1 apostrophe, 2..27 a..z, ascending within the parent

`--unlisted` replaces the unigram probability of <unk>: the text whose commonest words made the list has fewer
unlisted words than what people say, names above all.

Word ids: 0 <unk>, 1 <s>, 2 </s>, then the words by the alphabet of the trie.
"""

import argparse
import math
import pathlib
import struct

import numpy as np

LN10 = math.log(10)
NONE = 65535
SPECIAL = ["<unk>", "<s>", "</s>"]
BLOCK = 256


def read_arpa(path: pathlib.Path) -> list[list[tuple[tuple[str, ...], float, float]]]:
    """ARPA file -> per order a list of (words, natural log-probability, natural log back-off)."""
    orders: list[list[tuple[tuple[str, ...], float, float]]] = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("\\") and line.rstrip().endswith("-grams:"):
                orders.append([])
            elif orders and line.strip() and not line.startswith("\\"):
                fields = line.split("\t") if "\t" in line else line.split(None, 1)
                words = tuple(fields[1].split())
                back = float(fields[2]) if len(fields) > 2 else 0.0
                orders[-1].append((words, float(fields[0]) * LN10, back * LN10))
    return orders


def codebook(values: np.ndarray, zero: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """256 levels by Lloyd's iteration -> (levels f32, codes u8). With `zero`, level 0 is exactly 0.

    It starts from quantiles and, so that rare extremes keep their value, from even steps over the range.
    """
    own = values[values != 0] if zero else values
    levels = np.zeros(1)
    if len(own):
        levels = np.unique(
            np.concatenate([np.quantile(own, np.linspace(0, 1, 128)), np.linspace(own.min(), own.max(), 128 - zero)])
        )
    ordered = np.sort(own)
    total = np.concatenate([[0.0], np.cumsum(ordered)])
    for _ in range(30 if len(own) else 0):
        cut = np.searchsorted(ordered, (levels[1:] + levels[:-1]) / 2)
        lo, hi = np.concatenate([[0], cut]), np.concatenate([cut, [len(ordered)]])
        levels = np.where(hi > lo, (total[hi] - total[lo]) / np.maximum(hi - lo, 1), levels)
    codes = np.searchsorted((levels[1:] + levels[:-1]) / 2, values)
    if zero:
        levels, codes = np.concatenate([[0.0], levels]), np.where(values == 0, 0, codes + 1)
    return np.pad(levels, (0, 256 - len(levels))).astype(np.float32), codes.astype(np.uint8)


def letter(c: str) -> int:
    return 1 if c == "'" else ord(c) - ord("a") + 2


def trie(words: list[str], scores: np.ndarray, first_id: int) -> dict[str, np.ndarray]:
    """Letter trie over sorted words, breadth first, so that the children of a node lie side by side."""
    children, best, ends, letters = [], [], [], []
    level = [(0, len(words), 0, 0)]  # range of words, depth, letter
    made = 1
    while level:
        below = []
        for lo, hi, depth, arc in level:
            ended = lo < hi and len(words[lo]) == depth
            best.append(scores[lo:hi].max() if hi > lo else -np.inf)
            ends.append(first_id + lo if ended else NONE)
            letters.append(arc)
            children.append(made)
            start = lo + ended
            while start < hi:
                c, stop = words[start][depth], start + 1
                while stop < hi and words[stop][depth] == c:
                    stop += 1
                below.append((start, stop, depth + 1, letter(c)))
                made += 1
                start = stop
        level = below
    children.append(made)
    return {
        "trieChildren": np.array(children, np.uint32),
        "trieBest": np.array(best, np.float32),
        "trieWords": np.array(ends, np.uint16),
        "trieLetters": np.array(letters, np.uint8),
    }


def pack(orders: list[list[tuple[tuple[str, ...], float, float]]], unlisted: float | None = None) -> bytes:
    unigrams, bigrams, trigrams = (orders + [[], []])[:3]
    listed = {w[0]: (p, b) for w, p, b in unigrams}
    words = sorted((w for w in listed if w not in SPECIAL), key=lambda w: [letter(c) for c in w])
    names = SPECIAL + words
    ids = {w: i for i, w in enumerate(names)}
    assert len(names) < NONE, "word ids are 16 bits wide"
    score = np.array([listed.get(w, (-99 * LN10, 0.0))[0] for w in names])
    if unlisted is not None:
        score[SPECIAL.index("<unk>")] = math.log(unlisted)
    back = np.array([listed.get(w, (0.0, 0.0))[1] for w in names])
    back[SPECIAL.index("</s>")] = 0.0  # nothing follows it: as a state it stands for no history
    second = sorted((ids[w[0]] << 16 | ids[w[1]], p, b) for w, p, b in bigrams if w[1] != "<s>")
    keys = np.array([k for k, _, _ in second], np.int64)
    at = {k: i for i, (k, _, _) in enumerate(second)}
    third = sorted(
        (at[h], ids[w[2]], p) for w, p, _ in trigrams if w[2] != "<s>" and (h := ids[w[0]] << 16 | ids[w[1]]) in at
    )
    owner = np.array([o for o, _, _ in third], np.int64)
    first = np.searchsorted(owner, np.arange(len(second) + 1))
    used = first[1:] > first[:-1]  # a back-off is only ever paid where a longer n-gram was looked for
    backs = np.where(used, [b for _, _, b in second], 0.0) if second else np.zeros(0)
    books, codes = zip(
        codebook(np.array([p for _, p, _ in second])),
        codebook(backs, zero=True),
        codebook(np.array([p for _, _, p in third])),
        strict=False,
    )
    blocks = first[np.minimum(np.arange(len(second) // BLOCK + 2) * BLOCK, len(second))]
    offsets = first - blocks[np.arange(len(second) + 1) // BLOCK]
    assert offsets.max(initial=0) < 65536, "trigrams of 256 bigrams overflow 16 bits"
    letters = trie(words, score[len(SPECIAL) :], len(SPECIAL))
    sections = [
        score.astype("<f4"),
        back.astype("<f4"),
        np.searchsorted(keys, np.arange(len(names) + 1, dtype=np.int64) << 16).astype("<u4"),
        np.concatenate(books).astype("<f4"),
        blocks.astype("<u4"),
        offsets.astype("<u2"),
        (keys & 0xFFFF).astype("<u2"),
        codes[0],
        codes[1],
        np.array([w for _, w, _ in third], "<u2"),
        codes[2],
        *(letters[k] for k in ("trieChildren", "trieBest", "trieWords", "trieLetters")),
    ]
    body = b"".join(s.tobytes() + bytes(-s.nbytes % 8) for s in sections)
    counts = (1, len(names), len(second), len(third), len(letters["trieLetters"]), 256, 64 + len(body))
    return b"LXLM" + struct.pack("<7I", *counts) + bytes(32) + body


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("arpa", type=pathlib.Path)
    args.add_argument("out", type=pathlib.Path)
    args.add_argument("--unlisted", type=float)
    a = args.parse_args()
    data = pack(read_arpa(a.arpa), a.unlisted)
    a.out.write_bytes(data)
    print(
        a.out, len(data), "bytes;", *struct.unpack("<5I", data[8:28]), "(words, bigrams, trigrams, trie nodes, levels)"
    )


if __name__ == "__main__":
    main()
