"""Names that other people gave are shown by the terminal, not acted upon."""

from __future__ import annotations

import json

import pytest

from certmail_worker.cli.support import output

NAME = "Ac\x1b[2Jme\u202egnp.exe\nLtd"
SHOWN = r"Ac\x1b[2Jme\u202egnp.exe\x0aLtd"


def test_in_a_table_and_in_fields(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(["tenant"], [[NAME]])
    output.fields([("name", NAME)])
    printed = capsys.readouterr().out
    assert printed.count(SHOWN) == 2
    assert not {"\x1b", "\u202e"} & set(printed)


def test_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    output.out.print(f"The key {NAME} is revoked.", markup=False)
    printed = capsys.readouterr().out
    assert not {"\x1b", "\u202e"} & set(printed)
    assert r"Ac\x1b[2Jme\u202egnp.exe" in printed


def test_as_json_it_is_exact(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"name": NAME})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"name": NAME}
    assert not {"\x1b", "\u202e"} & set(printed)
