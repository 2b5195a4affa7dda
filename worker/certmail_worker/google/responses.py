"""The three ways a request to Google can end: answered, not sent, or lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answered:
    """Google answered. Header names are lower case.

    `broken` says why the body broke off, if it did: what has come of it is `body`, and status and
    headers are whole. `waited`: the connection stood, and the time ran out.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    broken: str = ""
    waited: bool = False


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the request reached Google.

    `remedy` is what somebody must do first, where it does not pass by itself.
    """

    why: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """The request may have left, and no answer came.

    `waited`: the connection stood, and the time ran out.
    """

    why: str
    waited: bool = False


Answer = Answered | NotSent | Lost


def facts(answer: Answer) -> Mapping[str, object]:
    """What a span says of an answer: nothing of its words, in which anything may stand."""
    match answer:
        case Answered(status=status):
            found: dict[str, object] = {"http": status}
            if status >= 400:
                found["error_type"] = str(status)
            if (wait := answer.headers.get("retry-after", "")).isdecimal():
                found["retry_after"] = wait
            return found
        case NotSent():
            return {"error_type": "not_sent"}
        case Lost(waited=True):
            return {"error_type": "timeout"}
        case Lost():
            return {"error_type": "answer_lost"}
