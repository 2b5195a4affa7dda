"""The table of commands says what the commands say of themselves.

Each command imports only what it needs, so that starting feels instant.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any, Final

import pytest

from certmail_worker import cli
from certmail_worker.cli.commands import COMMANDS, Command, Group
from certmail_worker.cli.support.output import Json

Run = Callable[..., tuple[int, Any]]
BROAD: Final = {
    "alembic", "aiohttp", "babel", "celery", "flower", "google", "jinja2", "kombu", "psycopg",
    "pydantic_settings", "structlog",
}  # fmt: skip
"""What no command needs that only looks into the stores, or writes a reminder into Redis."""
PROGRAM: Final = """
import sys
from pathlib import Path
where = sys.argv.pop(1)
from certmail_worker.cli import main
try:
    main()
finally:
    Path(where).write_text("\\n".join(sys.modules))
"""


def commands(
    table: dict[str, Command | Group] | Any = COMMANDS, before: str = ""
) -> Iterator[tuple[str, Command]]:
    for name, each in table.items():
        if isinstance(each, Group):
            yield from commands(each.commands, f"{before}{name} ")
        else:
            yield f"{before}{name}", each


def modules() -> Iterator[ModuleType]:
    for each in walk_packages(cli.__path__, f"{cli.__name__}."):
        yield import_module(each.name)


class TestTheTable:
    @pytest.mark.parametrize(
        ("name", "command"), list(commands()), ids=[name for name, _ in commands()]
    )
    def test_says_what_the_command_says_of_itself(self, name: str, command: Command) -> None:
        function = getattr(import_module(f"{cli.__name__}.{command.module}"), command.function)
        paragraphs = [
            " ".join(each.split()) for each in (inspect.getdoc(function) or "").split("\n\n")
        ]
        assert command.help in {paragraphs[0], " ".join(paragraphs[:2])}, name

    def test_has_every_function_that_prints_json_for_whoever_asks(self) -> None:
        known = {(command.module, command.function) for _, command in commands()}
        found = {
            (module.__name__.removeprefix(f"{cli.__name__}."), function.__name__)
            for module in modules()
            for function in vars(module).values()
            if inspect.isfunction(function) and function.__module__ == module.__name__
            if inspect.signature(function).parameters.get("json", inspect.Parameter.empty)
            is not inspect.Parameter.empty
            and inspect.signature(function).parameters["json"].annotation in {"Json", Json}
            and not function.__name__.startswith("_")
        }

        assert found <= known


class TestWhatIsImported:
    def loaded(self, folder: Path, *arguments: str) -> tuple[set[str], str]:
        """The modules, and their packages, that a command line ends with."""
        file = folder / "modules"
        output = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(file), *arguments],
            env=os.environ | {"COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=True,
        )

        names = file.read_text().split()
        return {*names, *(name.partition(".")[0] for name in names)}, output.stdout

    def test_help_lists_everything_and_needs_nothing(self, tmp_path: Path) -> None:
        names, output = self.loaded(tmp_path, "--help")
        assert not names & (BROAD | {"cryptography", "pydantic", "redis", "sqlalchemy", "certmail"})
        assert all(
            f" {name} " in output and each.help[:60] in output for name, each in COMMANDS.items()
        )

    def test_sending_and_looking_need_little(
        self, commands: Run, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("loaded")
        assert commands("tenants", "add", "acme")[0] == 0
        file = folder / "six.csv"
        file.write_text("tenant,to\n" + "".join(f"acme,person{n}@acme.example\n" for n in range(6)))

        sent, receipts = self.loaded(folder, "send", str(file), "--json")
        assert not sent & (BROAD | {"sqlalchemy", "rich"})

        [job, *_] = [receipt["id"] for receipt in json.loads(receipts)["receipts"]]
        seen, _ = self.loaded(folder, "status", job, "--json")
        assert not seen & (BROAD | {"rich", "email_validator"})


def test_the_version_is_told() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "certmail_worker", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == f"certmail {version('certmail')}\n"
