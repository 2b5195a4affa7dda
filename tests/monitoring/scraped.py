"""A real scrape of worker, gateway and Flower, held against promtool's rules: `make monitoring`."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import requests

from support.deployment.deployment import campaign, new_deployment, wait_for
from support.deployment.flower import LOCKED, flower_client
from support.network.addresses import free_address

PROMTOOL = shutil.which("promtool")


def found_by_promtool(text: str) -> list[str]:
    """What promtool says of a page."""
    assert PROMTOOL is not None, "make monitoring looks for it first"
    ran = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    return ran.stderr.splitlines() + ([] if ran.returncode in {0, 3} else [str(ran.returncode)])


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each process tells after some reminders have left."""
    worker, gateway = free_address(), free_address()
    data = tmp_path_factory.mktemp("deployment")
    with new_deployment(data, CERTMAIL_CARE_SECONDS="1", **LOCKED) as deployment:
        deployment.link()
        deployment.worker(CERTMAIL_METRICS_LISTEN=worker)
        deployment.environment["CERTMAIL_METRICS_LISTEN"] = gateway
        deployment.open_gateway()
        deployment.start("certmail_worker", "flower", log="flower.log")
        flower = flower_client(deployment)

        deployment.wait_recorded(deployment.send(campaign(5)), {"accepted"})
        wait_for("Flower to see it", lambda: "flower_events_total" in flower.get("/metrics").text)
        addresses = {"worker": worker, "gateway": gateway}
        found = {
            name: requests.get(f"http://{at}/metrics", timeout=60).text
            for name, at in addresses.items()
        }
        return found | {"flower": flower.get("/metrics").text}


@pytest.mark.parametrize("process", ["worker", "gateway"])
def test_promtool_finds_nothing_to_say(pages: dict[str, str], process: str) -> None:
    assert found_by_promtool(pages[process]) == []


def test_promtool_would_say_what_is_wrong() -> None:
    assert found_by_promtool("# TYPE certmail_x counter\ncertmail_x 1\n") != []


def test_flower_tells_of_its_own_beside_them(pages: dict[str, str]) -> None:
    assert "flower_worker_online" in pages["flower"]
    assert 'type="task-succeeded"' in pages["flower"]
