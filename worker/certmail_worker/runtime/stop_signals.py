"""What a worker does with the signals that stop it: each sets a flag, which its main loop reads.

Celery's own handlers for SIGQUIT and a second SIGINT do the whole cold shutdown inside the handler:
cancel, close, wait. Whatever lock the main thread held when the signal came (kombu's
`Hub._ready_lock`, the event dispatcher's mutex) is then asked for again by the same thread, and the
worker hangs. A flag takes no lock.

SIGTERM stays Celery's: it sets a flag too.
"""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from celery.apps import worker
from celery.worker import state

Form = Literal["json", "console"]
EXIT_FAILURE = 1


def install(form: Form = "console") -> None:
    """Take SIGQUIT and SIGINT over from Celery, and what it prints at SIGTERM.

    On the main thread, once the worker is ready.
    """
    signal.signal(signal.SIGQUIT, partial(_cold, form))
    signal.signal(signal.SIGINT, partial(_warm, form))
    worker.safe_say = partial(_say_for_celery, form)


def is_cold_shutdown() -> bool:
    """Whether what is under way is to be cancelled rather than waited for."""
    return state.should_terminate not in (None, False)


def _warm(form: Form, *_: object) -> None:
    _say("Finishing what is under way. Ctrl-C again cancels it.", form)
    signal.signal(signal.SIGINT, partial(_cold, form))
    state.should_stop = EXIT_FAILURE


def _cold(form: Form, *_: object) -> None:
    _say("Cancelling what is under way.", form)
    state.should_terminate = EXIT_FAILURE


def _say_for_celery(form: Form, sentence: str, _stream: object = None) -> None:
    _say(sentence.strip(), form)


def _say(sentence: str, form: Form) -> None:
    """Write to stderr, past Python's buffers and the log.

    The interrupted thread may hold the locks of both.
    """
    line = f"certmail: {sentence}"
    if form == "json":
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        line = json.dumps(
            {
                "timestamp": now,
                "level": "info",
                "process": "worker",
                "event": "stops",
                "said": sentence,
            }
        )
    os.write(2, f"{line}\n".encode())
