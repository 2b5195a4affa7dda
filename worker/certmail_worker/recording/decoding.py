"""From an entry of the stream to an event, or to one that is set aside.

What an entry says of people is opened with the vault.

One whose fields cannot be read harms no other. Only where a vault key is missing all wait: it will
be brought back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from redis.exceptions import RedisError

from certmail_config.base.errors import SealBroken
from certmail_config.base.ids import ConnectionId
from certmail_config.jobs.contract import PayloadUnreadable, read_object
from certmail_config.jobs.states import AttemptOutcome, State
from certmail_config.stores.connect import wrong_type
from certmail_worker.google.tenant_cache import Directory
from certmail_worker.recording.rows import Event, reports_request
from certmail_worker.recording.set_aside import BODY, Aside, why

log = logging.getLogger(__name__)

MAX_LENGTHS: Final[Mapping[str, int]] = {"job": 36, "tenant": 63, "connection": 36}
"""Characters of what names something.

SQLite would take any length, and give it back to whoever does not expect it.
"""
MAX_TYPE_LENGTH: Final = 32
MAX_ADDRESS_LENGTH: Final = 320
_STATES: Final = frozenset(str(state) for state in State)
_OUTCOMES: Final = frozenset(str(outcome) for outcome in AttemptOutcome)


async def decode(directory: Directory, id_: str, raw: Mapping[bytes, bytes]) -> Event | Aside:
    """Read one entry; raises RedisError, SealBroken where a vault key is missing."""
    try:
        event = read_event(id_, raw)
    except (KeyError, ValueError, OverflowError, OSError) as error:
        return Aside(id_, raw, why(error))

    if event.type == "enqueued":
        return replace(event, recipient=await _recipient(directory, raw.get(BODY), event.fields))
    if reports_request(event.type, event.fields):
        mailbox, key_id = await _sender(directory, event.fields)
        return replace(event, mailbox=mailbox, key_id=key_id)

    return event


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
        return _address(read_object(payload).get("to"))
    except SealBroken as broken:
        if broken.code == "vault_key_missing":
            raise  # the events wait in the stream until the key is back
        code = broken.code
    except PayloadUnreadable as error:
        code = error.code
    except RedisError as error:
        code = _only_wrong_type(error)
    # What is kept of the tenant cannot be read.
    except Exception as error:  # noqa: BLE001
        code = type(error).__name__

    log.error("recipient_unreadable", extra={"job": fields["job"], "code": code})
    return None


def _address(value: object) -> str | None:
    """An address as both databases can hold it.

    None for anything else that an application may have sealed.
    """
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= MAX_ADDRESS_LENGTH:
        return value
    return None


async def _sender(directory: Directory, fields: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Mailbox and certificate of a request's connection, as far as they are known."""
    try:
        connection = await directory.connection(ConnectionId(fields["connection"]))
    except SealBroken as broken:
        if broken.code == "vault_key_missing":
            raise
        code = broken.code
    except RedisError as error:
        code = _only_wrong_type(error)
    # What is kept of the connection cannot be read, or the event names none.
    except Exception as error:  # noqa: BLE001
        code = type(error).__name__
    else:
        # One tenant's record never names another's mailbox, whoever wrote the event.
        if connection is None or connection.tenant != fields.get("tenant"):
            return None, None
        return connection.mailbox, connection.key_id

    log.error("sender_unreadable", extra={"connection": fields.get("connection"), "code": code})
    return None, None


def _only_wrong_type(error: RedisError) -> str:
    """The code for a key that holds something else than it should.

    That is as good as unreadable; any other trouble is the server's, and is raised.
    """
    if not wrong_type(error):
        raise error
    return "wrong_type"
