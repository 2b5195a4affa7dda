"""JSON that others wrote: one object, read strictly, and what is wrong with it in our words. Pure.

Python's reader takes more than JSON is (NaN), takes the last of two members of one name, and
explains itself to programmers.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any, Final, NoReturn

_LONGEST_NAME: Final = 100
_SYNTAX: Final = {
    "Expecting value": "a value is missing",
    "Expecting property name enclosed in double quotes": "a name in double quotes is missing",
    "Expecting ':' delimiter": "a colon is missing",
    "Expecting ',' delimiter": "a comma is missing, or a bracket",
    "Illegal trailing comma before end of object": "a comma stands before the end",
    "Illegal trailing comma before end of array": "a comma stands before the end",
    "Unterminated string starting at": "a text begins that does not end",
    "Invalid control character at": "a text holds a control character, such as a line break, that is not escaped",
    "Invalid \\escape": "a backslash stands before what needs none",
    "Invalid \\uXXXX escape": "\\u stands without its four digits",
    "Extra data": "something follows after the end",
}
"""Python's words for a fault of syntax, and ours.

A Python that has other words for one gets the position of the fault only.
"""


class NotJson(ValueError):
    """What is wrong with a text, as the end of the sentence "is not one JSON object: ".

    Of the text it quotes a member's name at most.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def decode(body: bytes) -> str:
    """The text of a body in UTF-8; raises NotJson."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        hint = "; it looks like UTF-16" if body[:2] in {b"\xff\xfe", b"\xfe\xff"} else ""
        why = f"it is not UTF-8, byte {error.start} is wrong{hint}"
        raise NotJson(why) from None


def read_object(text: str) -> dict[str, Any]:
    """The object that a text holds; raises NotJson.

    Halves of surrogate pairs are let through: a text may hold them.
    """
    if text.startswith("\ufeff"):
        why = "it begins with a byte order mark (U+FEFF); leave that out"
        raise NotJson(why)

    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_no_infinity
        )
    except json.JSONDecodeError as error:
        words = _SYNTAX.get(error.msg.partition(": ")[0], "it cannot be read")
        why = f"{words} (line {error.lineno}, column {error.colno})"
        raise NotJson(why) from None
    except RecursionError:
        why = "lists and objects stand in one another too many times"
        raise NotJson(why) from None
    except NotJson:
        raise
    except ValueError:  # Python reads no number of more than some thousand digits
        why = "a number has too many digits"
        raise NotJson(why) from None

    if not isinstance(value, dict):
        why = "it does not begin with { and end with }"
        raise NotJson(why)

    return value


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) != len(members):
        name = next(
            name for name, times in Counter(name for name, _ in members).items() if times > 1
        )
        why = f"the member {_shown(name)} is there twice"
        raise NotJson(why)
    return value


def _no_constant(name: str) -> NoReturn:
    why = f"{name} is no JSON number"
    raise NotJson(why)


def _no_infinity(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        why = "a number is larger than any that can be kept"
        raise NotJson(why)
    return value


def _shown(name: str) -> str:
    short = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
    return '"' + "".join(each if each.isprintable() else "\ufffd" for each in short) + '"'
