"""The wheel in a fresh environment, inside somebody else's application.

With what it declares that it needs, and nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from redis import Redis

from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings

ROOT = Path(__file__).parents[2]
UPSTREAM = '''
"""A small application that has a config, a worker and a Celery of its own."""
import asyncio, json, sys
import celery, config, worker
from certmail import AsyncMailer, Mailer, Reminder

assert (config.WHOSE, worker.WHOSE, celery.WHOSE) == ("theirs",) * 3
with Mailer.from_env() as mailer:
    receipt = mailer.send(Reminder(tenant="acme", to="anna@acme.example", campaign="q4", pending=3))
    before = mailer.status(receipt.id).state
    cancelled = mailer.cancel(receipt.id)
    after = mailer.status(receipt.id).state

async def another():
    async with AsyncMailer.from_env() as mailer:
        return (await mailer.send(Reminder(tenant="acme", to="bob@acme.example"))).state

heavy = {"sqlalchemy", "aiohttp", "alembic", "kombu", "typer", "google", "certmail_worker"}
heavy &= set(sys.modules)
print(json.dumps([before, cancelled, after, asyncio.run(another()), sorted(heavy)]))
'''


def needed(name: str, seen: set[str]) -> set[str]:
    """The distributions that one needs, and those that they need, extras left out."""
    for line in distribution(name).requires or []:
        requirement = Requirement(line)
        found = requirement.name.lower().replace("_", "-")
        if found not in seen and (
            requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        ):
            seen.add(found)
            needed(found, seen)
    return seen


def copy_distribution(name: str, target: Path) -> None:
    """Install what is installed here already there, too: nothing is downloaded."""
    found = distribution(name)
    source = Path(str(found.locate_file(""))).resolve()
    tops = {
        file.parts[0] for file in found.files or [] if file.parts[0] not in {"..", "__pycache__"}
    }
    for top in tops:
        (shutil.copytree if (source / top).is_dir() else shutil.copy)(source / top, target / top)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    building = [
        *pip,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]

    subprocess.run(building, check=True, capture_output=True)
    [wheel] = folder.glob("certmail-*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    [packages] = (folder / "venv" / "lib").glob("python*/site-packages")
    for name in needed("certmail", set()):
        copy_distribution(name, packages)
    installing = [*pip, "install", "--no-deps", "--no-index", "--target", str(packages), str(wheel)]
    subprocess.run(installing, check=True, capture_output=True)
    return folder / "venv" / "bin" / "python"


def test_an_application_with_names_of_its_own_sends_asks_and_cancels(
    python: Path, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    with open_admin(Settings(data_dir=tmp_path / "data", redis_url=redis_url)) as admin:
        admin.add_tenant("acme")
    app = tmp_path / "app"
    (app / "worker").mkdir(parents=True)
    for file in ("config.py", "celery.py", "worker/__init__.py"):
        (app / file).write_text('WHOSE = "theirs"\n')
    (app / "upstream.py").write_text(UPSTREAM)
    environment = {
        "CERTMAIL_REDIS_URL": redis_url,
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
    }
    ran = subprocess.run(
        [python, "upstream.py"],
        cwd=app,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == ["ready", "cancelled", "cancelled", "ready", []]


def test_what_it_needs_is_little(python: Path) -> None:
    heavy = {
        "celery",
        "kombu",
        "sqlalchemy",
        "aiohttp",
        "alembic",
        "jinja2",
        "typer",
        "google-auth",
    }

    assert needed("certmail", set()).isdisjoint(heavy)
