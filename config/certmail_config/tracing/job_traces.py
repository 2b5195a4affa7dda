"""Which trace is a reminder's: its id says it, so that no context has to travel with it.

A trace's id is 16 bytes, and so is a job's. Whoever has one has the other, in whichever process, of
whichever version; and what enqueued it has a span whose id is known, too, so that others link to it.
"""

from __future__ import annotations

import re
from typing import Final

from certmail_config.base.ids import JobId

_UUID7: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_LOW: Final = (1 << 64) - 1


def trace_of(job: JobId) -> int | None:
    """The id of its trace; None for what is no job's id: a doorbell may hold anything."""
    return int(job.replace("-", ""), 16) if _UUID7.fullmatch(job) else None


def enqueue_span_of(trace: int) -> int:
    """The id of the span in which it was enqueued: the trace's own second half.

    It is never 0, since a UUID's variant is not.
    """
    return trace & _LOW


def evenly(trace: int) -> int:
    """The id as a sampler by ratio must see it: with a second half that is random throughout.

    Samplers of OpenTelemetry compare all 64 bits of it with the ratio. In a UUID the first two are
    always 10: below a half none would be taken, above three quarters all. Two random bits of the
    first half stand in for them, the same in every process.
    """
    return trace & ~(0b11 << 62) | ((trace >> 64) & 0b11) << 62
