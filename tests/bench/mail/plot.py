"""The picture: what a mail costs, and how many leave in a second."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl  # type: ignore[import-not-found]  # the bench's own environment has it

from bench.mail.rounds import Row

mpl.use("Agg")
from matplotlib import pyplot as plt

_OURS, _OTHERS = ("#0b6e4f", "#7fc8a9"), ("#5b6470", "#b8bec6")
"""Dark where Google answers at once, light at the later latency."""


def draw(rows: Sequence[Row], known: dict[str, Any], file: Path) -> None:
    """Write a PNG."""
    names = list(dict.fromkeys(row.contestant.name for row in rows))
    latencies = list(dict.fromkeys(row.latency_ms for row in rows))
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 0.95 * len(names) + 2.2), sharey=True)
    _panel(left, rows, names, latencies, "cpu_ms_per_mail", "{:.2g}")
    _panel(right, rows, names, latencies, "mails_per_s", "{:.0f}")
    left.set_title("CPU per mail, in ms: shorter is better", loc="left", fontsize=12)
    right.set_title("Mails per second: longer is better", loc="left", fontsize=12)
    left.set_yticks(range(len(names)), names, fontsize=12)
    left.invert_yaxis()
    shades = [mpl.patches.Patch(color=_OTHERS[shade]) for shade in range(len(latencies))]
    meanings = [
        f"Gmail answers after {each} ms" if each else "Gmail answers at once" for each in latencies
    ]
    figure.legend(shades, meanings, loc="upper right", ncols=2, frameon=False, fontsize=11)

    for label in left.get_yticklabels():
        if label.get_text().startswith("certmail"):
            label.set_color(_OURS[0])
            label.set_fontweight("bold")

    figure.suptitle(
        "What one mail through Gmail's API costs", x=0.01, ha="left", fontsize=16, fontweight="bold"
    )
    python = known["python"]
    figure.text(
        0.01,
        0.01,
        f"Medians of {known['rounds']} interleaved rounds, lines from least to most; both scales are logarithmic. "
        f"\n{known['machine'].split(',')[0]}, Python {python.get('version', '')}, {known['server']} with appendfsync always, {known['mailboxes']} mailboxes, TLS. "
        "Only “certmail, whole mail” paces, composes and records; the others get their message ready.",
        fontsize=9,
        color="#444444",
    )

    figure.tight_layout(rect=(0, 0.07, 1, 0.97))
    figure.savefig(file, dpi=130)
    plt.close(figure)


def _panel(
    axes: Any, rows: Sequence[Row], names: list[str], latencies: list[int], what: str, form: str
) -> None:
    height = 0.8 / len(latencies)

    for row in rows:
        shade = latencies.index(row.latency_ms)
        place = names.index(row.contestant.name) + (shade - (len(latencies) - 1) / 2) * height
        colour = (_OURS if row.contestant.name.startswith("certmail") else _OTHERS)[min(shade, 1)]
        value, low, high = row.median(what), min(row.values(what)), max(row.values(what))
        axes.barh(place, value, height * 0.9, color=colour)
        axes.plot([low, high], [place, place], color="black", linewidth=1)
        axes.annotate(
            form.format(value),
            (high, place),
            (5, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
        )

    values = [value for row in rows for value in row.values(what)]
    axes.set_xscale("log")
    axes.set_xlim(min(values) / 2.5, max(values) * 2.2)
    axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(axis="x", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
