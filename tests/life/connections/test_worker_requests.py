"""The gateway asks, a worker in another process answers: `certmail.probe`, over the real queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from certmail.gateway.worker_requests import Answer, Asker
from certmail_config.admin.suspension import suspend_connection
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.base.ids import ConnectionId
from certmail_config.onboarding.worker_requests import Stage, Wish
from certmail_config.tenants.models import Limits
from support.deployment.deployment import QUICK, Town, town, wait_for


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(Path(tmp_path_factory.mktemp("asking")), **QUICK) as made:
        yield made


@pytest.fixture(scope="module")
def asker(place: Town) -> Iterator[Asker]:
    with closing(Asker(place.office)) as made:
        yield made


@pytest.fixture(scope="module")
def _worker(place: Town) -> None:
    place.worker()
    wait_for("the worker", lambda: place.workers() == 1)


def ask(asker: Asker, tenant: str, connection: str, wish: Wish) -> Answer:
    """Ask, and wait for the answer."""
    enquiry = asker.ask(tenant, ConnectionId(connection), wish)
    found: list[Answer] = []

    def answered() -> bool:
        answer = asker.look(enquiry.id)
        assert answer is not None
        found[:] = [answer]
        return answer.over

    wait_for("an answer", answered)
    return found[0]


def test_without_a_worker_that_is_what_is_said_at_once(place: Town, asker: Asker) -> None:
    made = place.office.add_tenant("early")[1]
    enquiry = asker.ask("early", made.id, Wish.CHECK)
    answer = asker.look(enquiry.id)
    assert answer is not None
    assert answer.over
    assert answer.silence is not None
    assert answer.silence.code == "no_worker"
    assert not place.office.redis.exists(f"{redis_keys.CELERY_PREFIX}certmail"), (
        "nothing waits for a worker to come"
    )


@pytest.mark.usefixtures("_worker")
def test_a_worker_goes_through_the_checklist_and_the_connection_is_active(place: Town, asker: Asker) -> None:
    mailbox, account = place.at_google("acme")
    place.office.add_tenant("acme")
    made = place.office.add_customer_owned_app(
        "acme", "default", service_account=account, mailbox=mailbox, limits=Limits(15_000), valid_days=30
    )
    missing = ask(asker, "acme", made.id, Wish.CHECK)
    assert missing.enquiry.stage is Stage.DONE
    assert [step.code for step in missing.enquiry.steps] == ["certificate_valid", "certificate_not_uploaded"]
    assert place.office.connection(made.id).state == "attention"

    place.control("POST", f"/service-accounts/{account}/keys", made.certificate)
    works = ask(asker, "acme", made.id, Wish.MAIL)
    assert all(step.ok for step in works.enquiry.steps), works
    assert works.enquiry.steps[-1].code == "mail_accepted"
    [client_id] = [step.value for step in works.enquiry.steps if step.name == "service account"]
    assert client_id.isdecimal()
    assert place.office.connection(made.id).state == "active"
    assert [mail["mailbox"] for mail in place.messages()] == [mailbox]


@pytest.mark.usefixtures("_worker")
def test_a_suspended_connection_is_resumed_and_tried_out(place: Town, asker: Asker) -> None:
    connection = place.link("resumed")
    suspend_connection(place.office, connection)
    answer = ask(asker, "resumed", connection, Wish.RESUME)
    assert all(step.ok for step in answer.enquiry.steps)
    assert place.office.connection(connection).state == "active"


@pytest.mark.usefixtures("_worker")
def test_a_connection_is_removed_with_what_is_left_to_do_at_google(place: Town, asker: Asker) -> None:
    connection = place.link("removed")
    answer = ask(asker, "removed", connection, Wish.REMOVE)
    assert answer.enquiry.said is not None
    assert answer.enquiry.said.code == "access_theirs"
    assert "domain-wide delegation" in answer.enquiry.said.remedy
    with pytest.raises(Refused):
        place.office.connection(connection)


@pytest.mark.usefixtures("_worker")
def test_what_cannot_be_tried_out_is_refused_with_the_reason(place: Town, asker: Asker) -> None:
    made = place.office.add_tenant("draft")[1]
    answer = ask(asker, "draft", made.id, Wish.CHECK)
    assert answer.enquiry.stage is Stage.REFUSED
    assert answer.enquiry.said is not None
    assert answer.enquiry.said.code == "connection_draft"


@pytest.mark.usefixtures("_worker")
def test_a_message_that_comes_twice_is_answered_once(place: Town, asker: Asker) -> None:
    connection = place.link("twice")
    before = len(place.messages())
    answer = ask(asker, "twice", connection, Wish.MAIL)
    asker._app.send_task("certmail.probe", args=[answer.enquiry.id])
    ask(asker, "twice", connection, Wish.CHECK)  # behind it in the queue
    assert len(place.messages()) == before + 1


@pytest.mark.usefixtures("_worker")
def test_the_message_holds_nothing_but_an_id(place: Town, asker: Asker) -> None:
    connection = place.link("quiet")
    ask(asker, "quiet", connection, Wish.CHECK)
    log = (place.data_dir / "worker.log").read_text()
    assert '"wish": "check"' in log
    assert "reviews@quiet.example" not in log
