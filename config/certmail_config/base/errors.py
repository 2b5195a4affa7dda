"""Everything that certmail raises on purpose.

    CertmailError
    ├── WrongUse               what was typed or set is wrong            exit status 2
    │   └── SettingsError      a setting is missing or cannot be used
    ├── StoresUnreachable      Redis or SQL does not answer, or cannot   exit status 3
    │   └── BatchInterrupted   and so a batch ended early; says which of it are in
    ├── Refused                asked for properly, but not possible now  exit status 1
    ├── ReminderRejected       one reminder that cannot be taken; names the field
    └── SealBroken             a sealed value that this key or owner cannot open

Each carries a `code` for programs, a sentence for people, and where there is one a remedy.
"""

from __future__ import annotations

from collections.abc import Sequence


class CertmailError(Exception):
    """Something that certmail can explain."""

    def __init__(self, code: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy

    def as_json(self) -> dict[str, str]:
        """The form that every command and answer gives it."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}


class WrongUse(CertmailError):
    """What was typed cannot be carried out as it stands."""


class SettingsError(WrongUse):
    """A setting is missing, malformed, or contradicts another."""


class StoresUnreachable(CertmailError):
    """A store does not answer, or answers in a way that certmail cannot work with."""


class BatchInterrupted(StoresUnreachable):
    """A batch ended early, and this says which of its reminders are in.

    The first `answered` have their answer, which holds; of the `unknown` after them nobody knows;
    none of the others is in. Sent again, what is in is a duplicate, not a second mail.
    """

    def __init__(self, error: StoresUnreachable, *, answered: int, unknown: int) -> None:
        super().__init__(error.code, error.message, error.remedy)
        self.answered = answered
        self.unknown = unknown


class Refused(CertmailError):
    """A proper request that the present state does not allow."""


class SealBroken(CertmailError):
    """A sealed value was altered, belongs to somebody else, or needs a key that is not there."""


class ReminderRejected(CertmailError):
    """One reminder cannot be taken; `field` names the part that is wrong, if it is one part.

    Of a field that lists something, `place` is the way to it: which field, which of its items, and
    which field of that.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        place: Sequence[int | str] = (),
        remedy: str = "",
    ) -> None:
        super().__init__(code, message, remedy)
        self.field = field or "/".join(map(str, place)) or None
        self.place = tuple(place) or ((field,) if field else ())
