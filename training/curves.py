"""Draw a run's curves: losses, and word error rates on the development sets, against hours of audio processed.

python curves.py RUN/history.json curves.svg
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def draw(history: Path, picture: Path) -> None:
    """`history` holds {"history": [{hours, loss...}], "scores": [{hours, set...}]}. Needs matplotlib."""
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    content = json.loads(history.read_text())
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4))
    for axes, rows, label in (
        (left, content["history"], "nats per symbol"),
        (right, content["scores"], "greedy word error rate"),
    ):
        for name in rows[0] if rows else ():
            if name not in ("hours", "step"):
                axes.plot(
                    [r["hours"] for r in rows],
                    [r[name] for r in rows],
                    label=name,
                    marker="." if len(rows) < 40 else None,
                )
        axes.set_xlabel("hours of audio processed")
        axes.set_ylabel(label)
        if rows:
            axes.legend()
    figure.tight_layout()
    figure.savefig(picture)
    pyplot.close(figure)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
