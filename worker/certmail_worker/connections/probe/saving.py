"""Probing a connection and acting on what was found: SQL, the working copy, and the lane."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from uuid import uuid4

from certmail_config.admin.admin import Admin
from certmail_config.admin.taken_mail import note_taken
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.google.token_errors import Blame
from certmail_config.ledger import Act, run, spend_message
from certmail_config.onboarding.client_ids import note_client_id
from certmail_config.onboarding.promised_mail import Promise, keep, promise, take_promise
from certmail_config.tenants.models import Connection, ConnectionKind, ConnectionState
from certmail_worker.connections.probe.checklist import OnSteps, Probed, probe
from certmail_worker.connections.probe.steps import MAIL_REFUSED, TEST_MAIL, may_go_later


def probe_and_save(admin: Admin, id_or_name: str, *, mail: bool = False) -> Probed:
    """`examine`, where no loop runs. Raises Refused."""
    return asyncio.run(examine(admin, id_or_name, mail=mail))


async def examine(
    admin: Admin, id_or_name: str, *, mail: bool = False, on_steps: OnSteps | None = None
) -> Probed:
    """Try a connection out, and open or suspend its lane by what was found. Raises Refused.

    With `mail`, or where one was promised, it sends a test mail too; what cannot go yet is
    promised.
    """
    connection = await asyncio.to_thread(admin.connection, id_or_name)
    check_probable(connection)

    taken = await asyncio.to_thread(take_promise, admin.strongbox, connection.id)
    allowance = LedgerAllowance(admin, connection) if mail or taken is not None else None
    probed = await probe(
        connection, admin.settings, admin.vault, allowance=allowance, on_steps=on_steps
    )

    await asyncio.to_thread(remember, admin, connection, probed)
    if admin.actor:
        await asyncio.to_thread(_note, admin, connection, mail=mail)
    if allowance is not None:
        await asyncio.to_thread(_promise, admin, connection, probed, taken)
    return replace(probed, connection=await asyncio.to_thread(save, admin, connection, probed))


def _note(admin: Admin, connection: Connection, *, mail: bool) -> None:
    """Put on record that a person asked for it."""
    reason = "with a test mail" if mail else ""
    admin.record(Act.CONNECTION_PROBED, connection.tenant, connection=connection.id, reason=reason)


@dataclass(frozen=True, slots=True)
class LedgerAllowance:
    """What a mailbox may send, as the ledger's meters have it."""

    admin: Admin
    connection: Connection

    async def pay(self) -> str | None:
        """Pay for one message; gives what it waits for."""
        call = spend_message(self.connection.id, nonce=uuid4().hex)
        return await asyncio.to_thread(run, self.admin.redis, call)

    async def refund(self) -> None:
        """Give back what was paid: it became no message."""
        await asyncio.to_thread(self.admin.redis.delete, redis_keys.TESTED + self.connection.id)


def remember(admin: Admin, connection: Connection, probed: Probed) -> None:
    """Keep what only Google tells: the service account's client ID, and that Gmail took a mail.

    Raises RedisError.
    """
    client_id = next((step.value for step in probed.steps if step.name == "service account"), "")
    if client_id:
        note_client_id(admin.strongbox, connection, client_id)
    if any(step.name == TEST_MAIL and step.ok for step in probed.steps):
        note_taken(admin.strongbox, probed.connection)


def _promise(admin: Admin, connection: Connection, probed: Probed, taken: Promise | None) -> None:
    """Note of a test mail that it went, or will go.

    Where nobody knows, or it never can, it is forgotten.
    """
    if may_go_later(probed.steps):
        promise(admin.strongbox, connection.id, taken)
    elif taken is not None and any(step.name == TEST_MAIL and step.ok for step in probed.steps):
        keep(admin.strongbox, connection.id, taken)


def save(admin: Admin, before: Connection, probed: Probed) -> Connection:
    """Write what was found; raises Refused if the connection was changed meanwhile."""
    wrong = [step for step in probed.steps if not step.ok]
    if all(step.waiting and step.blame is not Blame.CUSTOMER for step in wrong):
        # A new version even if nothing changed: what a delivery has found out about the old one no
        # longer counts.
        return admin.save(probed.connection, careful=before.state is ConnectionState.ATTENTION)
    if wrong[0].code == MAIL_REFUSED:
        return before  # nothing is known that was not
    if wrong[0].blame is Blame.CUSTOMER:
        return admin.note(probed.connection)
    if probed.connection.code != before.code:
        return admin.note(probed.connection)  # what was wrong has been mended since

    return before  # trouble of our own, or of Google's


def check_probable(connection: Connection) -> None:
    """Raises Refused for a connection of which nothing could be tried out."""
    if connection.kind is None:
        remedy = f"certmail connections add {connection.tenant} --kind …"
        raise Refused("connection_draft", "This connection is not set up yet.", remedy)
    if connection.state is ConnectionState.DISABLED:
        remedy = f"certmail connections resume {connection.id}"
        raise Refused("connection_disabled", "This connection was suspended by a person.", remedy)
    if connection.kind is ConnectionKind.SERVICE_PROVIDER_APP and connection.refresh_token is None:
        remedy = f"certmail connections link {connection.id}"
        raise Refused("not_linked", "No account is linked yet.", remedy)
