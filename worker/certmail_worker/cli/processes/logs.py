"""`certmail logs explain`: what an event or a code in the log means, and what to do."""

from __future__ import annotations

from typing import Annotated

import typer

from certmail_config.base.errors import WrongUse
from certmail_worker.cli.support.output import Json, out, print_json, table
from certmail_worker.logbook.book import entries, explain, near
from certmail_worker.logbook.entry import Entry


def explain_(
    name: Annotated[
        str | None,
        typer.Argument(metavar="CODE", help="An event, or a code. Not given: all there are."),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Say what an event or a code in the log means, who has to do something, what, and how soon."""
    if name is None:
        return _list(as_json=json)

    found = explain(name)
    if not found:
        raise _unknown(name)

    if json:
        return print_json([{"kind": kind, **entry.as_json()} for kind, entry in found])
    for kind, entry in found:
        _show(kind, entry)
    return None


def _list(*, as_json: bool) -> None:
    if as_json:
        print_json([{"kind": kind, "about": about, **e.as_json()} for kind, about, e in entries()])
        return

    rows = [(e.name, kind, about, e.who, e.urgency) for kind, about, e in entries()]
    table(("Name", "Kind", "About", "Who has to act", "How soon"), rows)


def _unknown(name: str) -> WrongUse:
    meant = ", ".join(near(name))
    return WrongUse(
        "unknown_code",
        f"Nothing that certmail logs is called {name!r}."
        + (f" Is it one of these? {meant}." if meant else ""),
        "`certmail logs explain` lists all.",
    )


def _show(kind: str, entry: Entry) -> None:
    out.print(f"{entry.name} ({kind})", markup=False)
    out.print(f"  {entry.means}", markup=False)

    pairs = (
        ("Who", entry.who),
        ("How soon", entry.urgency),
        ("What", entry.do),
        *(("Run", each) for each in entry.commands),
        ("More", f"docs/runbook.md#{entry.see}" if entry.see else ""),
    )
    for name, value in pairs:
        if value:
            out.print(f"  {name + ':':<10}{value}", markup=False)
