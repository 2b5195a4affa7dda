"""Commands that are imported when they are run: a list of them needs none of their modules."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from typing import Any

import typer
from typer import _click as click  # Typer carries click within itself and names only parts of it
from typer.core import TyperCommand, TyperGroup

from certmail_worker import cli
from certmail_worker.cli.commands import COMMANDS, Command, Group
from certmail_worker.cli.support.permission import check_role


class Lazy(TyperGroup):
    """A group whose commands stand in a table.

    Help and completion read that, and only what is run is loaded.
    """

    def __init__(
        self, *, table: Mapping[str, Command | Group] = COMMANDS, before: str = "", **given: Any
    ) -> None:
        listed = {name: TyperCommand(name, help=each.help) for name, each in table.items()}
        super().__init__(**(given | {"commands": listed}))
        self._table = table
        self._before = before

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant, and load it; raises Refused where it is not allowed."""
        name, _, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, None, rest

        each = self._table[name]
        if isinstance(each, Command):
            check_role(self._before + name, rest)
        return name, load(name, each, self._before), rest


def load(name: str, each: Command | Group, before: str = "") -> click.Command:
    """A command with its options, or a group of commands that are not loaded yet."""
    if isinstance(each, Group):
        return Lazy(
            name=name,
            table=each.commands,
            before=f"{before}{name} ",
            help=each.help,
            no_args_is_help=True,
        )

    module = import_module(f"{cli.__name__}.{each.module}")
    alone = typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich"
    )
    function = getattr(module, each.function)
    alone.command(name)(function if each.anywhere else _where_there_is_one(function))
    command: click.Command = typer.main.get_command(alone)

    # What has been imported stays; from here on garbage is collected as usual (see `main`).
    if not gc.isenabled():
        gc.freeze()
        gc.enable()

    return command


def _where_there_is_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same command, refused where there is no deployment: looking for one must not make one."""

    @wraps(function)
    def checked(**given: Any) -> Any:
        # A list of commands needs none of this.
        from certmail_config.settings import Settings  # noqa: PLC0415
        from certmail_config.settings.existing_deployment import require_deployment  # noqa: PLC0415

        require_deployment(Settings.from_env())
        return function(**given)

    return checked
