"""The rules, judged by Prometheus' own promtool: each alert fires in its scenarios, and no other.

`make rules` runs it. promtool is Debian's, so this is not among the tests that need nothing else.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from alerting.scenarios import ON, SCENARIOS, WELL, Scenario, gauge
from support.data.pages import ROOT

MONITORING = ROOT / "deploy" / "monitoring"
RULES = MONITORING / "rules" / "certmail.yaml"
AN_HOUR_OR_TWO = 120
FIRING = 'ALERTS{alertstate="firing"}'
NOT_SEEN = 'ALERTS{alertstate="firing", alertname="CertmailNotSeen"}'


def test_prometheus_understands_rules_and_example() -> None:
    assert ran("promtool", "check", "rules", str(RULES)) == (0, "")
    assert ran("promtool", "check", "config", str(MONITORING / "prometheus.yaml")) == (0, "")


def test_alertmanager_understands_the_example() -> None:
    assert ran("amtool", "check-config", str(MONITORING / "alertmanager.yaml")) == (0, "")


def test_each_alert_fires_in_its_scenarios_and_no_other(tmp_path: Path) -> None:
    short = [of(each) for each in SCENARIOS if each.at <= AN_HOUR_OR_TWO]
    assert judged(tmp_path, short) == (0, "")


def test_and_in_those_that_last(tmp_path: Path) -> None:
    long = [of(each) for each in SCENARIOS if each.at > AN_HOUR_OR_TWO]
    assert judged(tmp_path, long, every="5m") == (0, "")


def test_each_alert_has_a_scenario() -> None:
    rules = yaml.safe_load(RULES.read_text("utf-8"))
    alerts = {
        rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule
    }
    assert {alert for each in SCENARIOS for alert in each.fires} == alerts


def test_one_deployment_of_two_that_one_prometheus_scrapes(tmp_path: Path) -> None:
    without = {"alertname": "CertmailNoWorkers", "deployment": "trial", "severity": "critical"}
    gone = {**without, "alertname": "CertmailNotSeen"}
    both = two_deployments(WELL | gauge("workers", 0))
    one = two_deployments({name: values.replace(ON, "x20 _x9") for name, values in WELL.items()})
    tests = [group("two", both, 40, FIRING, [without]), group("one", one, 28, NOT_SEEN, [gone])]
    assert judged(tmp_path, tests) == (0, "")


def two_deployments(trial: dict[str, str]) -> dict[str, str]:
    """The series of one in which all is well, and of another."""
    return {
        f'{name.removesuffix("}")}, deployment="{deployment}"}}': values
        for deployment, series in (("production", WELL), ("trial", trial))
        for name, values in series.items()
    }


def test_what_is_told_is_a_sentence(tmp_path: Path) -> None:
    seen = WELL | gauge("certificate_end_seconds", 1.5 * 86_400)
    told = {
        "eval_time": "40m",
        "alertname": "CertmailCertificateEndsNow",
        "exp_alerts": [
            {
                "exp_labels": {"severity": "critical"},
                "exp_annotations": annotations_of("CertmailCertificateEndsNow"),
            }
        ],
    }
    test = group("a certificate", seen, 40, "vector(1)", [{}]) | {"alert_rule_test": [told]}
    assert judged(tmp_path, [test]) == (0, "")


def annotations_of(alert: str) -> dict[str, str]:
    rules = yaml.safe_load(RULES.read_text("utf-8"))
    [found] = [r for g in rules["groups"] for r in g["rules"] if r.get("alert") == alert]
    return dict(found["annotations"])


def of(scenario: Scenario) -> dict[str, Any]:
    """A scenario, as promtool reads it."""
    fires = [{"alertname": alert} for alert in scenario.fires]
    asked = f"group by (alertname) ({FIRING})"
    return group(scenario.name, scenario.series, scenario.at, asked, fires)


def group(
    name: str, series: dict[str, str], at: int, asked: str, found: Sequence[dict[str, str]]
) -> dict[str, Any]:
    """A test of promtool's: what is asked of these series finds these samples."""
    samples = [{"labels": labels_of(each), "value": 1} for each in found]
    return {
        "name": name,
        "interval": "1m",
        "input_series": [
            {"series": k, "values": v.replace(ON, f"x{at + 1}")} for k, v in series.items()
        ],
        "promql_expr_test": [{"expr": asked, "eval_time": f"{at}m", "exp_samples": samples}],
    }


def labels_of(labels: dict[str, str]) -> str:
    whole = {"__name__": "ALERTS", "alertstate": "firing"} if "severity" in labels else {}
    return "{" + ", ".join(f'{k}="{v}"' for k, v in (whole | labels).items()) + "}"


def judged(folder: Path, tests: list[dict[str, Any]], every: str = "1m") -> tuple[int, str]:
    """What promtool says of tests; nothing if all is as expected."""
    file = folder / "tests.yaml"
    whole = {"rule_files": [str(RULES)], "evaluation_interval": every, "tests": tests}
    file.write_text(json.dumps(whole), "utf-8")
    return ran("promtool", "test", "rules", str(file))


def ran(*command: str) -> tuple[int, str]:
    """Its status, and what it said if that is not zero."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr) * bool(done.returncode)
