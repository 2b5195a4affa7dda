"""Metrics of real processes, over HTTP: what they tell, that they agree, and who is not told."""

from __future__ import annotations

import socket
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests

from certmail_config.base import redis_keys
from certmail_config.metrics.table import METRICS, TABLE, Source
from support.deployment.deployment import (
    BUSY_SECONDS,
    Deployment,
    campaign,
    new_deployment,
    recorded_in,
    wait_for,
)
from support.deployment.scraped import Values, scrape, told_by
from support.network.addresses import free_address
from support.processes.halt import freeze, thaw

COUNT = 12


def own_names(found: Values) -> set[str]:
    """The metrics of certmail's own, without what a histogram is made of."""
    ends = ("_bucket", "_sum", "_count")
    names = {name for name, _ in found if name.startswith("certmail_")}
    return {
        next((n.removesuffix(e) for e in ends if n.removesuffix(e) in METRICS), n) for n in names
    }


def of_source(*sources: Source) -> set[str]:
    return {metric.name for source in sources for metric in TABLE[source]}


def send_some(deployment: Deployment, worker: str) -> None:
    """Let reminders leave, one in doubt, and wait until the worker's metrics say so."""
    deployment.fault("reset_after", times=1)
    jobs = deployment.send(campaign(COUNT))
    deployment.wait_recorded(jobs, {"accepted", "uncertain"})
    ended = [("certmail_deliveries_total", (end,)) for end in ("accepted", "uncertain")]
    wait_for(
        "the end of all to be counted",
        lambda: sum(scrape(worker)[each] for each in ended) == COUNT,
    )


def is_away(address: str) -> bool:
    """Whether a process tells that Redis does not answer it."""
    return scrape(address)["certmail_store_up", ("redis",)] == 0


def fleet_of(found: Values) -> Values:
    """What all processes tell alike, but for what goes on from moment to moment."""
    names = of_source(Source.SAMPLE) | {"certmail_workers", "certmail_jobs_unfinished"}
    return {key: value for key, value in found.items() if key[0] in names}


def test_worker_and_gateway_tell_what_happened_and_agree(
    tmp_path: Path, ready_database: str
) -> None:
    worker, gateway = free_address(), free_address()
    often = {"CERTMAIL_CARE_SECONDS": "1"}
    with new_deployment(tmp_path / "data", **recorded_in(ready_database), **often) as deployment:
        deployment.link()
        deployment.worker(CERTMAIL_METRICS_LISTEN=worker)
        deployment.environment["CERTMAIL_METRICS_LISTEN"] = gateway
        deployment.open_gateway()
        told_by(worker)
        send_some(deployment, worker)

        redis = deployment.admin.redis
        redis.delete(redis_keys.SAMPLE)
        wait_for("a count of both", lambda: redis.hlen(redis_keys.SAMPLE) == 2)
        wait_for(
            "both to tell the same",
            lambda: fleet_of(scrape(worker)) == fleet_of(scrape(gateway)),
        )
        seen, other = scrape(worker), scrape(gateway)

        fleet = of_source(Source.LEDGER, Source.SAMPLE, Source.PROCESS)
        seldom = {"certmail_begins_refused_total"}
        assert own_names(seen) | seldom == fleet | of_source(Source.WORKER)
        assert own_names(other) == fleet | of_source(Source.GATEWAY)

        assert seen["certmail_sends_total", ("none", "accepted")] == COUNT - 1
        assert seen["certmail_sends_total", ("unknown", "unknown")] == 1
        assert seen["certmail_send_lateness_seconds_count", ()] >= COUNT
        assert 0 < seen["certmail_send_lateness_seconds_sum", ()] < COUNT * BUSY_SECONDS
        assert seen["certmail_google_request_seconds_count", ("send",)] >= COUNT
        assert seen["certmail_quota_units_total", ("send",)] >= COUNT * 100
        assert seen["certmail_tokens_minted_total", ("customer_owned_app",)] == 1
        assert seen["certmail_deliveries_total", ("accepted",)] == COUNT - 1
        assert seen["certmail_leases_total", ()] >= COUNT
        assert seen["certmail_events_recorded_total", ()] >= 3 * COUNT
        assert seen["certmail_keeper", ()] == 1
        assert seen["certmail_deliveries_under_way", ()] == 0

        assert seen["certmail_jobs_uncertain", ("yes",)] == 1
        assert seen["certmail_connections", ("active",)] == 1
        assert seen["certmail_certificates", ("month",)] == 1

        assert other["certmail_http_requests_total", ("GET", "/readyz", "2xx")] >= 1
        assert (
            requests.get(f"{deployment.gateway}/metrics", timeout=BUSY_SECONDS).status_code == 404
        )
        assert requests.get(f"http://{gateway}/readyz", timeout=BUSY_SECONDS).status_code == 404

        info: Any = redis.info("server")
        server: Any = SimpleNamespace(pid=int(info["process_id"]))
        freeze(server)
        try:
            for address in (worker, gateway):
                wait_for("Redis to be told as away", partial(is_away, address))
                found = scrape(address)
                assert found["certmail_store_up", ("database",)] == 1
                assert ("certmail_jobs_unfinished", ()) not in found
        finally:
            thaw(server)
        assert scrape(worker)["certmail_sends_total", ("none", "accepted")] == COUNT - 1


def test_a_gateway_whose_port_is_taken_says_so(tmp_path: Path) -> None:
    with new_deployment(tmp_path) as deployment, closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = deployment.run("gateway", CERTMAIL_METRICS_LISTEN=address)
        assert ended.status == 1, ended
        assert address in ended.err
        assert "CERTMAIL_METRICS_LISTEN" in ended.err
        assert "Traceback" not in ended.err
