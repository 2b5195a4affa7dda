"""The steps of a connection's checklist, as the worker finds them and everybody shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from certmail_config.google.token_errors import Blame


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what was found, and if it is not as it must be, what to do and who can do it.

    `waiting`: it may only take Google a while; certmail tries again by itself. `value` is what a
    person may want to copy from it: of the step `service account` the numeric client ID.
    """

    name: str
    ok: bool
    code: str
    message: str
    remedy: str = ""
    blame: Blame = Blame.CUSTOMER
    waiting: bool = False
    value: str = ""

    def as_json(self) -> dict[str, Any]:
        """The form that it is kept in; `from_json` reads it."""
        return {
            "step": self.name,
            "ok": self.ok,
            "waiting": self.waiting,
            "code": self.code,
            "message": self.message,
            "remedy": self.remedy,
            "blame": self.blame.value,
            "value": self.value,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Step:
        """Read what `as_json` made."""
        named = {
            name: kept[name] for name in ("ok", "waiting", "code", "message", "remedy", "value")
        }
        return cls(name=kept["step"], blame=Blame(kept["blame"]), **named)
