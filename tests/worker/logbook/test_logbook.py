"""Whatever is logged is explained: the source is walked for events and codes."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from typer._click import Context
from typer.main import get_command

from certmail_config.google import token_error_table
from certmail_config.ledger.values import Stop
from certmail_worker.cli.support.running import app, run
from certmail_worker.delivery import failure_table
from certmail_worker.logbook.book import entries, explain, near
from certmail_worker.logbook.entry import Entry, Urgency, Who
from certmail_worker.logbook.reference import reference
from certmail_worker.recording.consistency import LINEAGE_ERRORS
from support.data.pages import ROOT, page

LEVELS: Final = {"debug", "info", "warning", "error", "exception", "critical", "log"}
RAISED: Final = {"SealBroken", "StoresUnreachable", "SettingsError", "Full", "PayloadUnreadable"}
"""What is caught where it is logged, with its code in front."""
PLACES: Final = {"Denied": 1, "Verdict": 2, "_verdict": 3, "Suspension": 0, "failed": 1}
"""Where the code stands among the arguments of other values that have one."""
REASONS: Final = {"NotBegun": 1, "Settlement": 2, "_operator_must_mend": 0}
"""Where a reason stands, which begins with a code."""
STARTED: Final = {"up", "gateway", "flower", "listening", "supervision", "children", "unforeseen"}
"""Modules that refuse to start a process."""
NAME: Final = re.compile(r"[a-z][a-z0-9_]+")


@cache
def calls() -> list[tuple[str, ast.Call]]:
    """Every call in the source of what logs, and the module that it is in."""
    found = []
    for root in ("config/certmail_config", "producers/certmail", "worker/certmail_worker"):
        for path in (ROOT / root).rglob("*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            found += [(path.stem, each) for each in ast.walk(tree) if isinstance(each, ast.Call)]
    return found


def called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def is_logger(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id="log" | "root"), attr=level):
            return level in LEVELS
        case ast.Attribute(value=ast.Call(func=ast.Attribute(attr="getLogger")), attr=level):
            return level in LEVELS
    return False


def text(call: ast.Call, place: int) -> str | None:
    """The constant at that place, or what a text that is put together begins with."""
    match call.args[place : place + 1]:
        case [ast.Constant(value=str(value))]:
            return value
        case [ast.JoinedStr(values=[ast.Constant(value=str(value)), *_])]:
            return value
    return None


def events() -> Iterator[tuple[str, str | None]]:
    for module, call in calls():
        if is_logger(call) and module != "saying":
            yield module, text(call, 1 if called(call) == "log" else 0)
        if called(call) == "say_or_log":
            yield module, text(call, 0)


def codes() -> Iterator[str]:
    for module, call in calls():
        name = called(call)
        if name in RAISED or (name == "Refused" and module in STARTED):
            found = text(call, 0)
        elif name in PLACES:
            found = text(call, PLACES[name])
        elif name in REASONS:
            found = (text(call, REASONS[name]) or "").partition(":")[0]
        else:
            continue
        if found and NAME.fullmatch(found):
            yield found

    yield from (name.partition("/")[0] for name in failure_table.MEANINGS)
    yield from (name.partition("/")[0] for name in token_error_table.MEANINGS)
    yield from (str(each) for each in (*LINEAGE_ERRORS, *Stop))
    for path in (ROOT / "config/certmail_config/ledger/lua/job").glob("[cbr]*.lua"):
        yield from re.findall(r"\{'refused', '(\w+)'", path.read_text("utf-8"))


def known(kind: str) -> set[str]:
    return {entry.name for is_a, _, entry in entries() if is_a == kind}


def test_every_event_that_is_logged_is_explained_and_no_other() -> None:
    logged = set(events())
    assert [module for module, event in logged if event is None] == [], "an event is a constant"
    assert {event for _, event in logged} | {"line_lost", "listens", "stops"} == known("event")
    assert len(logged) > 80


def test_every_code_that_can_be_logged_is_explained() -> None:
    found = set(codes())
    assert found - known("code") == set()
    assert len(found) > 80


@pytest.mark.parametrize("entry", [e for *_, e in entries()], ids=[e.name for *_, e in entries()])
def test_an_entry_says_what_to_do_where_somebody_has_to(entry: Entry) -> None:
    assert entry.means.endswith((".", "!"))
    if entry.who is not Who.NOBODY:
        assert entry.do.endswith("."), entry.do
    else:
        assert entry.urgency is Urgency.NONE

    for line in entry.commands:
        _, *words = line.split()
        parse(words)
    if entry.see:
        assert entry.see in page("docs/runbook.md").anchors


def parse(words: list[str]) -> None:
    command = get_command(app)
    context = Context(command, info_name="certmail")
    while hasattr(command, "resolve_command"):
        name, command, words = command.resolve_command(context, words)
    if words:  # else it is only mentioned
        command.make_context(name, list(words), parent=context)


def test_the_page_is_up_to_date_and_its_commands_are_there() -> None:
    assert (ROOT / "docs" / "logs.md").read_text("utf-8") == reference()
    for words in page("docs/logs.md").command_lines():
        parse(words)


def test_a_command_explains_one_lists_all_and_knows_what_was_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["logs", "explain", "rolled_back"]) == 0
    assert "certmail doctor --repair" in capsys.readouterr().out

    assert run(["logs", "explain", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {each["name"] for each in listed} == known("event") | known("code")

    assert run(["logs", "explain", "pacing-stoped"]) == 2
    assert "pacing_stopped" in capsys.readouterr().err


def test_names_that_are_near() -> None:
    assert "redis_full" in near("redis")
    assert near("zzzzqqq") == []
    assert [kind for kind, _ in explain("sign_in_refused")] == ["event", "code"]


def test_pages_that_are_named_exist() -> None:
    assert Path(ROOT / "docs" / "runbook.md").exists()
