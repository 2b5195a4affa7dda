"""What went, from JSON lines: for trying out what a plan says in the middle of a campaign."""

from __future__ import annotations

import json

from pydantic import ValidationError

from certmail_config.base.errors import WrongUse
from certmail_config.base.json_text import NotJson, read_object
from certmail_config.campaigns.reading import faults
from certmail_config.campaigns.sent import Sent

_FORM = '{"reviewer": "r7", "rule": "regular", "ordinal": 2, "at": "2026-11-10T08:00:03Z", "kind": "reminder"}'


def read_sent(text: str, file: str) -> list[Sent]:
    """Read an object a line; raises WrongUse for the first that is none."""
    found = []
    for line, written in enumerate(text.split("\n"), 1):
        if not written.strip():
            continue
        try:
            value = read_object(written.strip())
            found.append(Sent.model_validate_json(json.dumps(value)))
        except NotJson as error:
            raise _wrong(file, line, "invalid_json", f"not one JSON object: {error.why}") from None
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            what = f"{faults.place(first)}: {faults.words(first)}"
            raise _wrong(file, line, faults.code(first), what) from None
    return found


def _wrong(file: str, line: int, code: str, what: str) -> WrongUse:
    return WrongUse(code, f"{file}, line {line}: {what}.", f"A line is such as {_FORM}")
