"""`celery -A bench.ready_app worker`: certmail's worker for the row `transport`.

It is certmail's own with two things taken out.

1. The message is ready: `delivery.prepare` gives it instead of opening and composing the reminder.
   Connection and token are looked up as ever, and all else of `delivery.deliver` is certmail's own:
   claim, begin, send, judge, settle.
2. Pacing, reaping and recording are done by another process (`bench.mail.services`), which is not
   measured.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from redis.exceptions import RedisError

from bench.mail.mail import ID
from certmail_config.compose import Mail
from certmail_config.google.token_errors import Denied
from certmail_config.ledger import Job, advertise
from certmail_worker.app import app
from certmail_worker.delivery import deliver
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.delivery.evidence import ContentEvidence
from certmail_worker.delivery.prepare import NotBegun, Prepared
from certmail_worker.delivery.settlement import OnUncertain
from certmail_worker.runtime import lifecycle
from certmail_worker.services import keeper

__all__ = ["app"]

_READY = Path(os.environ["BENCH_MAIL_FILE"]).read_bytes()


async def prepare(context: DeliveryContext, job: Job) -> Prepared | NotBegun:
    """Connection, token, and a message that somebody else has composed."""
    connection = await context.directory.connection(job.connection)
    assert connection is not None, "nobody removes connections here"
    token = await context.tokens.get(connection)
    assert not isinstance(token, Denied), token
    raw = _READY.replace(ID.encode(), job.id.encode())
    content = ContentEvidence.of(Mail("", "en", raw), datetime.now(UTC), release=context.release)
    return Prepared(connection, token, raw, content, OnUncertain())


class OnlyAdvertises(keeper.Keeper):
    """Lets others be the keeper."""

    async def _keep(self) -> None:
        while True:
            with suppress(RedisError):  # said again in a second
                await self._context.ledger(
                    advertise(
                        self._context.worker, self._capacity, seconds=keeper.ADVERTISED_SECONDS
                    )
                )
            await asyncio.sleep(keeper.RENEW_SECONDS)


# The worker has no seam for either, and needs none but here.
# By name: of a plain assignment mypy would have both exported.
setattr(deliver, "prepare", prepare)  # noqa: B010
setattr(lifecycle, "Keeper", OnlyAdvertises)  # noqa: B010
