"""The values of gauges: by the metric's name, and by the values of its labels."""

from __future__ import annotations

from collections.abc import Mapping

Values = dict[str, dict[tuple[str, ...], float]]
Samples = Mapping[str, Mapping[tuple[str, ...], float]]


def put(values: Values, name: str, value: float, *labels: str) -> None:
    """Add one."""
    values.setdefault(name, {})[labels] = value
