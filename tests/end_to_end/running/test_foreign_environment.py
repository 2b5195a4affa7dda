"""Somebody else's settings in the environment: certmail neither follows them nor fails by them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from certmail.gateway.worker_requests import WorkerRequester
from certmail_config.base.ids import ConnectionId
from certmail_config.onboarding.worker_requests import Wish
from support.deployment.deployment import (
    QUICK,
    Deployment,
    campaign,
    new_deployment,
    recorded_in,
    wait_for,
)
from support.servers.postgres import Postgres

NOBODY = "redis://127.0.0.1:1/0"


def elsewhere(folder: Path) -> dict[str, str]:
    """The environment of an application with Celery, Django, PostgreSQL, a proxy and metrics."""
    return {
        "CELERY_BROKER_URL": NOBODY,
        "CELERY_BROKER_READ_URL": NOBODY,
        "CELERY_BROKER_WRITE_URL": NOBODY,
        "CELERY_RESULT_BACKEND": "db+nothing://",
        "CELERY_CONFIG_MODULE": "no_such_module",
        "CELERY_LOADER": "no_such_module:Loader",
        "CELERY_WORKER_POOL": "solo",
        "CELERY_WORKER_HOSTNAME": "theirs@%h",
        "APP": "no_such_module",
        "BROKER_URL": NOBODY,
        "RESULT_BACKEND": "db+nothing://",
        "DJANGO_SETTINGS_MODULE": "no_such_module",
        "FLOWER_PORT": "1",
        "FLOWER_UNAUTHENTICATED_API": "true",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "REDIS_URL": NOBODY,
        "PGHOST": "127.0.0.1",
        "PGHOSTADDR": "127.0.0.1",
        "PGPORT": "1",
        "PGSERVICE": "theirs",
        "PGOPTIONS": "-c default_transaction_read_only=on",
        "PSYCOPG_IMPL": "c",
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "GOOGLE_APPLICATION_CREDENTIALS": str(folder / "nothing.json"),
        "SQLALCHEMY_DATABASE_URI": "sqlite://",
    }


@pytest.fixture(scope="module")
def deployment(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres, postgres_template: str
) -> Iterator[Deployment]:
    folder = Path(tmp_path_factory.mktemp("elsewhere"))
    postgres_server.execute(f"CREATE DATABASE foreign_environment TEMPLATE {postgres_template}")
    with new_deployment(
        folder, **QUICK, **recorded_in(postgres_server.url("foreign_environment"))
    ) as made:
        made.link()
        made.environment |= elsewhere(folder)
        yield made


@pytest.mark.parametrize(
    "command",
    [
        ("certmail_worker", "worker"),
        ("celery", "-A", "certmail_worker.app", "worker"),
        # Celery's command line may be told of another broker; a worker of certmail's has but one.
        ("celery", "-A", "certmail_worker.app", "-b", NOBODY, "worker"),
    ],
    ids=("certmail worker", "celery -A", "celery -b"),
)
def test_a_worker_sends_and_records_whatever_others_have_set(
    deployment: Deployment, command: tuple[str, ...]
) -> None:
    name = f"{'-'.join(command).replace('/', '')}.log"
    worker = deployment.start(*command, log=name)
    jobs = deployment.send(campaign(1, campaign=name))
    deployment.wait_recorded(jobs, {"accepted"}, 60)
    worker.send_signal(signal.SIGTERM)
    log = (deployment.data_dir / name).read_text()
    [said] = [line for line in log.splitlines() if '"foreign_environment"' in line]

    assert "CELERY_BROKER_URL" in said
    assert "PGHOST" in said
    assert NOBODY not in log
    assert worker.wait(60) == 0


def test_commands_and_the_gateway_reach_their_own_stores_too(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.worker()
    findings = {item["check"]: item for item in deployment.run("doctor", "--json").json["findings"]}
    assert findings["redis"]["severity"] == findings["database"]["severity"] == "ok"
    assert "CELERY_BROKER_URL" in findings["environment"]["message"]
    assert "CERTMAIL_REDIS_URL" in findings["environment"]["remedy"]

    wait_for("the worker", lambda: deployment.workers() == 1)
    # Whoever has the gateway's code in a process of its own keeps its variables, and is not led
    # astray by them.
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", NOBODY)
    monkeypatch.setenv("CELERY_BROKER_URL", NOBODY)
    connection = deployment.admin.connection("acme/default").id
    with closing(WorkerRequester(deployment.admin)) as asker:
        worker_request = asker.ask("acme", ConnectionId(connection), Wish.CHECK)

        def over() -> bool:
            answer = asker.look(worker_request.id)
            return answer is not None and answer.worker_request.over

        wait_for("an answer", over)
