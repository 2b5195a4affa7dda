"""The picture of a soak, drawn of what was measured: `python -m soak.picture samples.json soak.png`.

It needs matplotlib, which the bench's own environment has (`make bench` makes it).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl  # type: ignore[import-not-found]  # the bench's own environment has it

mpl.use("Agg")
from matplotlib import pyplot as plt

PANELS: Final = (
    ("Memory of processes, MB", ": RSS", ("worker", "gateway")),
    ("Redis: memory used, MB", "memory used", ("Redis",)),
    ("Descriptors", ": descriptors", ("worker", "gateway")),
    ("Redis: keys, unfinished reminders", ("keys", "unfinished"), ("Redis",)),
)
_INK: Final = ("#0b6e4f", "#7fc8a9", "#5b6470", "#b8bec6")


def draw(measured: dict[str, Any], file: Path) -> None:
    """Write a PNG."""
    samples, mails = measured["samples"], measured["mails"]
    figure, panels = plt.subplots(len(PANELS) + 1, 1, figsize=(12, 12), sharex=True)

    for axes, (title, ends, begins) in zip(panels, PANELS, strict=False):
        names = [
            name for name in samples[0]["values"] if name.endswith(ends) and name.startswith(begins)
        ]
        for name, colour in zip(names, _INK, strict=False):
            there = [sample for sample in samples if name in sample["values"]]
            axes.plot(
                [sample["at"] / 60 for sample in there],
                [sample["values"][name] for sample in there],
                color=colour,
                label=name.partition(":")[0] if len(begins) > 1 else name,
            )
        _dress(axes, title)
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, ncols=len(names), loc="lower right")

    times = [mail["at"] / 60 for mail in mails]
    late = [max(mail["seconds"], 0.001) for mail in mails]
    panels[-1].plot(times, late, ".", color=_INK[0], markersize=1.5)
    panels[-1].set_yscale("log")
    _dress(panels[-1], "How late each mail was, s")
    panels[-1].set_xlabel("minutes")

    figure.tight_layout()
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _dress(axes: Any, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text("utf-8")), Path(sys.argv[2]))
