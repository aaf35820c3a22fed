"""Word error rate on native development speech against the hours of audio processed, as a picture: hours.tsv -> SVG.

    python hours.py hours.tsv ../docs/hours.svg
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path


def main() -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lines: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with Path(sys.argv[1]).open() as rows:
        for row in csv.DictReader(rows, delimiter="\t"):
            lines[row["network"]].append((float(row["hours"]), float(row["wer"])))
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, points in lines.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=name)
    axes.set_xlabel("hours of audio processed")
    axes.set_ylabel("greedy word error rate, native, 640 ms, %")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    pyplot.rcParams["svg.hashsalt"] = "hours"
    figure.savefig(sys.argv[2], metadata={"Date": None, "Title": "Word error rate by hours of audio processed"})


if __name__ == "__main__":
    main()
