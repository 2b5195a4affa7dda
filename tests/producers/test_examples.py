"""The examples for Django, Flask and Celery do what they say, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from certmail_config.admin.admin import open_admin
from certmail_config.base import redis_keys
from certmail_config.settings import Settings
from certmail_config.stores.embedded import embedded_server
from support.deployment.deployment import wait_for

EXAMPLES = Path(__file__).parents[2] / "producers" / "examples"
DJANGO = """
import json
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"])
import django
django.setup()
from django.test import Client
from django.urls import path
from django_view import remind
urlpatterns = [path("remind", remind)]
twice = ("anna@acme.example", "anna@acme.example")
answers = [Client().post("/remind", {"reviewer": who}) for who in twice]
print(json.dumps([[each.status_code, each.json()] for each in answers]))
"""
FLASK = """
import json
from flask_view import app
reviewers = ["anna@acme.example", "bob@acme.example"]
answer = app.test_client().post("/remind", json={"reviewers": reviewers})
print(json.dumps([answer.status_code, answer.get_json()]))
"""
CELERY = """
from celery_task import remind
remind.delay("anna@acme.example")
"""


@dataclass
class Upstream:
    """An application's environment, beside the examples."""

    redis: Redis
    environment: dict[str, str]

    def run(self, program: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=self.environment,
            cwd=EXAMPLES,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Upstream]:
    with (
        embedded_server(tmp_path) as url,
        open_admin(Settings(data_dir=tmp_path, redis_url=url)) as admin,
    ):
        admin.add_tenant("acme")
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith("CERTMAIL_")
        }
        broker = url.replace("unix://", "redis+socket://")
        yield Upstream(admin.redis, clean | {"CERTMAIL_REDIS_URL": url, "UPSTREAM_BROKER": broker})


def test_django(upstream: Upstream) -> None:
    first, second = json.loads(upstream.run(DJANGO))
    assert (first[0], first[1]["state"], first[1]["duplicate"]) == (202, "ready", False)
    assert (second[0], second[1]["id"], second[1]["duplicate"]) == (202, first[1]["id"], True)


def test_flask(upstream: Upstream) -> None:
    status, receipts = json.loads(upstream.run(FLASK))
    assert status == 202
    assert [each["state"] for each in receipts] == ["ready", "ready"]


def test_a_celery_task_in_an_application_of_its_own(upstream: Upstream) -> None:
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "celery_task",
        "worker",
        "-P",
        "solo",
        "--loglevel",
        "ERROR",
    ]

    with subprocess.Popen(command, env=upstream.environment, cwd=EXAMPLES) as worker:
        try:
            upstream.run(CELERY)
            wait_for("the reminder is in", lambda: upstream.redis.zcard(redis_keys.DUE) == 1, 60)
        finally:
            worker.terminate()


@pytest.mark.parametrize("name", ["django_view", "flask_view", "celery_task"])
def test_each_has_about_ten_lines(name: str) -> None:
    code = [line for line in (EXAMPLES / f"{name}.py").read_text().splitlines() if line.strip()]
    assert len(code) <= 15
