"""Garbage at every door of a running deployment (support/garbage.py): it harms itself alone.

One worker, two tenants. What one of them, or whoever else can write to Redis, throws at a door is
dropped, refused, set aside or ends by itself; the other tenant's reminders leave meanwhile, the
record goes on, and the worker is the same as before.
"""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery
from sqlalchemy import func, select

from certmail import Mailer, Reminder
from certmail_config.base import redis_keys
from certmail_config.base.ids import JobId
from certmail_config.crypto.sealing import Sealer
from certmail_config.jobs.states import State
from certmail_config.ledger import enqueue, run
from certmail_config.sql import registry, tables
from certmail_config.stores.broker import QUEUE, TRANSPORT_OPTIONS, broker_url
from support.data.garbage import COMMANDS, EVENTS, JOBS, MESSAGES, NOT_JSON, ODD_LETTERS, PAYLOADS
from support.deployment.deployment import STEADY, Deployment, campaign, new_deployment, wait_for
from support.processes.halt import Process

PIDBOX = "celery.pidbox"
"""The exchange over which Celery's commands reach every worker."""


@dataclass(slots=True)
class Place:
    """A deployment with one worker, and what was thrown at it."""

    deployment: Deployment
    worker: Process
    app: Celery
    jobs: dict[str, str] = field(default_factory=dict)

    @property
    def redis(self) -> Any:
        return self.deployment.admin.redis

    def log(self) -> list[dict[str, Any]]:
        lines = (self.deployment.data_dir / "worker.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.log() if line["event"] == event]

    def others_go_on(self) -> None:
        """Another tenant's reminders leave and are recorded, and the worker is still the first."""
        jobs = self.deployment.send(campaign(3, tenant="globex", campaign=str(uuid4())))
        self.deployment.wait_recorded(jobs, {"accepted"})
        assert self.worker.poll() is None
        assert self.deployment.workers() == 1

    def answers(self) -> bool:
        """Whether the worker can be looked at, as Flower does."""
        return len(self.app.control.ping(timeout=60, limit=1)) == 1


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with new_deployment(Path(tmp_path_factory.mktemp("garbage")), **STEADY) as made:
        made.link("acme", units=100_000, in_flight=20)
        made.link("globex", units=100_000, in_flight=20)
        worker = made.worker()
        wait_for("the worker", lambda: made.workers() == 1)

        app = Celery("a test's", broker=broker_url(made.admin.settings.redis_url or url_of(made)))
        app.conf.broker_transport_options = dict(TRANSPORT_OPTIONS)

        place = Place(made, worker, app)
        place.others_go_on()
        yield place
        app.close()


def url_of(made: Deployment) -> str:
    """The embedded server's."""
    return f"unix://{made.admin.redis.connection_pool.connection_kwargs['path']}"


def test_messages_in_the_queue_that_are_none(place: Place) -> None:
    for message in MESSAGES.values():
        place.redis.lpush(redis_keys.CELERY_PREFIX + QUEUE, message)
    place.others_go_on()
    wait_for("all are taken", lambda: place.redis.llen(redis_keys.CELERY_PREFIX + QUEUE) == 0)
    dropped = place.said("message_dropped")

    assert dropped
    assert all(line["level"] == "error" and line["remedy"] for line in dropped)
    assert len(dropped) < len(MESSAGES), "alike ones are one line"

    wait_for(
        "none is left unacknowledged",
        lambda: place.redis.zcard(redis_keys.CELERY_PREFIX + "unacked_index") == 0,
    )


def test_what_was_never_acknowledged_and_is_no_message(place: Place) -> None:
    for n, message in enumerate(NOT_JSON.values()):
        place.redis.hset(redis_keys.CELERY_PREFIX + "unacked", f"tag-{n}", message)
        place.redis.zadd(redis_keys.CELERY_PREFIX + "unacked_index", {f"tag-{n}": 0})
    wait_for(
        "it is gone", lambda: place.redis.zcard(redis_keys.CELERY_PREFIX + "unacked_index") == 0
    )
    place.others_go_on()


def published(command: Any) -> bytes:
    """A command as Celery publishes it."""
    told = {"exchange": PIDBOX, "routing_key": ""}
    message = {
        "body": base64.b64encode(json.dumps(command).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"clock": 1, "expires": time.time() + 60},
        "properties": {
            "delivery_info": told,
            "delivery_tag": str(uuid4()),
            "body_encoding": "base64",
        },
    }

    return json.dumps(message).encode()


def test_commands_that_would_change_a_worker(place: Place) -> None:
    channels = [name for name in place.redis.pubsub_channels("*") if PIDBOX.encode() in name]
    patterns = [] if channels else [f"{redis_keys.CELERY_PREFIX}/0.{PIDBOX}"]
    [channel] = channels or patterns
    assert place.answers()
    for command in COMMANDS.values():
        assert place.redis.publish(channel, published(command)) == 1, "the worker listens there"

    for message in NOT_JSON.values():
        place.redis.publish(channel, message)
    place.others_go_on()
    assert place.answers()

    place.app.control.heartbeat()  # as Flower does when it starts
    looking = place.app.control.inspect(timeout=60, limit=1)
    [stats] = looking.stats().values()
    assert stats["pool"]["max-concurrency"] > 0

    [queues] = looking.active_queues().values()
    assert [queue["name"] for queue in queues] == [QUEUE]

    refused = {line["why"] for line in place.said("command_refused")}
    assert {
        "shutdown",
        "cancel_consumer",
        "rate_limit",
        "pool_grow",
        "revoke",
        "time_limit",
    } <= refused
    assert not {"heartbeat", "ping", "stats", "active_queues"} & refused


def test_contents_that_are_no_reminder(place: Place) -> None:
    with place.deployment.admin.db() as db:
        sealer = Sealer(registry.get_tenant(db, "acme").public_key)
    connection = place.deployment.admin.connection("acme/default").id

    jobs = {}
    for name, payload in PAYLOADS.items():
        jobs[name] = id_ = JobId(str(uuid4()))
        call = enqueue(
            id=id_,
            tenant="acme",
            connection=connection,
            dedupe=f"acme:{id_}",
            fingerprint="f",
            state=State.READY,
            reason="",
            send_at=None,
            expires_at=time.time() + 86_400,
            priority=5,
            kind="reminder",
            campaign="q4",
            keep_seconds=86_400,
            body=sealer.seal(payload, tenant="acme", job=id_, now=time.time()),
        )

        run(place.redis, call)

    place.others_go_on()
    place.deployment.wait_recorded(list(jobs.values()), {"failed"})
    reasons = Counter(
        place.deployment.status(job)["reason"].partition(":")[0] for job in jobs.values()
    )
    assert reasons == {"payload_unreadable": len(PAYLOADS)}

    log = (place.deployment.data_dir / "worker.log").read_text()
    assert "people.example" not in log


def test_letters_that_are_odd(place: Place) -> None:
    odd = []
    for name, fields in ODD_LETTERS.items():
        given: dict[str, Any] = {"due_at": "2099-12-11T17:00:00Z", **fields, "key": name}
        odd.append(Reminder.model_validate({**given, "tenant": "acme", "to": "ann@people.example"}))
    with Mailer(place.redis) as mailer:
        jobs = [mailer.send(reminder).id for reminder in odd]
    place.deployment.wait_recorded(jobs, {"accepted", "failed"})
    place.others_go_on()


def test_jobs_that_cannot_be_read(place: Place) -> None:
    soon = time.time() + 5

    with Mailer(place.redis) as mailer:
        jobs = {
            name: mailer.send(
                Reminder(
                    tenant="acme", to="ann@people.example", key=f"broken {name}", send_at=_at(soon)
                )
            ).id
            for name in JOBS
        }

    for name, job in jobs.items():
        _alter(place.redis, job, JOBS[name])
    place.others_go_on()
    wait_for(
        "all have ended", lambda: all(_state(place.redis, job) in ENDED for job in jobs.values())
    )
    place.others_go_on()


def test_events_that_cannot_be_read(place: Place) -> None:
    before = _set_aside(place)
    for event in EVENTS.values():
        place.redis.xadd(redis_keys.EVENTS, event)
    place.others_go_on()

    assert _set_aside(place) > before
    assert place.said("events_set_aside")

    found = {
        item["check"]: item for item in place.deployment.run("doctor", "--json").json["findings"]
    }
    assert (found["record"]["severity"], found["services"]["severity"]) == ("warning", "ok")
    assert "set aside" in found["record"]["message"]


def test_after_all_of_it_a_repair_leaves_nothing_wrong_with_the_ledger(place: Place) -> None:
    place.deployment.run(
        "doctor", "--repair", "--yes"
    )  # of a job that names no lane nobody knows in which it was counted
    findings = place.deployment.run("doctor", "--json").json["findings"]
    assert [item for item in findings if item["check"].startswith("ledger ")] == []

    place.others_go_on()
    log = place.log()
    assert not [
        line
        for line in log
        if "Traceback" in str(line) or line["event"] in {"task_failed", "service_failed"}
    ]
    assert not [line for line in log if line["level"] == "critical"]

    place.worker.terminate()
    assert place.worker.wait(60) == 0


ENDED = {b"failed", b"accepted", b"uncertain", b"cancelled", b"expired"}


def _at(seconds: float) -> Any:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _state(redis: Any, job: str) -> bytes | None:
    found: bytes | None = redis.hget(redis_keys.JOB + job, "state")
    return found


def _alter(redis: Any, job: str, changes: Mapping[str, str | None]) -> None:
    for name, value in changes.items():
        if value is None:
            redis.hdel(redis_keys.JOB + job, name)
        else:
            redis.hset(redis_keys.JOB + job, name, value.encode(errors="surrogateescape"))


def _set_aside(place: Place) -> int:
    with place.deployment.admin.db() as db:
        return int(db.execute(select(func.count()).select_from(tables.set_aside)).scalar_one())
