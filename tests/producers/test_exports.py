"""The exports of `certmail`, which upstream applications import: complete, sorted, and light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import certmail

HEAVY = [
    "celery",
    "kombu",
    "sqlalchemy",
    "alembic",
    "aiohttp",
    "typer",
    "rich",
    "google",
    "jinja2",
    "certmail_worker",
]


def test_all_is_sorted_and_whole() -> None:
    assert certmail.__all__ == sorted(certmail.__all__)
    assert set(certmail.__all__) == {
        name for name in vars(certmail) if not name.startswith("_") and name[0].isupper()
    }


def test_every_name_can_be_imported_and_says_what_it_is() -> None:
    for name in certmail.__all__:
        assert getattr(certmail, name).__doc__


def test_the_import_brings_nothing_of_the_worker_along(tmp_path: Path) -> None:
    program = f"import sys, certmail; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"
