"""Who sits at the command line, for the record."""

from __future__ import annotations

import pytest

from certmail_worker.cli.support.actor import actor, by_whom, user


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("", "root"),
        ("root", "root"),
        ("ann", "ann as root"),
        ("a\nnn", "root"),
        ("x" * 65, "root"),
    ],
)
def test_whoever_became_somebody_by_sudo_stands_before_that(
    before: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "root")
    monkeypatch.setenv("SUDO_USER", before)
    assert user() == said
    assert actor() == f"{said} on the command line"
    assert by_whom(None) == f"by {said}"
    assert by_whom("an audit") == "an audit"
