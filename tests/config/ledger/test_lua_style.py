"""How the ledger's Lua is written: every argument and every answer has a name, lines fit a page."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

LUA = Path(str(files("certmail_config.ledger").joinpath("lua")))
FILES = sorted(LUA.rglob("*.lua"))
SCRIPTS = [path for path in FILES if path.parent.name != "shared"]
WIDEST = 110
EVERY_CALL_BRINGS_ITS_OWN_NUMBER = {
    "enqueue",
    "forget",
    "mark_unwanted",
    "pause",
    "sample",
    "survey_places",
}


def named(path: Path) -> str:
    return path.stem


def code_of(path: Path) -> str:
    """A file without its comments."""
    return re.sub(r"--.*", "", path.read_text("utf-8"))


def test_the_scripts_are_there() -> None:
    assert len(FILES) > 25
    assert len({path.stem for path in FILES}) == len(FILES)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_lines_fit_a_page(path: Path) -> None:
    wide = [line for line in path.read_text("utf-8").splitlines() if len(line) > WIDEST]
    assert not wide


@pytest.mark.parametrize("path", FILES, ids=named)
def test_arguments_and_answers_have_names_not_numbers(path: Path) -> None:
    assert re.findall(r"ARGV\s*\[.*|KEYS\s*\[.*", code_of(path)) == []
    assert re.findall(r"[\w)\]]\[\d+\].*", code_of(path)) == []


@pytest.mark.parametrize(
    "path",
    [path for path in SCRIPTS if path.stem not in EVERY_CALL_BRINGS_ITS_OWN_NUMBER],
    ids=named,
)
def test_the_head_names_each_argument_that_the_header_lists(path: Path) -> None:
    source = path.read_text("utf-8")
    header = re.search(r"-- ARGV  (.*?)(?=\n-- [A-Z]|\n[^-])", source, re.DOTALL)
    assert header
    listed = re.findall(r"(?:^|· |--       )(\d+) ", header[1])
    head = re.match(r"\s*local ([\w,\s]+?) =\s+unpack\(ARGV, 1, (\d+)\)\n", code_of(path))
    assert head
    names = head[1].replace(",", " ").split()
    assert [str(n + 1) for n in range(len(names))] == listed
    assert int(head[2]) == len(names) == len(set(names))
    assert code_of(path).count("ARGV") == 1


@pytest.mark.parametrize("path", FILES, ids=named)
def test_one_word_is_one_thing_no_local_hides_a_shared_function(path: Path) -> None:
    shared = {
        name
        for other in LUA.joinpath("shared").glob("*.lua")
        for name in re.findall(r"^local function (\w+)", code_of(other), re.MULTILINE)
    }
    own = re.findall(r"^\s*local ([\w, ]+?) =", code_of(path), re.MULTILINE)
    assert shared & {name for names in own for name in names.split(", ")} == set()
