"""JSON: one object a line, or one array of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Final

from certmail.files.columns import REASON
from certmail.files.formats.encoding import Encoding
from certmail.files.formats.lines import Line
from certmail.files.row import Row, Terms, checked_row
from certmail_config.base.errors import ReminderRejected, WrongUse
from certmail_config.base.json_text import NotJson, read_object

MAX_ARRAY_CHARACTERS: Final = 100_000_000
"""An array is read as a whole, so that nothing is enqueued of one that is broken.

Lines are read one by one.
"""
_SPACE: Final = re.compile(r"\s*")
_A_LINE_EACH: Final = "Write one object a line: jq -c '.[]' people.json > people.jsonl"


def read_json_lines(lines: Iterator[Line], encoding: Encoding, terms: Terms) -> Iterator[Row]:
    """Read an object a line; raises WrongUse for one object over several lines."""
    first = list(islice((line for line in lines if line.text.strip()), 2))
    begins = [line.text.strip("\ufeff \t\r\n") for line in first]
    if begins[:1] == ["{"] and not begins[-1].startswith("{", 0, len(begins) - 1):
        message = "The file is one JSON object over several lines; nothing was enqueued."
        raise WrongUse(
            "json_document", message, "Write one object a line: jq -c . people.json > people.jsonl"
        )
    return _rows(chain(first, lines), encoding, terms)


def read_array(lines: Iterable[Line], encoding: Encoding, terms: Terms) -> list[Row]:
    """Read an array of objects.

    Raises WrongUse where it is none, or longer than fits into memory.
    """
    parts: list[str] = []
    size = 0

    for line in lines:
        parts.append(line.text)
        size += len(line.text)
        if size > MAX_ARRAY_CHARACTERS:
            message = f"The file is one JSON array of more than {MAX_ARRAY_CHARACTERS // 1_000_000} MB; nothing was enqueued."
            raise WrongUse("json_document", message, _A_LINE_EACH)

    text = "".join(parts)
    found = [each for each in _elements(text) if not only_a_reason(each[1])]
    return [_row(number, value, encoding, terms) for number, value in found]


def _rows(lines: Iterable[Line], encoding: Encoding, terms: Terms) -> Iterator[Row]:
    for line in lines:
        if line.text.strip() and not only_a_reason(line.text):
            yield _row(line.number, line.text, encoding, terms, line.raw)


def only_a_reason(text: str) -> bool:
    """Whether an object only says why what follows it was rejected."""
    if REASON not in text:
        return False
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.keys() == {REASON}


def _row(number: int, text: str, encoding: Encoding, terms: Terms, raw: bytes | None = None) -> Row:
    kept = text if raw is None else raw
    try:
        value = read_object(text.lstrip("\ufeff").strip())
    except NotJson as error:
        return Row(
            number, ReminderRejected("malformed_row", f"not one JSON object: {error.why}"), kept
        )
    return checked_row(number, terms.layout.fields(value), terms, kept, encoding.name.upper())


def _elements(text: str) -> Iterator[tuple[int, str]]:
    """Each element of an array as it is written, with its line.

    Raises WrongUse where the array is not proper JSON.
    """
    decoder = json.JSONDecoder()
    place = _after_space(text, text.index("[") + 1)
    line, counted = 1, 0
    ended = text.startswith("]", place)

    while not ended:
        try:
            _, end = decoder.raw_decode(text, place)
        except RecursionError:
            raise _broken(text, place, "it is too deep") from None
        except ValueError:
            raise _broken(text, place, "no value can be read") from None

        line += text.count("\n", counted, place)
        counted = place
        yield line, text[place:end]
        place = _after_space(text, end)
        ended = text.startswith("]", place)

        if not ended:
            if not text.startswith(",", place):
                raise _broken(text, place, "a comma or the closing bracket is missing")
            place = _after_space(text, place + 1)

    if _after_space(text, place + 1) < len(text):
        raise _broken(text, place, "something follows after the closing bracket")


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    assert found is not None, "it matches nothing, too"
    return found.end()


def _broken(text: str, place: int, why: str) -> WrongUse:
    line = text.count("\n", 0, place) + 1
    return WrongUse(
        "json_document",
        f"The file is a JSON array that breaks off at line {line}: {why}; nothing was enqueued.",
    )
