"""What is done for good: a person is asked first, and told how to go on when it is interrupted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from certmail_config.base.errors import WrongUse
from certmail_worker.cli.support.output import err, out

if TYPE_CHECKING:
    from certmail_worker.connections.removal import Removed

Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def ask(question: str, *, yes: bool) -> None:
    """Go on only if a person says so; raises WrongUse where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise WrongUse(
            "confirmation_missing", f"{question} Nobody can be asked here.", "Add --yes to do it."
        )
    if not typer.confirm(question, err=True):
        raise typer.Exit(1)


@contextmanager
def resumable(state: str, command: str) -> Iterator[None]:
    """Say how things stand when it is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        err.print(
            f"\nInterrupted: {state}, and nothing of it leaves. To finish: {command}", markup=False
        )
        raise


def show_removed(done: Removed) -> None:
    """Say what became of the access at Google, and where keys still are."""
    for each in done.ended_access:
        out.print(f"{each.name} ({each.mailbox or 'no mailbox'}): {each.sentence}", markup=False)
        if each.remedy:
            out.print(f"  {each.remedy}", markup=False)
    for place in done.remains:
        err.print(place, markup=False)
