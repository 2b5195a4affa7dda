"""Which messages of Celery's queue a worker takes up, and which commands."""

from __future__ import annotations

import base64
import json
from typing import Any, cast

import pytest
from celery import Celery

from certmail_config.stores.broker import DELIVER, PROBE, QUEUE
from certmail_worker.runtime.celery_messages import (
    why_not_a_call,
    why_not_a_doorbell,
    why_not_a_message,
)
from certmail_worker.runtime.remote_control import why_malformed
from support.data.garbage import COMMANDS, MESSAGES, OTHER_JSON


class Written:
    """Messages as Celery writes them, caught on their way to Redis."""

    def __init__(self) -> None:
        self.app = Celery("a test's", broker="memory://", set_as_current=False)
        self.app.conf.update(
            task_default_queue=QUEUE, task_serializer="json", task_ignore_result=True
        )

    def write(self, task: str, **options: Any) -> dict[str, Any]:
        with self.app.connection_for_write() as connection:
            channel: Any = connection.channel()
            self.app.send_task(task, args=["0199-a-job"], connection=connection, **options)
            message = channel._get(QUEUE)
        return cast("dict[str, Any]", json.loads(json.dumps(message)))


@pytest.mark.parametrize("task", [DELIVER, PROBE])
def test_what_certmail_sends_is_taken_up(task: str) -> None:
    message = Written().write(task)
    assert (
        why_not_a_message(message),
        why_not_a_doorbell(message),
        why_not_a_call(called(message)),
    ) == (None, None, None)


@pytest.mark.parametrize(
    "more", [{"countdown": 10}, {"expires": 10}, {"time_limit": 1}, {"compression": "gzip"}]
)
def test_what_asks_for_more_is_not(more: dict[str, Any]) -> None:
    message = Written().write(DELIVER, **more)
    assert why_not_a_message(message) is None
    assert why_not_a_doorbell(message) is not None


@pytest.mark.parametrize("name", MESSAGES)
def test_of_anything_else_is_said_why_it_is_not(name: str) -> None:
    try:
        message = json.loads(MESSAGES[name])
    except (ValueError, RecursionError):
        return
    assert (
        why_not_a_message(message) or why_not_a_doorbell(message) or why_not_a_call(called(message))
    ), name


def called(message: dict[str, Any]) -> object:
    """What the body of a message holds.

    Nothing where it is not in the form that it is said to be in.
    """
    try:
        return json.loads(base64.b64decode(message["body"], validate=True))
    except (KeyError, ValueError):
        return None


@pytest.mark.parametrize(
    "thing", [json.loads(thing) for thing in OTHER_JSON.values()], ids=OTHER_JSON
)
def test_json_of_any_other_shape_is_no_message_and_no_command(thing: object) -> None:
    assert why_not_a_message(thing) is not None
    assert why_malformed(thing, {}) is not None


@pytest.mark.parametrize("clock", [-1, 2**60, "noon", 1.5, [1]])
def test_a_command_whose_clock_would_outrun_all_others_is_none(clock: object) -> None:
    ping: dict[str, Any] = {
        "method": "ping",
        "arguments": {},
        "destination": None,
        "pattern": None,
        "matcher": None,
    }
    assert why_malformed(ping, {"clock": 7}) is None
    assert why_malformed(ping, {"clock": clock}) == "a command of no time"


def test_commands_of_every_kind_are_judged_without_raising() -> None:
    found = {name: why_malformed(command, {}) for name, command in COMMANDS.items()}
    assert found["shutdown"] is None, "it is a command; that it is refused is decided later"
    assert all(
        found[name] for name in COMMANDS if "none" in name or name in {"a number", "a text", "null"}
    )
