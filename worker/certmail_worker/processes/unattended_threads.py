"""Threads that a process does not wait for when it ends.

Celery asks a Redis that is away again and again, without end: whoever waits for the thread in which
it does so never ends either.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import Any

Call = tuple[Future[Any], Callable[[], Any]]


class UnattendedThreads(ThreadPoolExecutor):
    """An executor whose threads end with the process; asyncio takes only one of this class."""

    def __init__(self, max_workers: int | None = None) -> None:
        super().__init__(max_workers)
        self._calls: SimpleQueue[Call] = SimpleQueue()
        self._started = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function in one of the threads."""
        future: Future[Any] = Future()
        self._calls.put((future, partial(fn, *args, **kwargs)))

        if self._started < self._max_workers:
            self._started += 1
            threading.Thread(target=self._run, name="unattended", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing is waited for: whatever is still asked has nobody who would hear the answer."""

    def _run(self) -> None:
        while True:
            future, call = self._calls.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001 - it is the caller's
                future.set_exception(error)
            else:
                future.set_result(result)
