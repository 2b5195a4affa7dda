"""WorkerRequests: asked once, taken once, sealed, and clear about silence."""

from __future__ import annotations

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.vault import Vault
from certmail_config.google.checklist import Step
from certmail_config.google.token_errors import Blame
from certmail_config.onboarding.sample_wanted import SampleWanted
from certmail_config.onboarding.worker_requests import (
    LIFE_SECONDS,
    SILENT_SECONDS,
    TAKEN_UP_SECONDS,
    Remark,
    RequestStage,
    Wish,
    WorkerRequest,
    WorkerRequests,
    silence,
    workers_alive,
)

ID = ConnectionId("0199-connection")
VAULT = Vault([("one", b"1" * 32)])


@pytest.fixture
def worker_requests(redis: Redis) -> WorkerRequests:
    return WorkerRequests(redis, VAULT, lambda: 100.0)


def test_what_was_asked_and_found_can_be_read_again(worker_requests: WorkerRequests) -> None:
    asked = worker_requests.ask("acme", ID, Wish.MAIL)
    assert worker_requests.read(asked.id) == asked
    step = Step(
        "clock",
        ok=False,
        code="clock_wrong",
        message="late",
        remedy="NTP",
        blame=Blame.OPERATOR,
        value="7",
    )

    running = worker_requests.tell(asked.now_running().found(step))
    assert worker_requests.read(asked.id) == running
    refused = worker_requests.tell(running.refused(Remark("unknown_connection", "gone", "look")))
    assert worker_requests.read(asked.id) == refused
    assert refused.over


def test_a_sample_is_found_by_its_id_alone_and_its_address_is_unreadable(
    redis: Redis, worker_requests: WorkerRequests
) -> None:
    """A connection's page shows what was found out about the connection, and no sample."""
    check = worker_requests.ask("acme", ID, Wish.CHECK)
    wanted = SampleWanted("me@people.example", "reminder", "en", "rich", '{"texts": {}}')
    asked = worker_requests.ask("acme", ID, Wish.SAMPLE, by="somebody", sample=wanted)

    assert worker_requests.read(asked.id) == asked
    assert asked.sample == wanted
    assert worker_requests.latest(ID) == check
    assert b"people.example" not in (redis.get(redis_keys.WORKER_REQUEST + asked.id) or b"")
    assert "people.example" not in repr(asked)


def test_the_latest_of_a_connection_is_never_another_connections(
    redis: Redis, worker_requests: WorkerRequests
) -> None:
    """Whoever can write Redis could put another tenant's in its place."""
    theirs = worker_requests.ask("globex", ConnectionId("0199-theirs"), Wish.CHECK)
    redis.set(redis_keys.WORKER_REQUEST_LATEST + ID, theirs.id)
    assert worker_requests.latest(ID) is None
    assert worker_requests.latest(theirs.connection) == theirs


def test_a_worker_request_is_taken_once_and_not_when_it_is_over(
    worker_requests: WorkerRequests,
) -> None:
    asked = worker_requests.ask("acme", ID, Wish.CHECK)
    taken = worker_requests.take(asked.id, "one")
    assert taken is not None
    assert taken.stage is RequestStage.RUNNING
    assert worker_requests.take(asked.id, "another") is None
    over = worker_requests.tell(worker_requests.ask("acme", ID, Wish.CHECK).done())
    assert worker_requests.take(over.id, "one") is None
    assert worker_requests.take("nobody-asked", "one") is None


def test_the_latest_about_a_connection_is_found_by_it(worker_requests: WorkerRequests) -> None:
    assert worker_requests.latest(ID) is None
    worker_requests.ask("acme", ID, Wish.CHECK)
    asked = worker_requests.ask("acme", ID, Wish.MAIL)
    assert worker_requests.latest(ID) == asked


class TestWhoeverCanWriteRedis:
    """But has no vault key."""

    def test_can_show_nobody_what_was_found_about_another_connection(
        self, redis: Redis, worker_requests: WorkerRequests
    ) -> None:
        theirs = worker_requests.ask("globex", ConnectionId("theirs"), Wish.CHECK)
        redis.set(redis_keys.WORKER_REQUEST_LATEST + ID, theirs.id)
        assert worker_requests.latest(ID) is None

    def test_can_ask_for_nothing(self, redis: Redis, worker_requests: WorkerRequests) -> None:
        asked = worker_requests.ask("acme", ID, Wish.CHECK)
        redis.set(
            f"{redis_keys.WORKER_REQUEST}another",
            redis.get(redis_keys.WORKER_REQUEST + asked.id) or b"",
        )
        assert worker_requests.take("another", "one") is None
        assert redis.hkeys(redis_keys.FORGED) == [f"{redis_keys.WORKER_REQUEST}another".encode()]

    def test_can_have_nothing_done_again_that_was_asked_long_ago(
        self, redis: Redis, worker_requests: WorkerRequests
    ) -> None:
        asked = worker_requests.ask("acme", ID, Wish.REMOVE)
        later = WorkerRequests(redis, VAULT, lambda: 100.0 + LIFE_SECONDS)
        redis.persist(redis_keys.WORKER_REQUEST + asked.id)
        assert later.take(asked.id, "one") is None


def test_nothing_of_it_can_be_read_in_redis_and_all_of_it_is_forgotten(
    redis: Redis, worker_requests: WorkerRequests
) -> None:
    asked = worker_requests.ask("acme", ID, Wish.CHECK)
    worker_requests.take(asked.id, "one")
    worker_requests.tell(
        asked.found(Step("account", ok=True, code="account_known", message="It is a@acme.example."))
    )
    names = list(redis.scan_iter(redis_keys.TAG + "*"))
    assert len(names) == 3

    for name in names:
        assert 0 < redis.ttl(name) <= LIFE_SECONDS
        assert b"acme" not in redis.get(name)  # type: ignore[operator]  # redis-py types both clients at once


def test_only_workers_that_advertise_themselves_now_are_alive(redis: Redis) -> None:
    now = redis.time()[0] * 1000
    redis.zadd(redis_keys.WORKERS, {"gone": now - 1, "here": now + 60_000})
    assert workers_alive(redis) == 1


def worker_request(stage: RequestStage) -> WorkerRequest:
    return WorkerRequest("id", "acme", ID, Wish.CHECK, told_at=100.0, stage=stage)


@pytest.mark.parametrize(
    ("stage", "workers", "later", "code"),
    [
        (RequestStage.ASKED, 0, 0, "no_worker"),
        (RequestStage.ASKED, 1, 1, None),
        (RequestStage.ASKED, 1, TAKEN_UP_SECONDS + 1, "not_taken_up"),
        (RequestStage.RUNNING, 0, SILENT_SECONDS - 1, None),
        (RequestStage.RUNNING, 1, SILENT_SECONDS + 1, "worker_lost"),
        (RequestStage.DONE, 0, 10_000, None),
        (RequestStage.REFUSED, 0, 10_000, None),
    ],
)
def test_silence_has_a_reason_and_a_remedy(
    stage: RequestStage, workers: int, later: float, code: str | None
) -> None:
    remark = silence(worker_request(stage), workers, 100.0 + later)
    assert (remark.code if remark else None) == code
    assert remark is None or remark.remedy
