"""`certmail templates show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certmail_config.admin.admin import open_admin
from certmail_config.admin.templates.publishing import templates_of, version_of
from certmail_config.base.errors import WrongUse
from certmail_config.settings import Settings
from certmail_config.templates.base import own_words
from certmail_config.templates.blocks import BLOCKS
from certmail_config.templates.colours import is_colour, palette
from certmail_config.templates.documents import Document
from certmail_config.templates.language.faults import choices
from certmail_config.templates.variables import scope_of
from certmail_worker.cli.support.actor import actor
from certmail_worker.cli.support.output import Json, fields, out, print_json, table
from certmail_worker.cli.templates.folder import write_folder
from certmail_worker.cli.templates.saying import state_as_json


def show(
    tenant: Annotated[
        str | None,
        typer.Argument(metavar="[TENANT]", help="Its id; left out: certmail's own words."),
    ] = None,
    *,
    kind: Annotated[str, typer.Option(help="Of certmail's own words: which mail.")] = "reminder",
    locale: Annotated[str, typer.Option(help="Of certmail's own words: in which language.")] = "en",
    version: Annotated[
        int | None, typer.Option(min=1, help="One that was published before.")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write it there, as files, and print nothing."),
    ] = None,
    json: Json = False,
) -> None:
    """Show what a tenant has published; without one, certmail's own words by block, and what they may name."""
    if tenant is None:
        return _show_own(kind, locale, json=json)

    with open_admin(Settings.from_env(), actor=actor()) as admin:
        state = templates_of(admin, tenant)
        document = state.document if version is None else version_of(admin, tenant, version)[0]

    if to is not None:
        files = write_folder(document, to)
        return print_json({"files": files}) if json else out.print(f"{len(files)} files.")
    if json:
        shown = document.model_dump(mode="json", exclude_defaults=True)
        return print_json(
            state_as_json(state) | {"version": version or state.version or None, "templates": shown}
        )

    fields([("tenant", tenant), ("version", version or state.version or "none"), *_look(document)])
    for each in document.overrides():
        out.print(f"\n{each.place} (made on {each.base or 'no version'})", markup=False)
        if why := state.off.get(each.place):
            out.print(f"suspended, certmail's own words stand there: {why}", markup=False)
        out.print(f"  {each.text.strip()}".replace("\n", "\n  "), markup=False)
    return None


def _look(document: Document) -> list[tuple[str, object]]:
    brand = document.brand
    shown: list[tuple[str, object]] = [
        ("locale", document.locale),
        ("name", brand.name),
        ("sender", brand.sender),
    ]
    if is_colour(brand.colour):
        used = palette(brand.colour)
        shown.append(
            ("colour", f"{brand.colour}; light pages {used.light}, dark pages {used.dark}")
        )
    if brand.logo:
        shown.append(("logo", f"{brand.logo.url} ({brand.logo.alt})"))
    shown.append(("footer", " · ".join(brand.footer)))
    shown.append(("calendar", "due dates as a file" if brand.calendar else ""))
    return [(name, value) for name, value in shown if value]


def _show_own(kind: str, locale: str, *, json: bool) -> None:
    if kind not in BLOCKS:
        raise WrongUse("unknown_kind", f"There is no kind {kind!r}.", f"{choices(kind, BLOCKS)}.")

    words = {str(block): own_words(locale, kind, block) for block in BLOCKS[kind]}
    scope = scope_of(kind)
    if json:
        return print_json(
            {
                "kind": kind,
                "locale": locale,
                "blocks": {
                    block: {"version": each.version, "texts": list(each.lines)}
                    for block, each in words.items()
                },
                "variables": {
                    name: {"form": each.form, "help": each.help, "fields": dict(each.fields)}
                    for name, each in scope.items()
                },
            }
        )

    for block, each in words.items():
        out.print(f"{block} (version {each.version})", markup=False)
        for line in each.lines:
            out.print(f"  {line}", markup=False)
    out.print()
    table(
        ["variable", "form", "what it is"],
        [_named(name, each.form, each.help, each.fields) for name, each in scope.items()],
    )
    return None


def _named(name: str, form: str, about: str, has: object) -> tuple[str, str, str]:
    return (
        name,
        form,
        f"{about}; each has {', '.join(has)}" if isinstance(has, dict) and has else about,
    )
