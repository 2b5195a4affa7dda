"""Task events go out a few times a second, and none is held back at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from kombu.asynchronous import Hub, set_event_loop
from kombu.connection import Connection
from kombu.messaging import Consumer, Queue

from certmail_worker.runtime.task_events import MAX_GATHERED, Dispatcher


class Watcher:
    """Whoever watches, as Flower does; over a queue in this process."""

    def __init__(self, app: Celery, hub: Hub) -> None:
        self._hub = hub
        self._connection = Connection("memory://")
        self.batches: list[list[str]] = []
        self.dispatcher = Dispatcher(
            self._connection,
            app=app,
            hostname="celery@here",
            buffer_group=["task"],
            on_send_buffered=lambda: None,
        )
        queue = Queue("watcher", self.dispatcher.exchange, routing_key="#", auto_delete=True)
        self._consumer = Consumer(self._connection, [queue], no_ack=True)
        self._consumer.register_callback(self._note)
        self._consumer.consume()

    def _note(self, body: Any, _message: object) -> None:
        events = body if isinstance(body, list) else [body]
        self.batches.append([event["type"] for event in events])

    def look(self) -> list[list[str]]:
        """What has come so far, message by message."""
        try:
            while True:
                self._connection.drain_events(timeout=0.05)
        except TimeoutError:
            return self.batches

    def close(self) -> None:
        self._consumer.cancel()
        self._connection.release()


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    hub = Hub()
    set_event_loop(hub)
    made = Watcher(Celery("events", set_as_current=False), hub)
    yield made
    made.close()
    set_event_loop(None)
    hub.close()


def test_events_of_tasks_gather_and_go_together(watcher: Watcher) -> None:
    for _ in range(30):
        watcher.dispatcher.send("task-received", uuid="a")
    assert watcher.look() == []

    loop = watcher._hub.create_loop()
    while not watcher.look():
        next(loop)
    assert watcher.batches == [["task-received"] * 30]


def test_very_many_go_at_once(watcher: Watcher) -> None:
    for _ in range(MAX_GATHERED):
        watcher.dispatcher.send("task-received", uuid="a")
    assert watcher.look() == [["task-received"] * MAX_GATHERED]


def test_other_events_are_not_held_back(watcher: Watcher) -> None:
    watcher.dispatcher.send("worker-heartbeat")
    assert watcher.look() == [["worker-heartbeat"]]


def test_what_has_gathered_is_sent_before_the_dispatcher_ends(watcher: Watcher) -> None:
    watcher.dispatcher.send("task-succeeded", uuid="a")
    watcher.dispatcher.disable()
    assert watcher.look() == [["task-succeeded"]]
