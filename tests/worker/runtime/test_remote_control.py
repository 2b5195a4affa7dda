"""What a worker says of itself to whoever asks over Redis."""

from __future__ import annotations

import json

from celery import Celery

from certmail_config.stores.broker import broker_url, transport_options
from certmail_worker.runtime.remote_control import ReadOnlyNode, refuse_changes

URL = "sentinel://me:a-secret@one,two/0?master=m&sentinel_password=another-secret"


def test_no_password_of_redis_or_its_sentinels_is_in_its_answers() -> None:
    """Celery hides the first URL's only, and what it asks sentinels with not at all."""
    app = Celery("asked", broker=broker_url(URL), set_as_current=False)
    app.conf.broker_transport_options = transport_options(URL)
    refuse_changes(app)
    told = {"broker": app.connection_for_read().info(), "pool": {"max-concurrency": 8}}
    assert "secret" in json.dumps(told, default=str)

    node = app.control.mailbox.Node("worker", channel=None, handlers={"stats": lambda _: told})
    assert isinstance(node, ReadOnlyNode)
    said = node.handle("stats")
    shown = json.dumps(
        {**said, "broker": {**said["broker"], "password": None}}, default=str
    )  # Celery takes the first one out itself
    assert "secret" not in shown
    assert said["pool"] == told["pool"]
    assert said["broker"]["hostname"] == "one"
