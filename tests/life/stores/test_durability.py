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
from support.deployment.deployment import QUICK, Deployment, campaign, deployment, wait_for
from support.servers.replication import DURABLE, Valkey, replica_of, valkey

REFUSED = "CERTMAIL_DURABILITY=fsync is not proven for this Redis: appendfsync is everysec"


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with valkey(Path(tmp_path_factory.mktemp("primary")), *DURABLE) as server:
        yield server


@pytest.fixture(scope="module")
def place(primary: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    data_dir = Path(tmp_path_factory.mktemp("durability"))
    with deployment(data_dir, **QUICK, CERTMAIL_REDIS_URL=primary.url) as made:
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
    def test_nothing_is_taken_in_on_a_promise_that_would_not_hold(self, place: Deployment) -> None:
        ran = place.run("send", "-", "--json", stdin=campaign(1))
        assert (ran.status, ran.json["error"]["code"]) == (3, "durability_unproven")
        assert REFUSED in ran.json["error"]["message"]
        assert "replicas:N" in ran.json["error"]["remedy"]

    @pytest.mark.parametrize("command", ["worker", "gateway", "up"])
    def test_nor_does_a_process_start(self, place: Deployment, command: str) -> None:
        ran = place.run(command)
        assert ran.status == 3, ran
        assert REFUSED in ran.err
        assert "replicas:N" in ran.err
        assert "Traceback" not in ran.err

    def test_a_malformed_choice_is_wrong_use(self, place: Deployment) -> None:
        ran = place.run("send", "-", "--json", stdin=campaign(1), CERTMAIL_DURABILITY="replica:1")
        assert ran.status == 2
        assert "CERTMAIL_DURABILITY" in ran.json["error"]["message"]

    def test_who_promises_nothing_may_send(self, place: Deployment) -> None:
        text = campaign(1, campaign="unpromised")
        ran = place.run("send", "-", "--json", stdin=text, CERTMAIL_DURABILITY="none")
        assert (ran.status, ran.json["enqueued"]) == (0, 1)

    def test_and_its_worker_says_so_plainly(self, place: Deployment) -> None:
        worker = place.start(
            "certmail_worker", "worker", log="none.log", CERTMAIL_DURABILITY="none"
        )
        wait_for("it is up", lambda: place.workers() == 1)
        worker.terminate()
        assert worker.wait(60) == 0
        assert "may be lost, or sent twice" in (place.data_dir / "none.log").read_text()


def test_another_run_of_the_server_must_prove_it_before_anything_leaves(
    place: Deployment, primary: Valkey
) -> None:
    with running(place, "fsync"):
        primary.redis.config_set("appendfsync", "everysec")
        primary.redis.set(redis_keys.CHECKED_RUN, "the-run-before")
        ran = place.run(
            "send", "-", "--json", stdin=campaign(1, campaign="another"), CERTMAIL_DURABILITY="none"
        )
        job = ran.json["receipts"][0]["id"]

        try:
            wait_for("it says why", lambda: stopped(primary) == b"durability_unproven")
            assert place.status(job)["attempts"] == []
        finally:
            primary.redis.config_set("appendfsync", "always")

        place.wait_recorded([job], {"accepted"})
        assert stopped(primary) is None


def test_no_request_leaves_that_no_replica_knows_of(
    place: Deployment, primary: Valkey, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        with replica_of(primary, tmp_path / "one") as replica:
            stack.enter_context(running(place, "replicas:1"))
            wait_for("what was sent before left", lambda: not primary.redis.exists(redis_keys.DUE))
            before = len(place.sends())
            replica.freeze()
            jobs = place.send(campaign(3, campaign="frozen"))
            wait_for("each was tried", lambda: all(put_off(place.status(job)) for job in jobs))
            assert len(place.sends()) == before
            replica.thaw()
            place.wait_recorded(jobs, {"accepted"})

        # Without any replica nothing is tried: it would be in vain.
        wait_for("it is missed", lambda: stopped(primary) == b"replicas_missing")
        jobs += place.send(campaign(1, campaign="alone"))
        time.sleep(1.5)
        assert place.status(jobs[-1])["attempts"] == []
        with replica_of(primary, tmp_path / "other"):
            place.wait_recorded(jobs, {"accepted"})
            assert stopped(primary) is None
    copies = place.copies()
    assert [copies[job] for job in jobs] == [1] * 4
    assert len(place.sends()) == before + 4


@contextmanager
def running(place: Deployment, durability: str) -> Iterator[None]:
    """A worker, for the time of the block."""
    worker = place.start(
        "certmail_worker", "worker", log="worker.log", CERTMAIL_DURABILITY=durability
    )
    wait_for("it is up", lambda: place.workers() == 1)
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
