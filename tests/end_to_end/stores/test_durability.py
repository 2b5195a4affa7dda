"""What Redis must keep before anything is promised on it.

Checked by the command line, and by a running worker.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from certmail_config.base import redis_keys
from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for
from support.servers.replication import DURABLE, Valkey, replica_of, valkey

REFUSED = "CERTMAIL_DURABILITY=fsync is not proven for this Redis: appendfsync is everysec"


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with valkey(Path(tmp_path_factory.mktemp("primary")), *DURABLE) as server:
        yield server


@pytest.fixture(scope="module")
def deployment(primary: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    data_dir = Path(tmp_path_factory.mktemp("durability"))
    with new_deployment(data_dir, **QUICK, CERTMAIL_REDIS_URL=primary.url) as made:
        made.link()
        yield made


@pytest.fixture
def forgetful(primary: Valkey) -> Iterator[None]:
    """A server that acknowledges what a crash would lose."""
    primary.redis.config_set("appendfsync", "everysec")
    yield
    primary.redis.config_set("appendfsync", "always")


@pytest.mark.usefixtures("forgetful")
class TestOnTheCommandLine:
    def test_nothing_is_taken_in_on_a_promise_that_would_not_hold(
        self, deployment: Deployment
    ) -> None:
        ran = deployment.run("send", "-", "--json", stdin=campaign(1))
        assert (ran.status, ran.json["error"]["code"]) == (3, "durability_unproven")
        assert REFUSED in ran.json["error"]["message"]
        assert "replicas:N" in ran.json["error"]["remedy"]

    @pytest.mark.parametrize("command", ["worker", "gateway", "up"])
    def test_nor_does_a_process_start(self, deployment: Deployment, command: str) -> None:
        ran = deployment.run(command)
        assert ran.status == 3, ran
        assert REFUSED in ran.err
        assert "replicas:N" in ran.err
        assert "Traceback" not in ran.err

    def test_a_malformed_choice_is_wrong_use(self, deployment: Deployment) -> None:
        ran = deployment.run(
            "send", "-", "--json", stdin=campaign(1), CERTMAIL_DURABILITY="replica:1"
        )
        assert ran.status == 2
        assert "CERTMAIL_DURABILITY" in ran.json["error"]["message"]

    def test_who_promises_nothing_may_send(self, deployment: Deployment) -> None:
        text = campaign(1, campaign="unpromised")
        ran = deployment.run("send", "-", "--json", stdin=text, CERTMAIL_DURABILITY="none")
        assert (ran.status, ran.json["enqueued"]) == (0, 1)

    def test_and_its_worker_says_so_plainly(self, deployment: Deployment) -> None:
        worker = deployment.start(
            "certmail_worker", "worker", log="none.log", CERTMAIL_DURABILITY="none"
        )
        wait_for("it is up", lambda: deployment.workers() == 1)
        worker.terminate()

        assert worker.wait(60) == 0
        assert "may be lost, or sent twice" in (deployment.data_dir / "none.log").read_text()


def test_another_run_of_the_server_must_prove_it_before_anything_leaves(
    deployment: Deployment, primary: Valkey
) -> None:
    with running(deployment, "fsync"):
        primary.redis.config_set("appendfsync", "everysec")
        primary.redis.set(redis_keys.CHECKED_RUN, "the-run-before")
        ran = deployment.run(
            "send", "-", "--json", stdin=campaign(1, campaign="another"), CERTMAIL_DURABILITY="none"
        )
        job = ran.json["receipts"][0]["id"]

        try:
            wait_for("it says why", lambda: stopped(primary) == b"durability_unproven")
            assert deployment.status(job)["attempts"] == []
        finally:
            primary.redis.config_set("appendfsync", "always")

        deployment.wait_recorded([job], {"accepted"})
        assert stopped(primary) is None


def test_no_request_leaves_that_no_replica_knows_of(
    deployment: Deployment, primary: Valkey, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        with replica_of(primary, tmp_path / "one") as replica:
            stack.enter_context(running(deployment, "replicas:1"))
            wait_for("what was sent before left", lambda: not primary.redis.exists(redis_keys.DUE))
            before = len(deployment.sends())
            replica.freeze()
            jobs = deployment.send(campaign(3, campaign="frozen"))
            wait_for("each was tried", lambda: all(put_off(deployment.status(job)) for job in jobs))
            assert len(deployment.sends()) == before

            replica.thaw()
            deployment.wait_recorded(jobs, {"accepted"})

        # Without any replica nothing is tried: it would be in vain.
        wait_for("it is missed", lambda: stopped(primary) == b"replicas_missing")
        jobs += deployment.send(campaign(1, campaign="alone"))
        time.sleep(1.5)
        assert deployment.status(jobs[-1])["attempts"] == []

        with replica_of(primary, tmp_path / "other"):
            deployment.wait_recorded(jobs, {"accepted"})
            assert stopped(primary) is None
    copies = deployment.copies()

    assert [copies[job] for job in jobs] == [1] * 4
    assert len(deployment.sends()) == before + 4


@contextmanager
def running(deployment: Deployment, durability: str) -> Iterator[None]:
    """A worker, for the time of the block."""
    worker = deployment.start(
        "certmail_worker", "worker", log="worker.log", CERTMAIL_DURABILITY=durability
    )
    wait_for("it is up", lambda: deployment.workers() == 1)
    yield
    worker.terminate()
    assert worker.wait(60) == 0


def stopped(primary: Valkey) -> Any:
    """Why pacing stands still."""
    return primary.redis.hget(redis_keys.STOPPED, "code")


def put_off(status: dict[str, Any]) -> bool:
    """Whether it was begun, not sent, and is to be tried again."""
    outcomes = {attempt["outcome"] for attempt in status["attempts"]}
    return outcomes == {"not_sent"} and str(status["reason"]).startswith("not_durable: ")
