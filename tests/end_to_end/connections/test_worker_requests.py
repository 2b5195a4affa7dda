"""The gateway asks, a worker in another process answers: `certmail.probe`, over the real queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from certmail.gateway.worker_requests import RequestState, WorkerRequester
from certmail_config.admin.suspension import suspend_connection
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.base.ids import ConnectionId
from certmail_config.onboarding.worker_requests import RequestStage, Wish
from certmail_config.tenants.models import GoogleLimits
from support.deployment.deployment import QUICK, Deployment, new_deployment, wait_for


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with new_deployment(Path(tmp_path_factory.mktemp("asking")), **QUICK) as made:
        yield made


@pytest.fixture(scope="module")
def asker(deployment: Deployment) -> Iterator[WorkerRequester]:
    with closing(WorkerRequester(deployment.admin)) as made:
        yield made


@pytest.fixture(scope="module")
def _worker(deployment: Deployment) -> None:
    deployment.worker()
    wait_for("the worker", lambda: deployment.workers() == 1)


def ask(asker: WorkerRequester, tenant: str, connection: str, wish: Wish) -> RequestState:
    """Ask, and wait for the answer."""
    worker_request = asker.ask(tenant, ConnectionId(connection), wish)
    found: list[RequestState] = []

    def answered() -> bool:
        answer = asker.look(worker_request.id)
        assert answer is not None
        found[:] = [answer]
        return answer.over

    wait_for("an answer", answered)
    return found[0]


def test_without_a_worker_that_is_what_is_said_at_once(
    deployment: Deployment, asker: WorkerRequester
) -> None:
    made = deployment.admin.add_tenant("early")[1]
    worker_request = asker.ask("early", made.id, Wish.CHECK)
    answer = asker.look(worker_request.id)

    assert answer is not None
    assert answer.over
    assert answer.silence is not None
    assert answer.silence.code == "no_worker"
    assert not deployment.admin.redis.exists(f"{redis_keys.CELERY_PREFIX}certmail"), (
        "nothing waits for a worker to come"
    )


@pytest.mark.usefixtures("_worker")
def test_a_worker_goes_through_the_checklist_and_the_connection_is_active(
    deployment: Deployment, asker: WorkerRequester
) -> None:
    mailbox, account = deployment.at_google("acme")
    deployment.admin.add_tenant("acme")
    made = deployment.admin.add_customer_owned_app(
        "acme",
        "default",
        service_account=account,
        mailbox=mailbox,
        limits=GoogleLimits(15_000),
        valid_days=30,
    )
    missing = ask(asker, "acme", made.id, Wish.CHECK)

    assert missing.worker_request.stage is RequestStage.DONE
    assert [step.code for step in missing.worker_request.steps] == [
        "certificate_valid",
        "certificate_not_uploaded",
    ]
    assert deployment.admin.connection(made.id).state == "attention"

    deployment.control("POST", f"/service-accounts/{account}/keys", made.certificate)
    works = ask(asker, "acme", made.id, Wish.MAIL)
    assert all(step.ok for step in works.worker_request.steps), works
    assert works.worker_request.steps[-1].code == "mail_accepted"

    [client_id] = [
        step.value for step in works.worker_request.steps if step.name == "service account"
    ]
    assert client_id.isdecimal()
    assert deployment.admin.connection(made.id).state == "active"
    assert [mail["mailbox"] for mail in deployment.messages()] == [mailbox]


@pytest.mark.usefixtures("_worker")
def test_a_suspended_connection_is_resumed_and_tried_out(
    deployment: Deployment, asker: WorkerRequester
) -> None:
    connection = deployment.link("resumed")
    suspend_connection(deployment.admin, connection)
    answer = ask(asker, "resumed", connection, Wish.RESUME)
    assert all(step.ok for step in answer.worker_request.steps)
    assert deployment.admin.connection(connection).state == "active"


@pytest.mark.usefixtures("_worker")
def test_a_connection_is_removed_with_what_is_left_to_do_at_google(
    deployment: Deployment, asker: WorkerRequester
) -> None:
    connection = deployment.link("removed")
    answer = ask(asker, "removed", connection, Wish.REMOVE)
    assert answer.worker_request.said is not None
    assert answer.worker_request.said.code == "access_theirs"
    assert "domain-wide delegation" in answer.worker_request.said.remedy

    with pytest.raises(Refused):
        deployment.admin.connection(connection)


@pytest.mark.usefixtures("_worker")
def test_what_cannot_be_tried_out_is_refused_with_the_reason(
    deployment: Deployment, asker: WorkerRequester
) -> None:
    made = deployment.admin.add_tenant("draft")[1]
    answer = ask(asker, "draft", made.id, Wish.CHECK)
    assert answer.worker_request.stage is RequestStage.REFUSED
    assert answer.worker_request.said is not None
    assert answer.worker_request.said.code == "connection_draft"


@pytest.mark.usefixtures("_worker")
def test_a_message_that_comes_twice_is_answered_once(
    deployment: Deployment, asker: WorkerRequester
) -> None:
    connection = deployment.link("twice")
    before = len(deployment.messages())
    answer = ask(asker, "twice", connection, Wish.MAIL)
    asker._app.send_task("certmail.probe", args=[answer.worker_request.id])
    ask(asker, "twice", connection, Wish.CHECK)  # behind it in the queue
    assert len(deployment.messages()) == before + 1


@pytest.mark.usefixtures("_worker")
def test_the_message_holds_nothing_but_an_id(
    deployment: Deployment, asker: WorkerRequester
) -> None:
    connection = deployment.link("quiet")
    ask(asker, "quiet", connection, Wish.CHECK)
    log = (deployment.data_dir / "worker.log").read_text()
    assert '"wish": "check"' in log
    assert "reviews@quiet.example" not in log
