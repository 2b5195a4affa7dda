"""A dashboard as it is declared, and how it becomes Grafana's JSON.

What all processes tell the same is taken once (`once`); what each counts is added up (`total`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from string import ascii_uppercase
from typing import Final

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
)

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
HERE: Final = 'deployment=~"$deployment"'
"""What every query selects by; where nobody has set the label, all of it."""
HEIGHT: Final = 8
WHOLE: Final = 24


@dataclass(frozen=True, slots=True)
class Chart:
    """A panel over time: `queries` by what their lines are called."""

    title: str
    description: str
    unit: str
    queries: Mapping[str, str]
    width: int = 8
    stacked: bool = False
    below_zero: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """A panel with one number; from `red` on it is red, from `amber` on amber."""

    title: str
    description: str
    unit: str
    query: str
    amber: float | None = None
    red: float | None = None
    width: int = 4


@dataclass(frozen=True, slots=True)
class Row:
    """Panels that belong together."""

    title: str
    panels: tuple[Chart | Number, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A dashboard; `variables` by name: what Grafana asks Prometheus for to offer their values."""

    uid: str
    title: str
    description: str
    variables: Mapping[str, str]
    rows: tuple[Row, ...]


def once(metric: str, *labels: str, where: str = "") -> str:
    """A gauge that every process tells the same."""
    return f"max by ({', '.join(labels)}) ({_of(metric, where)})"


def total(counter: str, *labels: str, where: str = "") -> str:
    """What all processes counted, per second."""
    return f"sum by ({', '.join(labels)}) (rate({_of(counter, where)}[$__rate_interval]))"


def quantile(q: float, histogram: str, *labels: str, where: str = "") -> str:
    """Of what a histogram counted."""
    return f"histogram_quantile({q}, {total(f'{histogram}_bucket', 'le', *labels, where=where)})"


def each(metric: str, where: str = "") -> str:
    """What each process tells of itself."""
    return _of(metric, where)


def _of(metric: str, where: str) -> str:
    return f"{metric}{{{HERE}{', ' if where else ''}{where}}}"


def as_json(view: View) -> str:
    """A dashboard as Grafana reads it."""
    made = (
        dashboard.Dashboard(view.title)
        .uid(view.uid)
        .description(view.description)
        .tags(["certmail"])
        .time("now-3h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(_to_the_others())
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
        )
    )
    for name, query in view.variables.items():
        made = made.with_variable(_variable(name, query))

    numbers = count(1)
    for row in view.rows:
        made = made.with_row(dashboard.Row(row.title).id(next(numbers)))
        for panel in row.panels:
            drawn = _chart(panel) if isinstance(panel, Chart) else _number(panel)
            made = made.with_panel(drawn.id(next(numbers)))

    return json.dumps(made.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _to_the_others() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("certmail")
        .type(DashboardLinkType.DASHBOARDS)
        .tags(["certmail"])
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )


def _variable(name: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(name)
        .datasource(SOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .include_all(include_all=True)
        .all_value(".*")
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )


def _chart(chart: Chart) -> timeseries.Panel:
    legend = (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
        .calcs([])
    )
    panel = (
        timeseries.Panel()
        .title(chart.title)
        .description(chart.description)
        .datasource(SOURCE)
        .unit(chart.unit)
        .height(HEIGHT)
        .span(chart.width)
        .legend(legend)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )
    if not chart.below_zero:
        panel = panel.min(0)
    if chart.stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL)).fill_opacity(25)
    for letter, (line, expression) in zip(ascii_uppercase, chart.queries.items(), strict=False):
        panel = panel.with_target(_query(letter, expression).legend_format(line))
    return panel


def _number(number: Number) -> stat.Panel:
    steps = [Threshold(value=None, color="green")]
    if number.amber is not None:
        steps.append(Threshold(value=number.amber, color="orange"))
    if number.red is not None:
        steps.append(Threshold(value=number.red, color="red"))

    thresholds = dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    return (
        stat.Panel()
        .title(number.title)
        .description(number.description)
        .datasource(SOURCE)
        .unit(number.unit)
        .height(HEIGHT // 2)
        .span(number.width)
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(thresholds)
        .with_target(_query("A", number.query))
    )


def _query(letter: str, expression: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().ref_id(letter).expr(expression).range().datasource(SOURCE)
