"""The sample mail that somebody wants sent to them, as a worker is asked for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, repr=False)
class SampleWanted:
    """What is to be composed, and for whom; `document` are the templates to write it with, as JSON.

    Its repr shows no address.
    """

    to: str
    kind: str
    locale: str
    sample: str
    document: str

    def as_json(self) -> dict[str, Any]:
        """The form that it is kept in."""
        return asdict(self)
