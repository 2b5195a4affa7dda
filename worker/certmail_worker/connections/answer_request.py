"""Answering the gateway's worker requests.

Whatever the gateway asks of Google about a connection, a worker does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from certmail_config.admin.admin import Admin
from certmail_config.admin.suspension import lift_suspension
from certmail_config.base.errors import CertmailError, Refused
from certmail_config.google.checklist import Step
from certmail_config.onboarding.worker_requests import Remark, Wish, WorkerRequest, WorkerRequests
from certmail_config.tenants.models import ConnectionState
from certmail_worker.connections.probe import Probed, examine
from certmail_worker.connections.removal import Removed, remove_connection
from certmail_worker.connections.samples import send_sample

log = logging.getLogger(__name__)

TRIES = 3
"""How often a connection is examined that is changed meanwhile.

A worker looks after connections by itself, and may change one while it is being examined.
"""
GONE = "gone"


async def answer(admin: Admin, id_: str, worker: str) -> str:
    """Answer one worker request, once, telling how far it has come; gives its stage.

    What cannot be done is an answer, too.
    """
    worker_requests = WorkerRequests(admin.redis, admin.vault, time.time)
    worker_request = await asyncio.to_thread(worker_requests.take, id_, worker)
    if worker_request is None:
        return GONE  # forgotten, or doubled on its way

    try:
        ended = await _carry_out(
            admin.acting_as(worker_request.by), worker_requests, worker_request
        )
    except CertmailError as error:
        ended = worker_request.refused(Remark(error.code, error.message, error.remedy))
    except Exception:
        remark = Remark(
            "worker_failed", "The worker failed at it.", "See the worker's log, then try again."
        )
        await asyncio.to_thread(worker_requests.tell, worker_request.refused(remark))
        raise

    await asyncio.to_thread(worker_requests.tell, ended)
    log.info(
        "worker_request",
        extra={
            "connection": worker_request.connection,
            "wish": worker_request.wish,
            "stage": ended.stage,
        },
    )
    return ended.stage


async def _carry_out(
    admin: Admin, worker_requests: WorkerRequests, worker_request: WorkerRequest
) -> WorkerRequest:
    if worker_request.wish is Wish.REMOVE:
        removed = await asyncio.to_thread(_remove, admin, worker_requests, worker_request)
        return worker_request.done(_removed(worker_request, removed))
    if worker_request.wish is Wish.SAMPLE:
        return await send_sample(admin, worker_request)
    if worker_request.wish is Wish.RESUME and not await asyncio.to_thread(
        _resume, admin, worker_request
    ):
        return worker_request.done()

    probed = await _examine(admin, worker_requests, worker_request)
    return worker_request.found(*probed.steps).done()


async def _examine(
    admin: Admin, worker_requests: WorkerRequests, worker_request: WorkerRequest
) -> Probed:
    async def on_steps(steps: Sequence[Step]) -> None:
        await asyncio.to_thread(worker_requests.tell, worker_request.found(*steps))

    mail = worker_request.wish is Wish.MAIL
    for left in reversed(range(TRIES)):
        try:
            return await examine(admin, worker_request.connection, mail=mail, on_steps=on_steps)
        except Refused as refused:
            if refused.code != "changed_meanwhile" or not left:
                raise
    raise AssertionError("the last try returns or raises")


def _resume(admin: Admin, worker_request: WorkerRequest) -> bool:
    """Take a connection up again; says whether it is to be tried out."""
    found = admin.connection(worker_request.connection)
    if found.state is ConnectionState.DISABLED:
        found = lift_suspension(admin, found)
    return found.before_it_worked() is None


def _remove(
    admin: Admin, worker_requests: WorkerRequests, worker_request: WorkerRequest
) -> Removed:
    def progress(words: str) -> None:
        step = Step("remove", ok=False, code="removing", message=words, waiting=True)
        worker_requests.tell(worker_request.found(step))

    return remove_connection(admin, admin.connection(worker_request.connection), progress)


def _removed(worker_request: WorkerRequest, done: Removed) -> Remark:
    [ended_access] = done.ended_access
    message = f"{worker_request.tenant}/{ended_access.name} is removed. {done.called_off}"
    if done.uncertain:
        message += f" Of {done.uncertain} nobody knows whether Gmail took them; the record says so."
    message = " ".join((message, ended_access.sentence, *done.remains))
    return Remark(f"access_{ended_access.access}", message, ended_access.remedy)
