"""Faults on order: which requests they hit, and for how long.

A fault hits the requests that fit its `match`: `mailbox` is the mailbox of the request's token (at
the token endpoint the one that a token is asked for), `path` a part of the request's path; without
either, any Google path. The first fault ordered that fits is the one applied.

`times` is how many requests it hits: 1 unless said otherwise, null for all of them. A fault with
`seconds` but no `times` hits every request of those seconds.

| fault | what the client sees | what Gmail does | `seconds` |
|---|---|---|---|
| `429_retry_at` | 429 `User-rate limit exceeded.  Retry after <retry_at>` as long as that time lies ahead; `times` does not apply, and asking early does not move it | nothing | sets `retry_at`, counted from now |
| `401_once` | 401 `authError`; the token is still good | nothing | how long it stays active |
| `503` | 503 `backendError` in JSON | nothing | how long it stays active |
| `502_html` | 502 with an HTML page | nothing | how long it stays active |
| `reset_before` | the connection is reset (RST) once the request has been read | nothing | how long it stays active |
| `reset_after` | the connection is reset (RST) | accepts | how long it stays active |
| `hang_after` | silence; after `seconds` the connection ends | accepts, at once | how long it hangs; without it until the client goes away |
| `cut_after` | Google's own status and headers, and half of the body; then the connection ends | accepts | how long it stays active |
| `slow` | Google's own answer, `seconds` later than usual | what it does of its own accord, at once | 3 unless said otherwise |
| `accept_late` | the connection is reset at once | accepts, `seconds` later | 3 unless said otherwise |
| `drop_token` | 401 now and for ever: the bearer token is forgotten | nothing | how long it stays active |
| `{status, headers, body}` | that answer, word for word | nothing | how long it stays active |
| `{status, headers, body, cut}` | of that answer status and headers, and half of the body | nothing | how long it stays active |

`reset_after`, `hang_after` and `cut_after` wait for a request that is accepted: one that is refused
for a reason of its own gets its refusal, and the fault stays for the next. `cut` says how the body
breaks off: `length` (there is less than Content-Length says), `chunks` (chunked, without the last
chunk) or `gzip` (packed, and broken inside).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from certmail_sandbox.wire.clock import rfc3339

NAMES = (
    *("429_retry_at", "401_once", "503", "502_html", "reset_before", "reset_after"),
    *("hang_after", "cut_after", "slow", "accept_late", "drop_token"),
)
# Their `seconds` is no span of activity.
MEANS_DELAY = frozenset({"hang_after", "slow", "accept_late"})
LATE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Verbatim:
    """An answer to give word for word; `cut` says how its body breaks off, if it does."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: str | None = None


@dataclass(slots=True, eq=False)
class Fault:
    """One fault on order.

    Attributes:
        times: Hits left; None for no end.
        until: Seconds since the epoch when it stops being active; None for never.
        seconds: How long it hangs, or how late it accepts.
        retry_at: Seconds since the epoch, for `429_retry_at`.
    """

    id: int
    kind: str
    mailbox: str | None
    path: str | None
    times: int | None
    until: float | None = None
    seconds: float | None = None
    retry_at: float | None = None
    verbatim: Verbatim | None = None
    hits: int = 0

    def active(self, now: float) -> bool:
        """Whether it can still hit: it has hits left, and its time is not over."""
        in_time = self.until is None or now < self.until
        return in_time and (self.times is None or self.times > 0)

    def fits(self, path: str, mailbox: str | None) -> bool:
        """Whether it is meant for a request with this path and mailbox."""
        if self.path is not None and self.path not in path:
            return False
        return self.mailbox is None or (mailbox is not None and mailbox.lower() == self.mailbox)

    def hit(self) -> None:
        """Count a request that meets it."""
        self.hits += 1
        if self.times is not None:
            self.times -= 1

    def give_back(self) -> None:
        """Undo a hit that turned out to have nothing to spoil."""
        self.hits -= 1
        if self.times is not None:
            self.times += 1

    def to_json(self, now: float) -> dict[str, object]:
        """The fault as the control API shows it."""
        match = {"mailbox": self.mailbox, "path": self.path}
        return {
            "id": self.id,
            "match": {name: value for name, value in match.items() if value is not None},
            "fault": self.kind,
            "times": self.times,
            "seconds": self.seconds,
            "until": None if self.until is None else rfc3339(self.until),
            "retry_at": None if self.retry_at is None else rfc3339(self.retry_at),
            "hits": self.hits,
            "active": self.active(now),
        }


@dataclass
class Faults:
    """The faults on order, and the last thousand that are over."""

    live: list[Fault] = field(default_factory=list)
    spent: deque[Fault] = field(default_factory=lambda: deque(maxlen=1_000))
    ordered: int = 0

    def take(self, path: str, mailbox: str | None, now: float) -> Fault | None:
        """The fault that this request is to meet, counted as hit; None for none."""
        self.retire(now)
        for fault in self.live:
            if fault.fits(path, mailbox) and fault.active(now):
                fault.hit()
                return fault
        return None

    def retire(self, now: float) -> None:
        """Put aside what is over, so that `live` holds what can still hit."""
        over = [fault for fault in self.live if not fault.active(now)]
        if over:
            self.spent.extend(over)
            self.live = [fault for fault in self.live if fault not in over]

    def give_back(self, fault: Fault) -> None:
        """Undo a hit, and put the fault first again if it was over with it."""
        fault.give_back()
        if fault in self.spent:
            self.spent.remove(fault)
            self.live.insert(0, fault)
