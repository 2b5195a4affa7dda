"""What a process of a deployment tells at /metrics."""

from __future__ import annotations

import requests
from prometheus_client.parser import text_string_to_metric_families

from support.deployment.deployment import BUSY_SECONDS, wait_for

Values = dict[tuple[str, tuple[str, ...]], float]


def scrape(address: str) -> Values:
    """What a process tells; a label's values in the order of the labels' names."""
    answer = requests.get(f"http://{address}/metrics", timeout=BUSY_SECONDS)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert answer.ok
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def told_by(address: str) -> Values:
    """The same, once the process listens."""

    def listens() -> bool:
        try:
            return requests.get(f"http://{address}/metrics", timeout=BUSY_SECONDS).ok
        except requests.ConnectionError:
            return False

    wait_for(f"metrics at {address}", listens)
    return scrape(address)
