"""To whom mails may go at all: a deployment for trying out writes to its own people only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from certmail_config.base.addresses import recorded_address, written_address


@dataclass(frozen=True, slots=True)
class OnlyTo:
    """The addresses and whole domains that may get mail; where both are empty, everybody may."""

    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `qa@acme.example, @staging.acme.example`.

        Raises NoAddress.
        """
        given = [part.strip() for part in text.split(",") if part.strip()]
        return cls(
            frozenset(written_address(each).lower() for each in given if not each.startswith("@")),
            frozenset(_domain(each) for each in given if each.startswith("@")),
        )

    def allows(self, address: str) -> bool:
        """Whether this one may get mail."""
        if not self.addresses and not self.domains:
            return True

        known = recorded_address(address)
        return known in self.addresses or known.rpartition("@")[2] in self.domains

    def __str__(self) -> str:
        """As it is written."""
        return ", ".join([*sorted(self.addresses), *(f"@{each}" for each in sorted(self.domains))])


EVERYBODY: Final = OnlyTo()


def _domain(text: str) -> str:
    """The domain behind an `@`, in the form that addresses are kept in."""
    return written_address(f"anybody{text}").rpartition("@")[2]
