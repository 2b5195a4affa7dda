"""`certmail redis acl`: passwords come from files, are printed as hashes, and mistakes are named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from certmail_worker.cli import run_command

SECRET = "correct-horse-battery"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    status = run_command(["redis", "acl", *arguments])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_passwords_are_read_and_printed_as_hashes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "passwords"
    file.write_text(f"certmail-worker {SECRET}\n\ndefault {SECRET}2\n")
    status, out, err = printed(capsys, "--passwords", str(file))

    assert status == 0
    assert SECRET not in out + err
    [worker] = [line for line in out.splitlines() if line.startswith("ACL SETUSER certmail-worker")]
    assert f" on #{hashlib.sha256(SECRET.encode()).hexdigest()} " in worker
    assert "certmail-producer, certmail-gateway" in err
    assert out.splitlines()[-1].startswith("ACL SETUSER default reset on #")


def test_a_file_of_new_passwords_is_made_once_and_for_its_owner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "passwords"
    given = ["--new-passwords", str(file), "--prefix", "cm", "--producer", "hr-producer"]
    status, out, err = printed(capsys, *given, "--aclfile")
    assert (status, err) == (0, "")
    names = [line.split()[0] for line in file.read_text().splitlines()]
    assert names == [
        "hr-producer",
        "cm-gateway",
        "cm-worker",
        "cm-flower",
        "cm-operator",
        "default",
    ]
    assert all(line.startswith("user ") and " nopass" not in line for line in out.splitlines())
    assert file.stat().st_mode & 0o077 == 0

    before = file.read_text()
    status, _, err = printed(capsys, *given)
    assert status == 2
    assert "Name a file that is not there yet." in err
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("certmail-worker short\n", "line 1 is shorter than 16 characters"),
        (f"default {SECRET}\ncertmail {SECRET}\n", "Line 2 names no user"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_without_its_passwords(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    file = tmp_path / "passwords"
    file.write_text(text)
    status, out, err = printed(capsys, "--passwords", str(file))
    assert (status, out) == (2, "")
    assert says in err
    assert SECRET not in err
    assert "short\n" not in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--aclfile"], "would let everybody in"),
        (["--producer", "a b"], "is no name"),
        (["--passwords", "/nowhere/at/all"], "cannot be read"),
        (["--passwords", "a", "--new-passwords", "b"], "not both"),
    ],
)
def test_mistakes_are_named(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    status, out, err = printed(capsys, *arguments)
    assert (status, out) == (2, "")
    assert says in err


@pytest.mark.parametrize("name", ["default", "certmail-worker", "hr-producer"])
def test_a_name_is_one_users_only(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The last of two lines would count: a producer would have a worker's rights, or all."""
    given = ["--producer", "hr-producer", "--producer", name]
    status, out, err = printed(capsys, *given)
    assert (status, out) == (2, "")
    assert f"{name!r} is another user's name already." in err
