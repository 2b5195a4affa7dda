"""The job contract: what lets one version of certmail read a reminder that another enqueued.

Within one contract fields are only added, each optional, so that a payload may be read without
those that a version does not know. A change that an older version must not overlook raises VERSION,
and payloads then say so.

`python -m certmail_config.jobs.contract > config/reminder.schema.json` publishes the schema.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from certmail_config.base.errors import CertmailError
from certmail_config.jobs.fields import STORED
from certmail_config.jobs.kinds import contract_of
from certmail_config.jobs.reminder import Reminder
from certmail_config.jobs.times import end_of_day, is_time_zone

VERSION: Final = 2
_SAYS = "contract"
_DAY = "due_on"
"""What stands in payloads alone: the date that was given, where `due_at` is when it ends."""
OF_THE_JOB: Final = frozenset({"key", "connection", "send_at", "expires_at", "priority"})
"""What the ledger keeps beside the payload, and no mail says."""


class PayloadUnreadable(CertmailError):
    """A payload that is no reminder to this version; the sentence quotes nothing of it."""


class ContractTooNew(PayloadUnreadable):
    """A payload whose contract this version does not know: it might leave out what matters."""


def write_payload(reminder: Reminder, *, leave_out: Collection[str] = ()) -> bytes:
    """The reminder as it is sealed and stored; a payload that names no contract is of the first.

    So is every reminder of a kind that the first knew: during an upgrade older workers send it.

    A date stands beside the end of that day: versions that know times only read that, and write it
    as they do any other. `leave_out` are fields that nobody is to read there (`OF_THE_JOB`).
    """
    day = reminder.due_at
    if day is None or isinstance(day, datetime):
        written = reminder.model_dump_json(exclude_none=True, exclude=set(leave_out) or None)
        return f"{written[:-1]}{_says(reminder)}}}".encode()

    written = reminder.model_dump_json(exclude_none=True, exclude={"due_at", *leave_out})
    end = end_of_day(day, reminder.time_zone).isoformat()
    return (
        f'{written[:-1]},"due_at":"{end}","{_DAY}":"{day.isoformat()}"{_says(reminder)}}}'.encode()
    )


def _says(reminder: Reminder) -> str:
    needed = contract_of(reminder.kind)
    return "" if needed == 1 else f',"{_SAYS}":{needed}'


def read_payload(payload: bytes) -> Reminder:
    """Read a payload that any version wrote.

    Raises PayloadUnreadable, ContractTooNew among it, and nothing else.
    """
    value = read_object(payload)
    contract = value.pop(_SAYS, 1)
    if not isinstance(contract, int):
        raise _unreadable("its contract is no number")
    if contract > VERSION:
        message = f"The stored reminder is of contract {contract}; this certmail knows {VERSION}."
        raise ContractTooNew("contract_too_new", message, "Update this worker.")

    known = {name: item for name, item in value.items() if name in Reminder.model_fields}
    if _DAY in value:
        known["due_at"] = value[_DAY]
    # The zones of two machines differ by what was renamed or added last: not worth a reminder.
    zone = known.get("time_zone")
    if isinstance(zone, str) and not is_time_zone(zone):
        del known["time_zone"]

    try:
        return Reminder.model_validate_json(json.dumps(known), context=STORED)
    except (ValidationError, RecursionError):  # the words of the former quote the reminder
        raise _unreadable("its fields are not those of a reminder") from None


def read_object(payload: bytes) -> dict[str, Any]:
    """Read a payload as far as that it is a JSON object; raises PayloadUnreadable."""
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):  # UnicodeDecodeError among them
        raise _unreadable("it is no JSON") from None
    if not isinstance(value, dict):
        raise _unreadable("it is no JSON object")
    return value


def _unreadable(why: str) -> PayloadUnreadable:
    message = f"It was enqueued in a form that this version does not know: {why}."
    return PayloadUnreadable("payload_unreadable", message)


def schema() -> dict[str, Any]:
    """The contract as a JSON Schema (2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:certmail:reminder:{VERSION}",
        **Reminder.model_json_schema(),
    }


if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
