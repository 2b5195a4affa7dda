"""A Celery pool that runs `async def` tasks on one asyncio loop, hundreds at a time.

Celery's consumer runs kombu's hub on the main thread; the loop has a thread of its own. Rules that
keep the two apart (celery.md §2.2): acceptance and completion callbacks, acks among them, run on
the hub's thread only; everything of a task runs on the loop's. Between them stand
`call_soon_threadsafe` one way and a deque with one `hub.call_soon` the other way.

The pool's life in four verbs: start, quiet (take nothing new), stop (wait for what is under way),
kill.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import kombu.asynchronous
from billiard.einfo import ExceptionInfo
from celery.concurrency.base import BasePool

# Acks and rejects only; private, so Celery is pinned.
from celery.concurrency.prefork import _run_ready_callbacks
from kombu import serialization
from redis.exceptions import RedisError

from certmail_worker.delivery.task_states import End
from certmail_worker.runtime.stop_signals import is_cold_shutdown

try:
    import uvloop
except ImportError:  # no wheel for this platform
    uvloop = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

HUB_SECONDS = 5.0
"""How often the hub says that it turns."""


class Life(Protocol):
    """What lives on the loop beside the tasks; the app has one as `app.life`."""

    async def start(self, capacity: int) -> None:
        """Prepare what tasks need; tasks run only afterwards."""

    def queue_is_read(self) -> None:
        """The consumer's hub has turned; called on its thread."""

    async def quiet(self) -> None:
        """Take nothing new."""

    async def stop(self) -> None:
        """Let go of everything; no task runs any more."""

    @property
    def stop_seconds(self) -> float:
        """How long tasks under way may take to end."""

    @property
    def unsettled(self) -> int:
        """How many of them must be waited for even longer."""


class _Job:
    """One task under way.

    The consumer's Request keeps a weak reference, so the pool keeps the strong one.
    """

    __slots__ = ("__weakref__", "callback", "cancelled", "pid", "pool", "task")

    def __init__(self, pool: TaskPool, pid: int, callback: Callable[[Any], None]) -> None:
        self.pool = pool
        self.pid = pid
        self.callback = callback
        self.task: asyncio.Task[Any] | None = None
        self.cancelled = False

    def terminate(self, _signal: object = None) -> None:
        """Cancel it, whether or not it has started; called on the hub's thread."""
        self.pool.terminate_job(self.pid)


class TaskFailedError(Exception):
    """A task's failure as Celery's events and Flower show it: its type only.

    Nothing that the error may have quoted.
    """


def _nameless(error: Exception) -> ExceptionInfo:
    try:
        raise TaskFailedError(type(error).__name__) from None
    except TaskFailedError:
        return ExceptionInfo()


class TaskPool(BasePool):  # type: ignore[misc]  # Celery ships no types
    """See the module."""

    signal_safe = False
    is_green = False
    task_join_will_block = False
    uses_semaphore = True
    body_can_be_buffer = True

    def on_start(self) -> None:
        """Start the loop and the app's life on it.

        Raises what that raises, so that a broken worker does not start.
        """
        self._ids = itertools.count(1)
        self._jobs: dict[int, _Job] = {}
        self._done: deque[tuple[_Job, tuple[int, Any, float] | None]] = deque()
        self._lock = threading.Lock()
        self._armed = False
        self._semaphore = self.options.get("semaphore")

        hub = kombu.asynchronous.get_event_loop()
        assert hub is not None, "the consumer runs on kombu's hub, whatever the pool"
        self._hub = hub
        self._accept = serialization.prepare_accept_content(self.app.conf.accept_content)
        self._life: Life = self.app.life

        self._loop: asyncio.AbstractEventLoop = (uvloop or asyncio).new_event_loop()
        self._thread = threading.Thread(target=self._run_loop, name="certmail-loop", daemon=True)
        self._thread.start()
        self._wait_for(self._life.start(self.limit))
        hub.call_repeatedly(HUB_SECONDS, self._life.queue_is_read)

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _wait_for(self, coroutine: Coroutine[Any, Any, None], seconds: float | None = None) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(seconds)

    # The hub's thread.

    def on_apply(
        self,
        target: Callable[..., Any],  # noqa: ARG002 - Celery's tracer, which is synchronous
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,  # noqa: ARG002 - Celery's signature
        callback: Callable[[Any], None] | None = None,
        accept_callback: Callable[[int, float], None] | None = None,
        **_: Any,
    ) -> _Job:
        """Accept a task and hand it to the loop."""
        assert callback is not None, "the consumer always gives one"
        job = _Job(self, next(self._ids), callback)
        self._jobs[job.pid] = job

        if accept_callback is not None:
            accept_callback(job.pid, time.monotonic())
        self._loop.call_soon_threadsafe(self._spawn, job, args)
        return job

    # `signal` is of Celery's signature.
    def terminate_job(self, pid: int, signal: object = None) -> None:  # noqa: ARG002
        """Cancel one task.

        Before begin its job returns to the lane, after begin it becomes uncertain.
        """
        job = self._jobs.get(pid)
        if job is not None:
            job.cancelled = True
            self._loop.call_soon_threadsafe(lambda: job.task.cancel() if job.task else None)

    def _drain(self) -> None:
        """Report what has ended.

        On the hub's thread, or on the main thread once the hub has stopped.
        """
        with self._lock:
            self._armed = False

        while self._done:
            job, result = self._done.popleft()
            self._jobs.pop(job.pid, None)
            try:
                if result is not None:  # a cancelled request has announced itself already
                    job.callback(result)
            except Exception:
                log.exception("completion_failed")
            finally:
                if self._semaphore is not None:
                    self._semaphore.release()

    # The loop's thread.

    def _spawn(self, job: _Job, args: tuple[Any, ...]) -> None:
        job.task = self._loop.create_task(self._trace(*args))
        job.task.add_done_callback(lambda task: self._finished(job, task))
        if job.cancelled:
            job.task.cancel()

    async def _trace(
        self,
        name: str,
        task_id: str,
        _request: object,
        body: Any,
        content_type: str,
        encoding: str,
        *_: Any,
    ) -> tuple[int, Any, float]:
        """Run one task, as Celery's own tracer would; gives (failed, result, runtime)."""
        started = time.monotonic()

        try:
            args, kwargs, _embed = serialization.loads(
                body, content_type, encoding, accept=self._accept
            )
            run = self.app.tasks[name].run
            if not inspect.iscoroutinefunction(run):
                result = await asyncio.to_thread(run, *args, **kwargs)
            else:
                result = await run(*args, **kwargs)
        except RedisError as error:
            # Nobody's fault, and hundreds may meet it at once; what was claimed is reaped.
            name_of_error = type(error).__name__
            log.warning("task_interrupted", extra={"task": name, "error": name_of_error})
            return 1, _nameless(error), time.monotonic() - started
        except Exception as error:
            log.exception("task_failed", extra={"task": name, "task_id": task_id})
            return 1, _nameless(error), time.monotonic() - started

        # Celery wants text, but for what a delivery's request makes an event of.
        return 0, result if isinstance(result, End) else str(result), time.monotonic() - started

    def _finished(self, job: _Job, task: asyncio.Task[tuple[int, Any, float]]) -> None:
        self._done.append((job, None if task.cancelled() else task.result()))
        with self._lock:
            arm, self._armed = not self._armed, True
        if arm:
            self._hub.call_soon(self._drain)

    # The main thread, after the hub has stopped.

    def on_stop(self) -> None:
        """Wait for what is under way, report it, and let go.

        If a cold shutdown is asked for meanwhile, cancel it instead.
        """
        if self._thread.is_alive():
            self._wait_for(self._life.quiet())
            deadline = time.monotonic() + self._life.stop_seconds
            while self._jobs and (time.monotonic() < deadline or self._life.unsettled):
                if is_cold_shutdown():
                    self.on_terminate()
                    return
                self._pump()
                time.sleep(0.02)  # the hub no longer turns: this thread is its stand-in

            self._pump()
            if self._jobs:
                log.warning("stopped_with_work_left", extra={"jobs": len(self._jobs)})
            self._end_loop()

    def on_terminate(self) -> None:
        """Cancel what is under way.

        What had begun becomes uncertain, the rest returns to its lane.
        """
        if self._thread.is_alive():
            self._pump()
            for pid in list(self._jobs):
                self.terminate_job(pid)

            deadline = time.monotonic() + 2
            while self._jobs and time.monotonic() < deadline:
                self._pump()
                time.sleep(0.02)  # as above

            self._end_loop()

    def _pump(self) -> None:
        """Report what has ended and send its acks.

        They were put off to a hub that no longer turns.
        """
        self._drain()
        _run_ready_callbacks(self._hub)

    def _end_loop(self) -> None:
        try:
            self._wait_for(self._life.stop(), 10)
        except Exception:
            log.exception("stop_failed")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _get_info(self) -> dict[str, Any]:
        return {
            **super()._get_info(),
            "implementation": "certmail_worker.runtime.pool:TaskPool",
            "max-concurrency": self.limit,
            "under-way": len(self._jobs),
        }

    @property
    def num_processes(self) -> int:
        """What the consumer's prefetch count is made of."""
        return int(self.limit)
