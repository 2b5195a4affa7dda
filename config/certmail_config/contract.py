"""The job contract between versions: a reminder that one certmail enqueued is read by another, older or newer.

Within one contract fields are only added, each optional, so that a payload may be read without those that a version does
not know. A change that an older version must not overlook raises VERSION, and payloads then say so.

`python -m certmail_config.contract > config/reminder.schema.json` publishes the schema.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

from certmail_config.errors import CertmailError
from certmail_config.reminder import Reminder

VERSION: Final = 1
_SAYS = "contract"


class ContractTooNew(CertmailError):
    """A payload whose contract this version does not know: it might leave out what matters."""


def write_payload(reminder: Reminder) -> bytes:
    """The reminder as it is sealed and stored; a payload that names no contract is of the first."""
    return reminder.model_dump_json(exclude_none=True).encode()


def read_payload(payload: bytes) -> Reminder:
    """Read what any version wrote; raises ContractTooNew, ValidationError."""
    value: dict[str, Any] = json.loads(payload)
    contract = value.pop(_SAYS, 1)
    if contract > VERSION:
        message = f"The stored reminder is of contract {contract}; this certmail knows {VERSION}."
        raise ContractTooNew("contract_too_new", message, "Update this worker.")
    known = {name: item for name, item in value.items() if name in Reminder.model_fields}
    return Reminder.model_validate_json(json.dumps(known))


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
