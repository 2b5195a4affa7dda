"""From entries of the stream to events, or to such that are set aside.

What an entry says of people is opened with the vault. Whatever a batch names many times is looked
up once: tenants, whose keys open what is sealed, and connections (senders.py).

One whose fields cannot be read harms no other. Only where a vault key is missing all wait: it will
be brought back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pydantic_core import from_json
from redis.exceptions import RedisError

from certmail_config.base.errors import SealBroken
from certmail_config.jobs.contract import PayloadUnreadable, read_object
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_worker.google.tenant_cache import Directory
from certmail_worker.recording.rows import Event, reports_request
from certmail_worker.recording.senders import Senders, only_wrong_type
from certmail_worker.recording.set_aside import BODY, Aside, why

log = logging.getLogger(__name__)

Entry = tuple[str, Mapping[bytes, bytes]]
"""One of the stream's: its id, and its fields."""
MAX_LENGTHS: Final[Mapping[str, int]] = {"job": 36, "tenant": 63, "connection": 36}
"""Characters of what names something.

SQLite would take any length, and give it back to whoever does not expect it.
"""
MAX_TYPE_LENGTH: Final = 32
MAX_ADDRESS_LENGTH: Final = 320
AT_ONCE: Final = 100
"""Entries that are decoded before others of this loop have their turn."""
_STATES: Final = frozenset(str(state) for state in State)
_OUTCOMES: Final = frozenset(str(outcome) for outcome in AttemptOutcome)


async def decode(
    directory: Directory, senders: Senders, entries: Sequence[Entry]
) -> list[Event | Aside]:
    """Read a batch; raises RedisError, SealBroken where a vault key is missing."""
    read = [_read(id_, raw) for id_, raw in entries]
    asking = [each for each in read if isinstance(each, Event)]
    made_by = await senders.find(
        {
            each.fields["connection"]
            for each in asking
            if reports_request(each.type, each.fields) and each.fields.get("connection")
        }
    )
    await _open_tenants(
        directory, {each.fields.get("tenant", "") for each in asking if each.type == "enqueued"}
    )

    for n, (event, (_, raw)) in enumerate(zip(read, entries, strict=True)):
        if n % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
        if isinstance(event, Aside):
            continue
        if event.type == "enqueued":
            recipient = await _recipient(directory, raw.get(BODY), event.fields)
            read[n] = event._replace(recipient=recipient)
        elif reports_request(event.type, event.fields):
            sender = made_by.get(event.fields.get("connection", ""))
            # One tenant's record never names another's mailbox, whoever wrote the event.
            if sender is not None and sender.tenant == event.fields.get("tenant"):
                read[n] = event._replace(mailbox=sender.mailbox, key_id=sender.key_id)

    return read


def _read(id_: str, raw: Mapping[bytes, bytes]) -> Event | Aside:
    try:
        return read_event(id_, raw)
    except (KeyError, ValueError, OverflowError, OSError) as error:
        return Aside(id_, raw, why(error))


def read_event(id_: str, raw: Mapping[bytes, bytes]) -> Event:
    """The event that an entry says in clear, without what is sealed.

    Raises KeyError, ValueError, OverflowError, OSError for an entry in no known form.
    """
    fields = {name.decode(): value.decode() for name, value in raw.items() if name != BODY}
    kind, at = fields.pop("type"), datetime.fromtimestamp(int(fields.pop("at")) / 1000, UTC)

    if len(kind) > MAX_TYPE_LENGTH:
        raise ValueError("its type is too long")
    for name, max_length in MAX_LENGTHS.items():
        if len(fields.get(name, "")) > max_length:
            raise ValueError(f"its {name} is too long")
    if fields.get("state", State.READY) not in _STATES:
        raise ValueError("it names a state that is none")
    if fields.get("outcome", AttemptOutcome.UNKNOWN) not in _OUTCOMES:
        raise ValueError("it names an outcome that is none")

    return Event(id_, kind, at, fields)


async def _open_tenants(directory: Directory, tenants: Iterable[str]) -> None:
    """Read those that are not in memory, side by side.

    Whoever cannot be read is met again where something of it is opened.
    """
    unread = [tenant for tenant in tenants if directory.fresh(tenant) is None]
    await asyncio.gather(*map(directory.tenant, unread), return_exceptions=True)


async def _recipient(
    directory: Directory, body: bytes | None, fields: Mapping[str, str]
) -> str | None:
    """The address that a reminder is for.

    What cannot be read leaves the delivery on record, without recipient; the reminder itself will
    fail.
    """
    if body is None or "tenant" not in fields or "job" not in fields:
        return None

    try:
        payload = await directory.open(body, tenant=fields["tenant"], job=fields["job"])
        return _address(_object(payload).get("to"))
    except SealBroken as broken:
        if broken.code == "vault_key_missing":
            raise  # the events wait in the stream until the key is back
        code = broken.code
    except PayloadUnreadable as error:
        code = error.code
    except RedisError as error:
        code = only_wrong_type(error)
    # What is kept of the tenant cannot be read.
    except Exception as error:  # noqa: BLE001
        code = type(error).__name__

    log.error("recipient_unreadable", extra={"job": fields["job"], "code": code})
    return None


def _object(payload: bytes) -> Mapping[str, Any]:
    """The payload's object; what the faster reader does not take is left to the contract's own."""
    try:
        value = from_json(payload)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else read_object(payload)


def _address(value: object) -> str | None:
    """An address as both databases can hold it.

    None for anything else that an application may have sealed.
    """
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= MAX_ADDRESS_LENGTH:
        return value
    return None
