"""A command ends with a sentence and a meaningful status, whatever goes wrong.

It never ends with a trace.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from certmail_worker.cli.commands import COMMANDS, Group
from support.processes.forked import Case, Ended, Forks, forks

STAYING: Final = {"demo", "up", "worker", "flower", "gateway", "sandbox"}
ARGUMENTS: Final[dict[str, str]] = {
    "demo": "",
    "up": "",
    "worker": "",
    "flower": "",
    "sandbox": "",
    "gateway": "",
    "tenants add": "globex",
    "tenants set": "acme --name Äcme",
    "tenants list": "",
    "tenants show": "acme",
    "tenants history": "acme",
    "tenants suspend": "acme",
    "tenants resume": "acme",
    "templates list": "",
    "templates show": "acme",
    "templates check": ".",
    "templates publish": "acme .",
    "templates diff": "acme",
    "templates reset": "acme",
    "connections add": "acme --kind service_provider_app",
    "connections set": "acme/default --per-day 7",
    "connections list": "",
    "connections show": "acme/default",
    "connections certificate": "acme/default",
    "connections rotate": "acme/default",
    "connections probe": "acme/default",
    "connections test": "acme/default",
    "connections link": "acme/default",
    "connections setup-link": "acme",
    "connections suspend": "acme/default",
    "connections resume": "acme/default",
    "keys create": "theirs --tenant acme",
    "keys list": "",
    "keys revoke": "k",
    "keys deployment": "",
    "operators add": "ann --role viewer",
    "operators list": "",
    "operators role": "ann admin",
    "operators reset": "ann",
    "operators disable": "ann",
    "operators enable": "ann",
    "operators remove": "ann",
    "webhooks add": "https://hooks.example/ --every-tenant",
    "webhooks list": "",
    "webhooks show": "w",
    "webhooks test": "w",
    "webhooks change": "w --every-type",
    "webhooks pause": "w",
    "webhooks resume": "w",
    "webhooks rotate": "w",
    "webhooks replay": "w --failed",
    "webhooks remove": "w --yes",
    "send": "six.csv",
    "status": "00000000-0000-7000-8000-000000000000",
    "cancel": "00000000-0000-7000-8000-000000000000",
    "attention": "",
    "uncertain list": "",
    "uncertain settle": "--all --as close",
    "pause": "",
    "resume": "",
    "deliveries list": "",
    "deliveries totals": "",
    "deliveries reasons": "",
    "deliveries hours": "",
    "deliveries export": "-",
    "campaigns list": "",
    "campaign plan": "none.toml --reviewers none.csv",
    "campaign rehearse": "none.toml --reviewers none.csv",
    "campaign presets": "strict",
    "campaign run": "q4.toml --reviewers people.csv",
    "campaign show": "acme/q4",
    "campaign progress": "acme/q4 --reviewer anna --pending 0",
    "campaign remind": "acme/q4 --all",
    "campaign pause": "acme/q4",
    "campaign resume": "acme/q4",
    "campaign stop": "acme/q4",
    "campaign remove": "acme/q4 --yes",
    "logs explain": "pacing_stopped",
    "erase": "anna@acme.example --yes",
    "preview": "",
    "simulate": "--tenants 2 --reminders 10",
    "doctor": "",
    "vault keygen": "",
    "vault rotate": "",
    "db upgrade": "",
    "redis acl": "",
    "connections remove": "acme/default --yes",
    "tenants remove": "acme --yes",
}
WAITING: Final = {"erase", "simulate"}
"""For the record, which a worker writes, and for a server of its own."""
FEW: Final = (
    "tenants list", "tenants set", "connections show", "keys create", "send", "status",
    "deliveries export", "doctor",
)  # fmt: skip
"""What stands for the others where all go the same way."""
SHORT: Final = [name for name in ARGUMENTS if name not in STAYING | WAITING]
GARBAGE: Final = b"this is no database" * 500


def names() -> Iterator[str]:
    for name, each in COMMANDS.items():
        yield from (
            (f"{name} {under}" for under in each.commands) if isinstance(each, Group) else [name]
        )


def words(name: str) -> list[str]:
    return f"{name} {ARGUMENTS[name]}".split()


@pytest.fixture(scope="module")
def forked() -> Iterator[Forks]:
    with forks() as server:
        yield server


@pytest.fixture
def case(commands: Callable[..., tuple[int, Any]], redis_url: str, tmp_path: Path) -> Case:
    """A deployment with one tenant, whose name no ASCII has."""
    assert commands("tenants", "add", "acme", "--name", "Zoë ✉ 株式会社")[0] == 0
    (tmp_path / "six.csv").write_text("tenant,to\nacme,anna@acme.example\n")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CERTMAIL_")
    }
    environment |= {"CERTMAIL_REDIS_URL": redis_url, "CERTMAIL_DATA_DIR": str(tmp_path)}
    return Case((), environment, str(tmp_path))


def bad(case: Case, ended: Ended, *, silent: bool = False) -> str | None:
    """What is wrong with how a command ended."""
    if "Traceback" in ended.err + ended.out or ended.status not in {0, 1, 2, 3}:
        return f"{' '.join(case.arguments)}: {ended.status}, {ended.out[-300:]}{ended.err[-1500:]}"
    if ended.status and not silent and not (ended.err + ended.out).strip():
        return f"{' '.join(case.arguments)}: {ended.status}, and not a word"
    return None


def test_the_table_is_whole() -> None:
    assert set(names()) == set(ARGUMENTS)


STREAMS: Final = {
    "a full disk behind stdout": {"stdout": "full"},
    "nobody who reads stdout": {"stdout": "left"},
    "a closed stdout": {"stdout": "closed"},
    "nothing open at all": {"stdin": "closed", "stdout": "closed", "stderr": "closed"},
    "a full disk behind both": {"stdout": "full", "stderr": "full"},
    "an encoding without umlauts": {"encoding": "ascii"},
}


@pytest.mark.parametrize("how", STREAMS.values(), ids=STREAMS.keys())
def test_streams_in_any_state(forked: Forks, case: Case, how: dict[str, Any]) -> None:
    silent = how.get("stdout") in {"left", "closed"} or how.get("stderr") is not None
    ends = {
        name: (each, forked.run(each))
        for name in (SHORT if how == STREAMS["a full disk behind stdout"] else FEW)
        for each in [replace(case, arguments=words(name), **how)]
    }
    assert not [why for each, ended in ends.values() if (why := bad(each, ended, silent=silent))]
    if how == STREAMS["a full disk behind stdout"]:
        assert ends["tenants list"][1].status == 1
        assert "could not be written: No space left" in ends["tenants list"][1].err


STORES: Final = {
    "a Redis that is away": ({"CERTMAIL_REDIS_URL": "redis://127.0.0.1:1/0"}, 3),
    "a data directory that cannot be": ({"CERTMAIL_DATA_DIR": "/proc/certmail"}, 3),
    "a database that is none": ({"CERTMAIL_DATABASE_URL": "sqlite:///{place}/garbage.sqlite"}, 3),
    "a database that is a directory": ({"CERTMAIL_DATABASE_URL": "sqlite:////tmp"}, 3),
    "a setting that is wrong": ({"CERTMAIL_CONCURRENCY": "many"}, 2),
}


@pytest.mark.parametrize(("changed", "status"), STORES.values(), ids=STORES.keys())
def test_stores_in_any_state(
    forked: Forks, case: Case, tmp_path: Path, changed: dict[str, str], status: int
) -> None:
    (tmp_path / "garbage.sqlite").write_bytes(GARBAGE)
    ends = {}

    for name in FEW if "CERTMAIL_DATABASE_URL" in changed else ARGUMENTS:
        if name in {"demo", "up", "simulate", "sandbox"}:
            continue  # they have stores of their own, or none
        environment = {name: value.format(place=tmp_path) for name, value in changed.items()}
        each = replace(case, arguments=words(name), environment={**case.environment, **environment})
        ends[name] = (each, forked.run(each))

    assert not [why for each, ended in ends.values() if (why := bad(each, ended))]
    assert ends["tenants list"][1].status == status


def test_nobody_waits_for_an_answer(forked: Forks, case: Case) -> None:
    for line in (
        [],
        ["tenants"],
        ["nonsense"],
        ["tenants", "ad"],
        ["send"],
        ["status"],
        ["--nonsense"],
    ):
        each = replace(case, arguments=line)
        assert bad(each, forked.run(each)) is None
