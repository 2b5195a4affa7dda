"""A real Prometheus and a real Alertmanager, Debian's, with what deploy/monitoring gives them.

What somebody would be told of is what Alertmanager holds and does not keep quiet about.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests
import yaml

from alerting.shortened import shortened
from support.data.pages import ROOT
from support.deployment.deployment import wait_for
from support.network.addresses import free_address

PROGRAMS: Final = "prometheus", "prometheus-alertmanager"
SCRAPE_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Told:
    """An alert that somebody would be told of."""

    alert: str
    deployment: str
    summary: str


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Both; `folder` has their files."""

    folder: Path
    prometheus: str
    alertmanager: str

    def scrape(self, deployment: str, addresses: dict[str, list[str]]) -> None:
        """Scrape these processes of a deployment from now on, by their job, and no others of it."""
        targets = [
            {"targets": found, "labels": {"job": job, "deployment": deployment}}
            for job, found in addresses.items()
        ]
        file = self.folder / "targets" / f"{deployment}.json"
        file.with_suffix(".new").write_text(json.dumps(targets), "utf-8")
        file.with_suffix(".new").rename(file)

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression gives at this moment."""
        answer = self._get(f"{self.prometheus}/api/v1/query", query=expression)
        assert answer["status"] == "success", answer
        return list(answer["data"]["result"])

    def firing(self, deployment: str) -> set[str]:
        """Alerts that fire, whether anybody is told of them or not."""
        found = self.ask('ALERTS{alertstate="firing"}')
        return {
            each["metric"]["alertname"]
            for each in found
            if each["metric"].get("deployment", deployment) == deployment
        }

    def told(self, deployment: str) -> list[Told]:
        """What somebody would be told of; an alert that names no deployment is of each."""
        found = self._get(
            f"{self.alertmanager}/api/v2/alerts", active="true", inhibited="false", silenced="false"
        )
        return [
            Told(each["labels"]["alertname"], deployment, each["annotations"]["summary"])
            for each in found
            if each["labels"].get("deployment", deployment) == deployment
        ]

    @staticmethod
    def _get(url: str, **parameters: str) -> Any:
        answer = requests.get(url, params=parameters, timeout=60)
        assert answer.ok, answer.text
        return answer.json()


@contextmanager
def monitoring(folder: Path) -> Iterator[Monitoring]:
    """Run both for the block."""
    (folder / "targets").mkdir(parents=True)
    prometheus, alertmanager = free_address(), free_address()
    (folder / "rules.yaml").write_text(shortened(), "utf-8")
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(_configuration(alertmanager)), "utf-8")

    commands = [
        [
            "prometheus",
            f"--config.file={folder}/prometheus.yaml",
            f"--storage.tsdb.path={folder}/series",
            f"--web.listen-address={prometheus}",
            "--rules.alert.resend-delay=2s",
        ],
        [
            "prometheus-alertmanager",
            f"--config.file={ROOT}/deploy/monitoring/alertmanager.yaml",
            f"--storage.path={folder}/alertmanager",
            f"--web.listen-address={alertmanager}",
            "--cluster.listen-address=",
        ],
    ]

    with (folder / "log").open("wb") as log, ExitStack() as stack:
        for command in commands:
            stack.callback(_end, subprocess.Popen(command, stdout=log, stderr=log))
        made = Monitoring(folder, f"http://{prometheus}", f"http://{alertmanager}")
        wait_for("Prometheus and Alertmanager", lambda: _both_answer(made))
        yield made


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(60)


def _both_answer(made: Monitoring) -> bool:
    with suppress(requests.ConnectionError):
        return all(
            requests.get(f"{at}/-/ready", timeout=60).ok
            for at in (made.prometheus, made.alertmanager)
        )
    time.sleep(0.2)
    return False


def _configuration(alertmanager: str) -> dict[str, Any]:
    every = f"{SCRAPE_SECONDS}s"
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [
            {
                "job_name": "certmail",
                "file_sd_configs": [{"files": ["targets/*.json"], "refresh_interval": "1s"}],
            }
        ],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}],
        },
    }
