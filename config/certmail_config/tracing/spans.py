"""What is told of a reminder's way, and to whom: here, to nobody.

Where nobody asks for traces these objects stand in the place of those that tell: whoever is traced
calls them without asking whether there is anyone to hear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self

from certmail_config.base.ids import ConnectionId, JobId

Origin = object
"""Where in an application's own trace a reminder comes from; only who made one can read it."""


class Taken(NamedTuple):
    """A reminder that was taken in; `place` counts what it was given with from 0."""

    place: int
    job: JobId
    tenant: str
    connection: ConnectionId
    state: str
    duplicate: bool


class Span:
    """A time in which something happens, from `with` to its end."""

    __slots__ = ()

    def tell(self, facts: Mapping[str, object]) -> None:
        """Add what became known; only what is no person's is passed on, see `what_is_told.TOLD`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""


NO_SPAN: Final = Span()


class Tracing:
    """One process's traces. Nothing here raises, or waits for anybody, but `close`."""

    def origin(self) -> Origin | None:
        """Where the caller stands in the application's own trace."""
        return None

    def caller(self, traceparent: str) -> Span:
        """Take a header of a caller's for where it stands in its own trace, meanwhile."""
        del traceparent
        return NO_SPAN

    def on_behalf(self, origins: Sequence[Origin | None]) -> Span:
        """Say in this thread whom the next reminders come from, one by one."""
        del origins
        return NO_SPAN

    def begin_enqueue(self, count: int) -> object:
        """Note that so many reminders set out, for `end_enqueue`."""
        del count
        return None

    def end_enqueue(self, begun: object, taken: Iterable[Taken]) -> None:
        """Tell of each that was taken in."""

    def pace(self, jobs: Sequence[JobId], seconds: float) -> Span:
        """Tell of a step that leased jobs, and has taken so long already."""
        del jobs, seconds
        return NO_SPAN

    def delivery(self, job: JobId, worker: str) -> Span:
        """Tell of a delivery; what is asked of Google meanwhile belongs to it."""
        del job, worker
        return NO_SPAN

    def google(self, call: str, method: str, root: str, route: str) -> Span:
        """Tell of a request to Google: its server is read off `root`, and `route` names nobody."""
        del call, method, root, route
        return NO_SPAN

    def close(self) -> None:
        """Tell what was not told yet, for two seconds at most; nothing is told any more."""


NO_TRACING: Final = Tracing()
