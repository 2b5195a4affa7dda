"""Dashboards, rules and runbook belong together, and to the metrics that there are."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from certmail_config.metrics.table import METRICS, Kind
from certmail_config.stores.capacity import CODES
from certmail_dashboards.__main__ import FOLDER, VIEWS
from certmail_dashboards.view import View, as_json
from certmail_worker.recording.consistency import LINEAGE_ERRORS
from certmail_worker.services.keeper import CLOCK_LEAPT
from certmail_worker.services.pacing_guard import REPLICAS_MISSING
from support.data.pages import ROOT, page
from support.processes.documented import commands, run

MONITORING = ROOT / "deploy" / "monitoring"
RULES = yaml.safe_load((MONITORING / "rules" / "certmail.yaml").read_text("utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule]
RECORDED = {
    rule["record"] for group in RULES["groups"] for rule in group["rules"] if "record" in rule
}
RUNBOOK = page("docs/runbook.md")

OF_PROMETHEUS = {"deployment", "instance", "job", "le"}
OF_OTHERS = {"up", "ALERTS", "process_resident_memory_bytes", "process_cpu_seconds_total"}
UNITS = {"none", "short", "s", "bytes", "percentunit", "reqps"}
of_view = pytest.mark.parametrize("view", VIEWS, ids=[view.uid for view in VIEWS])
of_alert = pytest.mark.parametrize("alert", ALERTS, ids=[alert["alert"] for alert in ALERTS])


def panels_of(view: View) -> list[dict[str, Any]]:
    """Its panels but the rows, as Grafana reads them."""
    made = json.loads(as_json(view))
    return [panel for panel in made["panels"] if panel["type"] != "row"]


def expressions_of(view: View) -> Iterator[str]:
    """What it asks of Prometheus, as Grafana does."""
    for panel in panels_of(view):
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "1m")


class TestDashboards:
    @of_view
    def test_are_what_is_declared(self, view: View) -> None:
        kept = (FOLDER / f"{view.uid}.json").read_text("utf-8")
        assert kept == as_json(view), "make dashboards"

    def test_no_other_lies_beside_them(self) -> None:
        assert {path.stem for path in FOLDER.iterdir()} == {view.uid for view in VIEWS}

    @of_view
    def test_say_what_they_are(self, view: View) -> None:
        made = json.loads(as_json(view))
        assert made["uid"] == view.uid
        assert made["title"].startswith("certmail")
        assert made["description"]

    @of_view
    def test_take_prometheus_from_a_variable(self, view: View) -> None:
        made = json.loads(as_json(view))
        [source] = [each for each in made["templating"]["list"] if each["type"] == "datasource"]
        assert (source["name"], source["query"]) == ("datasource", "prometheus")
        sources = [panel["datasource"] for panel in panels_of(view)]
        sources += [
            target["datasource"] for panel in panels_of(view) for target in panel["targets"]
        ]
        assert {json.dumps(each, sort_keys=True) for each in sources} == {
            '{"type": "prometheus", "uid": "${datasource}"}'
        }

    @of_view
    def test_each_panel_has_title_description_unit_and_its_place(self, view: View) -> None:
        panels = panels_of(view)
        for panel in panels:
            assert panel["title"]
            assert panel["description"].endswith("."), panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert Counter(panel["title"] for panel in panels).most_common(1)[0][1] == 1
        assert Counter(panel["id"] for panel in panels).most_common(1)[0][1] == 1
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
        assert Counter(places).most_common(1)[0][1] == 1
        assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)

    @of_view
    def test_ask_for_metrics_and_labels_that_there_are(self, view: View) -> None:
        assert [fault for expression in expressions_of(view) for fault in faults(expression)] == []

    @of_view
    def test_keep_deployments_apart(self, view: View) -> None:
        apart = [each for each in expressions_of(view) for _ in selectors(each)]
        assert apart
        assert [each for each in apart if "deployment" not in each] == []

    def test_each_metric_is_shown(self) -> None:
        asked = {
            metric
            for view in VIEWS
            for expression in expressions_of(view)
            for name, _ in selectors(expression)
            if (metric := metric_of(name))
        }
        assert set(METRICS) - asked == set()


class TestRules:
    @pytest.mark.parametrize("group", RULES["groups"], ids=lambda group: group["name"])
    def test_ask_for_metrics_and_labels_that_there_are(self, group: dict[str, Any]) -> None:
        assert [fault for rule in group["rules"] for fault in faults(rule["expr"])] == []

    def test_each_alert_has_a_name_of_its_own(self) -> None:
        assert Counter(alert["alert"] for alert in ALERTS).most_common(1)[0][1] == 1

    @of_alert
    def test_says_what_it_means_and_where_it_is_explained(self, alert: dict[str, Any]) -> None:
        assert alert["alert"].startswith("Certmail")
        assert alert["labels"]["severity"] in {"critical", "warning"}
        assert "for" in alert
        assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
        assert alert["annotations"]["summary"].endswith(".")
        assert re.search(
            r"[Rr]eviewer|[Rr]eminder|Upstream|tenant", alert["annotations"]["description"]
        )

        where, _, anchor = alert["annotations"]["runbook_url"].partition("#")
        assert where == "docs/runbook.md"
        assert anchor == alert["alert"].lower()

    def test_quiet_is_kept_about_alerts_that_there_are(self) -> None:
        text = (MONITORING / "alertmanager.yaml").read_text("utf-8")
        named = set(re.findall(r"Certmail\w+", text))
        assert named <= {alert["alert"] for alert in ALERTS}
        assert named


def test_the_command_of_the_documentation_makes_links_of_runbooks(tmp_path: Path) -> None:
    script = commands("docs/monitoring.md")["Alerts"]
    there = tmp_path / "certmail.yaml"
    shutil.copy(MONITORING / "rules" / "certmail.yaml", there)
    run(script.replace("/etc/prometheus/rules", str(tmp_path)), os.environ)

    for group in yaml.safe_load(there.read_text("utf-8"))["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                url = rule["annotations"]["runbook_url"]
                assert url.startswith("https://docs.example/certmail/runbook.md#certmail")


class TestRunbook:
    def test_each_alert_has_its_section_and_each_section_its_alert(self) -> None:
        sections = re.findall(r"^## (.*)$", RUNBOOK.text, re.MULTILINE)
        assert sections == [alert["alert"] for alert in ALERTS]

    @pytest.mark.parametrize("text", re.split(r"^##+ ", RUNBOOK.text, flags=re.MULTILINE)[2:])
    def test_a_section_is_read_at_a_glance(self, text: str) -> None:
        assert len([line for line in text.splitlines() if line]) <= 16

    @of_alert
    def test_says_what_to_see_do_and_when_to_fetch_somebody(self, alert: dict[str, Any]) -> None:
        section = RUNBOOK.text.split(f"\n## {alert['alert']}\n")[1].split("\n## ")[0]
        for word in ("**See**", "**Do**", "**Escalate**"):
            assert word in section

    def test_has_each_code_for_which_pacing_stops(self) -> None:
        there = set(re.findall(r"^\| `(\w+)` \|", RUNBOOK.text, re.MULTILINE))
        assert there >= {
            *LINEAGE_ERRORS,
            *CODES,
            REPLICAS_MISSING,
            CLOCK_LEAPT,
            "durability_unproven",
        }


def metric_of(name: str) -> str | None:
    """The metric of the table that a series belongs to."""
    if name in METRICS:
        return name
    bare = re.sub(r"_(bucket|count|sum)$", "", name)
    return bare if bare in METRICS and METRICS[bare].kind is Kind.HISTOGRAM else None


def selectors(expression: str) -> Iterator[tuple[str, list[str]]]:
    """The series that an expression asks for, and the labels that it asks them for."""
    for node in _nodes(expression):
        if isinstance(node, promql_parser.VectorSelector):
            yield str(node.name), [matcher.name for matcher in node.matchers.matchers]


def faults(expression: str) -> list[str]:
    """What an expression asks for that there is not."""
    found = []
    for name, labels in selectors(expression):
        metric = metric_of(name)
        if metric is None and name not in RECORDED | OF_OTHERS:
            found.append(f"there is no {name}: {expression}")
        known = OF_PROMETHEUS | set(METRICS[metric].label_names) if metric else None
        found += [f"{name} has no {label}" for label in labels if known and label not in known]

    for node in _nodes(expression):
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            inside = [metric_of(name) for name, _ in selectors(node.expr.prettify())]
            known = OF_PROMETHEUS.union(*(METRICS[m].label_names for m in inside if m))
            found += [
                f"no {label} in {expression}"
                for label in node.modifier.labels
                if label not in known
            ]
    return found


def _nodes(expression: str) -> list[Any]:
    found: list[Any] = []
    promql_parser.walk(promql_parser.parse(expression), found.append)
    return found
