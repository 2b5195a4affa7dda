"""`certmail sandbox`: where it must not keep what it knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from certmail_config.base.errors import WrongUse
from certmail_worker.cli.processes.sandbox import sandbox


def test_a_file_that_makes_a_directory_another_sandbox_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"sandbox\.json says of its directory") as raised:
        sandbox(listen="127.0.0.1:0", keep=tmp_path / "sandbox.json")
    assert raised.value.code == "sandbox_keep"
    assert list(tmp_path.iterdir()) == []
