"""KenLM as an outside reader of pruned ARPA files.

Its hash table wants the bigram `b c` wherever the trigram `a b c` is listed, which pruning does not care for. The
missing ones are added with the score that backing off gives them: no probability changes.
"""

import pathlib
import tempfile

import kenlm


def load(arpa: pathlib.Path) -> kenlm.Model:
    unigrams: dict[str, tuple[float, float]] = {}
    bigrams: set[str] = set()
    order, missing = 0, {}
    with open(arpa, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("\\"):
                order = int(line[1]) if line[1].isdigit() else 0
                continue
            fields = line.rstrip("\n").split("\t")
            if order == 1 and len(fields) > 1:
                unigrams[fields[1]] = (float(fields[0]), float(fields[2]) if len(fields) > 2 else 0.0)
            elif order == 2 and len(fields) > 1:
                bigrams.add(fields[1])
            elif order == 3 and len(fields) > 1:
                first, last = fields[1].split(" ")[1:]
                if f"{first} {last}" not in bigrams:
                    missing[f"{first} {last}"] = unigrams[first][1] + unigrams[last][0]
    with tempfile.TemporaryDirectory() as folder, open(arpa, encoding="utf-8") as lines:
        whole = pathlib.Path(folder) / "whole.arpa"
        with open(whole, "w", encoding="utf-8") as out:
            for line in lines:
                if line.startswith("ngram  2="):
                    line = f"ngram  2={len(bigrams) + len(missing)}\n"
                out.write(line)
                if line.startswith("\\2-grams:"):
                    out.writelines(f"{score:.6f}\t{words}\t0\n" for words, score in missing.items())
        return kenlm.Model(str(whole))
