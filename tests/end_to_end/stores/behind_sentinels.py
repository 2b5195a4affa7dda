"""Three sentinels over a primary and its replica, and the primary dies while reminders leave.

`make redis` runs it: what is waited for is what sentinels wait for.
"""

from __future__ import annotations

from pathlib import Path

import requests

from certmail_config.base import redis_keys
from support.deployment.deployment import QUICK, campaign, new_deployment, wait_for
from support.deployment.scraped import told_by
from support.network.addresses import free_address
from support.servers.sentinels import watched


def test_a_failover_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """Each receipt and each begin is on the replica too: it takes over with all that was promised."""
    with watched(tmp_path / "redis") as redis:
        settings = {"CERTMAIL_REDIS_URL": redis.url, "CERTMAIL_DURABILITY": "replicas:1"}
        flower = {"CERTMAIL_FLOWER_BASIC_AUTH": "ann:a-long-password"}
        with new_deployment(tmp_path / "data", **QUICK, **settings, **flower) as deployment:
            deployment.link(units=12_000)
            deployment.open_gateway()
            deployment.start("certmail_worker", "flower", log="flower.log")
            told_at = free_address()
            worker = deployment.worker(CERTMAIL_METRICS_LISTEN=told_at)
            sent = deployment.ask("send", "-", stdin=campaign(60))
            jobs = [receipt["id"] for receipt in sent["receipts"]]
            wait_for("the first mails", lambda: len(deployment.messages()) >= 5)

            redis.kill_primary()
            wait_for("another primary", lambda: redis.primary_port() == redis.replica.port)
            # Alone it can promise nothing, and nothing is begun before it has a replica again.
            refused = deployment.run("send", "-", stdin=campaign(1, campaign="refused"))
            assert refused.status == 3, refused
            assert "replicas" in refused.err, refused
            redis.revive()

            states = deployment.wait_recorded(jobs, {"accepted", "uncertain"})
            copies = deployment.copies()
            assert set(copies.values()) == {1}
            assert {job for job in jobs if states[job] == "accepted"} <= set(copies) <= set(jobs)
            wait_for(
                "intake",
                lambda: (
                    deployment.run("send", "-", stdin=campaign(1, campaign="later")).status == 0
                ),
            )
            assert requests.get(f"{deployment.gateway}/readyz", timeout=60).ok
            assert worker.poll() is None
            assert told_by(told_at)["certmail_store_up", ("redis",)] == 1
            findings = deployment.run("doctor", "--json").json["findings"]
            assert not [item for item in findings if item["severity"] == "error"], findings


def test_a_replica_that_lagged_stops_pacing_and_repair_heals_it(tmp_path: Path) -> None:
    """What was only on the primary is gone: it says so, holds what may have left, and goes on."""
    with watched(tmp_path / "redis") as redis:
        settings = {"CERTMAIL_REDIS_URL": redis.url, "CERTMAIL_DURABILITY": "declared"}
        with new_deployment(tmp_path / "data", **QUICK, **settings) as deployment:
            deployment.link(units=12_000)
            deployment.worker()
            first = deployment.send(campaign(3))
            deployment.wait_recorded(first, {"accepted"})

            redis.lag()
            lost = deployment.send(campaign(3, campaign="lost"))
            deployment.wait_recorded(lost, {"accepted"})
            redis.kill_primary()
            redis.catch_up()
            wait_for("another primary", lambda: redis.primary_port() == redis.replica.port)

            def lineage() -> str:
                found = deployment.run("doctor", "--json").json["findings"]
                return next((str(item) for item in found if item["check"] == "lineage"), "")

            wait_for("the doctor to see it", lambda: "older than the record" in lineage())
            wait_for(
                "a worker to see it", lambda: deployment.admin.redis.exists(redis_keys.STOPPED) == 1
            )
            repaired = deployment.run("doctor", "--repair", "--yes")
            assert repaired.status == 0, repaired
            assert "3 end as the record says" in repaired.out
            assert lineage().count("goes on where the record ends") == 1

            later = deployment.send(campaign(3, campaign="later"))
            deployment.wait_recorded(later, {"accepted"})
            # The same once more, of which Redis had forgotten that it was sent.
            again = deployment.send(campaign(3, campaign="lost"))
            assert again == lost
            assert set(deployment.copies().values()) == {1}
            assert len(deployment.messages()) == 9
