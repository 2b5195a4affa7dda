"""What tests of the base share: an environment in which nothing is set."""

from __future__ import annotations

import os

import pytest

from certmail_config.settings import PREFIX


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of whoever runs the tests must not decide them."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)
