"""Preparing ends only the reminder whose fault it is.

Whatever it holds, and whoever it names; what is not its fault lets it wait.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
import pytest_asyncio
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.errors import WrongUse
from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.compose import Mail
from certmail_config.crypto.sealing import Sealer
from certmail_config.jobs.contract import write_payload
from certmail_config.jobs.recipients import OnlyTo
from certmail_config.jobs.reminder import Reminder
from certmail_config.jobs.states import State
from certmail_config.ledger import Job
from certmail_config.sql import registry
from certmail_config.tenants.models import Connection, GoogleLimits
from certmail_worker.delivery.attempt import send
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.delivery.evidence import ContentEvidence
from certmail_worker.delivery.prepare import NotBegun, Prepared, not_composed, prepare
from certmail_worker.delivery.settlement import OnUncertain, Rules
from certmail_worker.google.gmail import Gmail
from certmail_worker.google.http import SendWindow, boottime
from certmail_worker.google.responses import Answer, Answered
from certmail_worker.google.tenant_cache import Directory, TenantInside
from certmail_worker.google.tokens import Token
from support.data.garbage import ODD_LETTERS, PAYLOADS
from support.deployment.one_tenant import OneTenant, one_tenant

NOW = datetime(2026, 12, 8, 9, tzinfo=UTC)
PLAIN = Reminder(tenant="acme", to="anna@people.example", campaign="q4", pending=3)


class OddDirectory(Directory):
    """One whose tenants have names that are no texts, as a fault of ours could make them."""

    async def tenant(self, tenant: str) -> TenantInside:
        return TenantInside((await super().tenant(tenant)).opener, cast("Any", b"Secret Ltd"))


class Worker:
    """What a worker has at hand, and jobs for it."""

    def __init__(self, setup: OneTenant, directory: Directory | None = None) -> None:
        self.setup = setup
        with setup.admin.db() as db:
            self.public_key = registry.get_tenant(db, "acme").public_key
        self.context = DeliveryContext(
            worker="w",
            redis=setup.redis,
            directory=directory or Directory(setup.redis, setup.admin.vault),
            tokens=setup.tokens(),
            gmail=Gmail(setup.session, setup.google),
            rules=Rules(),
            lease_seconds=45,
            send_window_seconds=5,
            release="0.1.0 (c0ffee)",
        )

    def job(self, payload: bytes, *, connection: ConnectionId | None = None) -> Job:
        """A claimed job that holds this payload."""
        id_ = JobId(str(uuid4()))
        return Job(
            id=id_,
            tenant="acme",
            connection=connection or self.setup.connection.id,
            fence=1,
            nonce="n",
            failures=0,
            refreshed=False,
            resent=False,
            strikes=0,
            project_strikes=0,
            enqueued_at=0,
            expires_at=4e9,
            body=Sealer(self.public_key).seal(payload, tenant="acme", job=id_, now=0),
        )

    async def stopped(self, job: Job) -> NotBegun:
        stop = await prepare(self.context, job)
        assert isinstance(stop, NotBegun)
        return stop


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def worker(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> AsyncIterator[Worker]:
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
    async with one_tenant(Path(tmp_path_factory.mktemp("prepare")), redis_url) as made:
        yield Worker(made)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_ordinary_reminder_is_prepared(worker: Worker) -> None:
    prepared = await prepare(worker.context, worker.job(write_payload(PLAIN)))
    assert isinstance(prepared, Prepared)
    assert b"anna@people.example" in prepared.raw


async def test_what_is_sent_can_be_proven_to_the_byte(worker: Worker) -> None:
    reminder = PLAIN.model_copy(update={"locale": "de-CH", "campaign_name": "Übersicht"})
    prepared = await prepare(worker.context, worker.job(write_payload(reminder)))

    assert isinstance(prepared, Prepared)
    subject = str(message_from_bytes(prepared.raw, policy=default)["Subject"])
    assert "Übersicht" in subject
    assert prepared.content == ContentEvidence(
        None,
        "de-CH",
        sha256(prepared.raw).hexdigest(),
        sha256(subject.encode()).hexdigest(),
        message_from_bytes(prepared.raw, policy=default)["Date"].datetime.isoformat(),
        "0.1.0 (c0ffee)",
    )


async def test_a_mail_names_whom_to_ask_the_reminders_own_before_the_tenants(
    worker: Worker,
) -> None:
    admin = worker.setup.admin
    own = PLAIN.model_copy(update={"reply_to": "q4-desk@people.example"})

    async def names(reminder: Reminder) -> str | None:
        # A worker keeps what it knows of a tenant for a minute: each look is a new worker's.
        anew = Worker(worker.setup)
        prepared = await prepare(anew.context, anew.job(write_payload(reminder)))
        assert isinstance(prepared, Prepared)
        message = message_from_bytes(prepared.raw, policy=default)
        text = message.get_body(("plain",))
        assert text is not None
        named = message["Reply-To"] and str(message["Reply-To"])
        assert (
            f"Questions? Write to {named}" in text.get_content()
            if named
            else "?" not in text.get_content()
        )

        return named

    assert (await names(PLAIN), await names(own)) == (None, "q4-desk@people.example")
    admin.change_tenant("acme", reply_to=" it-help@acme.example ")
    assert (await names(PLAIN), await names(own)) == (
        "it-help@acme.example",
        "q4-desk@people.example",
    )
    stored = str(admin.redis.hgetall(redis_keys.TENANT + "acme"))
    assert "it-help" not in stored, "it may be a person's: it is sealed"
    admin.change_tenant("acme", reply_to="")
    assert await names(PLAIN) is None


@pytest.mark.parametrize("given", ["it-help", "a@b.example, c@d.example", "Ann <ann@acme.example>"])
async def test_what_is_no_address_names_nobody(worker: Worker, given: str) -> None:
    with pytest.raises(WrongUse, match=r"--reply-to .* is not an email address"):
        worker.setup.admin.change_tenant("acme", reply_to=given)


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
async def test_a_content_that_is_no_reminder_fails_and_is_quoted_nowhere(
    worker: Worker, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    stop = await worker.stopped(worker.job(payload))
    assert (stop.to, stop.reason.partition(":")[0]) == (State.FAILED, "payload_unreadable")
    assert "ann@" not in stop.reason + caplog.text


async def test_a_reminder_of_a_later_contract_waits_for_a_worker_that_was_updated(
    worker: Worker,
) -> None:
    later = b'{"tenant": "acme", "to": "anna@people.example", "kind": "dance", "contract": 99}'
    stop = await worker.stopped(worker.job(later))
    assert (stop.to, stop.reason.partition(":")[0]) == (State.SCHEDULED, "contract_too_new")
    assert stop.wait is not None
    assert stop.operator


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "overdue", "pending": 2}, ["2 access decisions are overdue"]),
        (
            {"kind": "escalation", "about": "Ben Ray", "times_reminded": 3},
            ["Ben Ray has not yet made", "Reminded 3 times so far"],
        ),
        (
            {"kind": "digest", "campaigns": [{"name": "Payroll", "pending": 2}, {"name": "HR"}]},
            ["2 access reviews are waiting", "\nPayroll\n2 decisions open\n", "\nHR\n"],
        ),
        (
            {"kind": "custom", "subject": "What has changed", "text": "One.\n\nTwo."},
            ["What has changed\n", "\nOne.\n\nTwo.\n"],
        ),
        (
            {"pending": 22, "items": [{"what": "SAP", "who": "Ben Ray", "access": "Approver"}]},
            ["\nStill to decide\n- SAP · Ben Ray · Approver\n- and 21 more\n"],
        ),
    ],
)
async def test_each_kind_is_composed_of_what_was_enqueued(
    worker: Worker, fields: dict[str, Any], words: list[str]
) -> None:
    reminder = Reminder.model_validate({"tenant": "acme", "to": "anna@people.example", **fields})
    prepared = await prepare(worker.context, worker.job(write_payload(reminder)))
    assert isinstance(prepared, Prepared)
    part = message_from_bytes(prepared.raw, policy=default).get_body(("plain",))
    assert part is not None
    text = part.get_content().replace("\r\n", "\n")
    assert all(each in text for each in words), text


async def test_a_link_that_an_older_version_took_and_no_mail_can_carry_fails_with_the_reason(
    worker: Worker,
) -> None:
    stored = b'{"tenant": "acme", "to": "anna@people.example", "link": "https://maria:pw@iga.acme.example/"}'
    stop = await worker.stopped(worker.job(stored))
    assert stop.to is State.FAILED
    assert (
        stop.reason
        == "compose_failed: No mail can carry its link: a user name stands in front of the host."
    )


@pytest.mark.parametrize("odd", ODD_LETTERS.values(), ids=ODD_LETTERS)
async def test_an_odd_letter_is_written_or_fails_alone(worker: Worker, odd: dict[str, str]) -> None:
    letter = Reminder.model_validate(
        {"due_at": "2026-12-11T17:00:00Z", **PLAIN.model_dump(exclude_none=True), **odd}
    )
    prepared = await prepare(worker.context, worker.job(write_payload(letter)))
    assert isinstance(prepared, Prepared) or prepared.reason.startswith("compose_failed")


async def test_what_composing_raises_ends_that_reminder_and_the_log_says_where_without_its_words(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    odd = Worker(worker.setup, OddDirectory(worker.setup.redis, worker.setup.admin.vault))
    stop = await odd.stopped(odd.job(write_payload(PLAIN)))
    assert (stop.to, stop.reason) == (
        State.FAILED,
        "compose_failed: AttributeError; the log says where",
    )

    assert stop.operator
    assert stop.said["raised"] == "AttributeError"
    assert ".py:" in stop.said["where"]
    assert "Secret" not in str(stop) + caplog.text
    assert "anna@" not in str(stop) + caplog.text


async def test_where_no_letter_can_be_composed_no_reminder_fails_for_it(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    """A broken installation is the operator's to mend, and the reminders wait for it."""
    stop = not_composed(LookupError("anna@people.example"), worker.job(b""), others_work=False)
    assert (stop.to, stop.reason.partition(":")[0]) == (State.SCHEDULED, "composing_broken")
    assert stop.wait is not None
    assert stop.wait >= 30
    assert stop.operator
    assert "anna@" not in str(stop) + caplog.text


async def test_a_job_with_another_tenants_connection_never_leaves_from_its_mailbox(
    worker: Worker,
) -> None:
    admin = worker.setup.admin
    admin.add_tenant("globex")
    theirs: Connection = admin.add_customer_owned_app(
        "globex",
        "default",
        service_account="certmail@globex-it.iam.gserviceaccount.com",
        mailbox="reviews@globex.example",
        limits=GoogleLimits(),
        valid_days=30,
        verify=False,
    )

    stop = await worker.stopped(worker.job(write_payload(PLAIN), connection=theirs.id))
    assert (stop.to, stop.reason.partition(":")[0]) == (State.FAILED, "wrong_connection")
    assert stop.suspension is None, "the other tenant's lane goes on"
    assert stop.operator
    assert "altered" in stop.said["remedy"]


@pytest.mark.parametrize(
    ("key", "field"),
    [("tenant", "private_key"), ("connection", "sealed")],
)
async def test_what_is_kept_of_a_tenant_or_connection_and_cannot_be_read_lets_its_reminders_wait(
    worker: Worker, key: str, field: str
) -> None:
    redis: Any = worker.setup.admin.redis
    name = (
        redis_keys.TENANT + "acme"
        if key == "tenant"
        else redis_keys.CONNECTION + worker.setup.connection.id
    )
    kept = redis.hget(name, field)
    broken = Worker(worker.setup)

    try:
        for value in (b"\xff\xfe", b"", b"{}", None):
            redis.hdel(name, field) if value is None else redis.hset(name, field, value)
            stop = await broken.stopped(broken.job(write_payload(PLAIN)))
            assert stop.to in {State.SCHEDULED, State.READY}, (value, stop)
    finally:
        redis.hset(name, field, kept)


class Raising(Gmail):
    """A Gmail whose client has a fault of its own, before or after the first byte."""

    async def send(self, raw: bytes, token: str, window: SendWindow) -> Answer:
        if raw == b"after":
            window.pass_through()
        if raw == b"odd answer":
            window.pass_through()
            # A status that is no number is what the test is about.
            return cast("Answer", Answered("two hundred", {}, b""))  # type: ignore[arg-type]
        raise ValueError("anna@people.example")


@pytest.mark.parametrize(
    ("raw", "outcome"), [(b"before", "not_sent"), (b"after", "unknown"), (b"odd answer", "unknown")]
)
async def test_whatever_a_request_raises_is_settled_as_what_it_means(
    worker: Worker, raw: bytes, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    context = Worker(worker.setup).context
    raising = DeliveryContext(
        context.worker,
        context.redis,
        context.directory,
        context.tokens,
        Raising(worker.setup.session, worker.setup.google),
        context.rules,
        context.lease_seconds,
        context.send_window_seconds,
    )

    prepared = Prepared(
        worker.setup.connection,
        Token("secret", 0, "mark"),
        raw,
        ContentEvidence.of(Mail("", "en", raw), NOW, release="0.1.0"),
        OnUncertain(),
    )
    verdict = await send(raising, worker.job(b""), prepared, SendWindow(boottime() + 5))
    assert verdict.outcome == outcome
    assert "anna@" not in caplog.text


async def test_who_is_not_among_those_that_may_get_mail_gets_none(worker: Worker) -> None:
    only = dataclasses.replace(worker.context, only_to=OnlyTo.parse("@acme.example"))
    stop = await prepare(only, worker.job(write_payload(PLAIN)))

    assert isinstance(stop, NotBegun)
    assert (stop.to, stop.reason.partition(":")[0]) == (State.SUPPRESSED, "not_among_only_to")
    assert "anna" not in stop.reason
