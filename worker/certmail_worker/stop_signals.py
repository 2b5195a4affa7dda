"""What a worker does with the signals that stop it: each sets a flag, which its main loop reads.

Celery's own handlers for SIGQUIT and a second SIGINT do the whole cold shutdown inside the handler: cancel, close,
wait. Whatever lock the main thread held when the signal came (kombu's `Hub._ready_lock`, the event dispatcher's mutex)
is then asked for again by the same thread, and the worker hangs. A flag takes no lock.

SIGTERM stays Celery's: it sets a flag too.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from celery.worker import state

EXIT_FAILURE = 1


def install(**_: Any) -> None:
    """Take the two signals over from Celery; on the main thread, once the worker is ready."""
    signal.signal(signal.SIGQUIT, _cold)
    signal.signal(signal.SIGINT, _warm)


def told_to_hurry() -> bool:
    """Whether what is under way is to be cancelled rather than waited for."""
    return state.should_terminate not in (None, False)


def _warm(*_: object) -> None:
    _say("Finishing what is under way. Ctrl-C again cancels it.")
    signal.signal(signal.SIGINT, _cold)
    state.should_stop = EXIT_FAILURE


def _cold(*_: object) -> None:
    _say("Cancelling what is under way.")
    state.should_terminate = EXIT_FAILURE


def _say(sentence: str) -> None:
    """To stderr, past Python's buffers, whose locks the interrupted thread may hold."""
    os.write(2, f"certmail: {sentence}\n".encode())
