"""JSON from the control API, read field by field.

Whatever is unknown or of the wrong kind is named in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeGuard

from certmail_sandbox.wire.clock import from_rfc3339

MAX_SECONDS = 10 * 365 * 86_400


class Refused(ValueError):
    """A control request that cannot be meant; the text is the sentence to answer."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a value of JSON is an object."""
    return isinstance(value, dict)


class Fields:
    """An object whose fields are taken out one by one; `end` refuses those that nobody took.

    `value` is what JSON held; `where` a prefix for names in sentences, such as `match.`. Every
    method raises Refused for what is of the wrong kind.
    """

    def __init__(self, value: object, where: str = "") -> None:
        if not is_object(value):
            raise Refused(f"{where.rstrip('.') or 'The body'} must be a JSON object.")
        self._left = dict(value)
        self._known: list[str] = []
        self._where = where

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str) -> object:
        """The value, or None where the field is missing."""
        self._known.append(name)
        return self._left.pop(name, None)

    def end(self) -> None:
        """Refuse every field that nobody took."""
        for name in self._left:
            known = ", ".join(self._known) or "none"
            raise Refused(f"Unknown field {self._where}{name}; known are: {known}.")

    def text(self, name: str) -> str:
        """A text that must be there and not be empty."""
        value = self.optional_text(name)
        if not value:
            raise Refused(f"{self._where}{name} is missing.")
        return value

    def optional_text(self, name: str) -> str | None:
        """A text, or None where the field is missing."""
        value = self.take(name)
        if value is not None and not isinstance(value, str):
            raise Refused(f"{self._where}{name} must be a text.")
        if (
            value is not None
            and not value.isascii()
            and value != value.encode("utf-8", "replace").decode()
        ):
            raise Refused(f"{self._where}{name} holds half a character.")

        return value

    def email(self, name: str) -> str:
        """An email address that must be there."""
        value = self.text(name)
        if value.count("@") != 1 or value != value.strip() or not all(value.split("@")):
            raise Refused(f"{self._where}{name} must be an email address, not {value!r}.")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false; the default where the field is missing."""
        value = self.take(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise Refused(f"{self._where}{name} must be true or false.")
        return value

    def texts(self, name: str) -> list[str] | None:
        """A list of texts, or None where the field is missing."""
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise Refused(f"{self._where}{name} must be a list of texts.")
        for item in value:
            if item != item.encode("utf-8", "replace").decode():
                raise Refused(f"{self._where}{name} holds half a character.")
        return [str(item) for item in value]

    def whole(self, name: str, *, minimum: int, maximum: int | None = None) -> int | None:
        """A whole number within bounds, or None where the field is missing."""
        value = self.take(name)
        if value is None:
            return None
        fits = isinstance(value, int) and not isinstance(value, bool) and value >= minimum
        if not isinstance(value, int) or not fits or (maximum is not None and value > maximum):
            span = f"{minimum} or more" if maximum is None else f"from {minimum} to {maximum}"
            raise Refused(f"{self._where}{name} must be a whole number, {span}.")
        return value

    def seconds(self, name: str) -> float | None:
        """A number of seconds, at most ten years, or None where the field is missing."""
        value = self.take(name)
        if value is None:
            return None
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not 0 <= value <= MAX_SECONDS
        ):
            raise Refused(
                f"{self._where}{name} must be a number of seconds, 0 or more, ten years at most."
            )

        return float(value)

    def time(self, name: str) -> float | None:
        """An RFC 3339 time as seconds since the epoch, or None where the field is missing."""
        value = self.optional_text(name)
        if value is None:
            return None
        try:
            return from_rfc3339(value)
        except ValueError:
            sentence = f"{self._where}{name} must be an RFC 3339 time with a zone, such as 2026-11-22T10:00:00.000Z."
            raise Refused(sentence) from None


def only(query: Mapping[str, str], known: Iterable[str]) -> None:
    """Refuse query parameters that mean nothing here."""
    names = sorted(known)
    for name in query:
        if name not in names:
            raise Refused(f"Unknown parameter {name}; known are: {', '.join(names) or 'none'}.")
