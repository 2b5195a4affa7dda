"""What `certmail doctor` says of pauses. Pure.

Each that is in force, and where Redis and the database disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from certmail_config.tenants.models import TenantState
from certmail_config.tenants.pauses import EVERYTHING, describe_pause


@dataclass(frozen=True, slots=True)
class PauseFinding:
    """Something to be known of one pause; `broken`: what was to wait leaves."""

    check: str
    message: str
    remedy: str
    broken: bool = False


def in_force(paused: Iterable[str], suspended: Iterable[str]) -> Iterator[PauseFinding]:
    """What waits by an operator's wish.

    `suspended` are the tenants of which nothing is taken in either.
    """
    for name in sorted(paused):
        yield PauseFinding(_check(name), *describe_pause(name, suspended=name in suspended))


def disagreements(
    paused: Iterable[str], wanted: Mapping[str, TenantState]
) -> Iterator[PauseFinding]:
    """Where a command was interrupted, or one of the stores is older than the other."""
    paused = set(paused)
    for name in sorted(wanted.keys() - paused):
        again, _ = _commands(name, wanted[name])
        message = (
            f"The database says that {_whose(name)} wait, but Redis does not know: they leave."
        )
        yield PauseFinding(_check(name), message, f"Say it again: {again}", broken=True)

    for name in sorted(paused - wanted.keys()):
        _, on = _commands(name, TenantState.PAUSED)
        message = f"The database does not know that {_whose(name)} wait."
        yield PauseFinding(_check(name), message, f"Say what is meant: {on}, or certmail pause.")


def _check(name: str) -> str:
    return "paused" if name == EVERYTHING else f"tenant {name}"


def _whose(name: str) -> str:
    return "all reminders" if name == EVERYTHING else f"the reminders of {name}"


def _commands(name: str, state: TenantState) -> tuple[str, str]:
    """How it is stopped, and how it goes on."""
    if name == EVERYTHING:
        return "certmail pause", "certmail resume"
    if state is TenantState.SUSPENDED:
        return f"certmail tenants suspend {name}", f"certmail tenants resume {name}"
    return f"certmail pause --tenant {name}", f"certmail resume --tenant {name}"
