"""The list of metrics, made from their table.

`python -m certmail_config.metrics.reference` writes it; it is the end of docs/monitoring.md.
"""

from __future__ import annotations

import sys
from typing import Final

from certmail_config.metrics.table import TABLE, Kind, Metric, Source

HEADING: Final = "## Every metric"
_KIND: Final = {Kind.COUNTER: "counter", Kind.GAUGE: "", Kind.HISTOGRAM: "histogram"}


def reference() -> str:
    """The list as Markdown."""
    lines = [
        HEADING,
        "",
        "Made by `python -m certmail_config.metrics.reference`; a test keeps it true. What is no counter or histogram is a gauge.",
    ]
    for source in Source:
        lines += [
            "",
            f"### Told by {source}",
            "",
            "| metric | labels | unit | meaning |",
            "| --- | --- | --- | --- |",
            *(_row(metric) for metric in TABLE[source]),
        ]
    return "\n".join(lines) + "\n"


def _row(metric: Metric) -> str:
    labels = " ".join(f"`{name}`" for name in metric.label_names)
    unit = f"{metric.unit}, {kind}" if (kind := _KIND[metric.kind]) else metric.unit
    return f"| `{metric.name}` | {labels} | {unit} | {metric.meaning} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
