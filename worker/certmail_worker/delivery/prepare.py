"""Preparing a delivery: connection, token, message.

Nothing is sent here, and every way out says what follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from traceback import extract_tb

from redis.exceptions import RedisError

from certmail_config.base.errors import SealBroken
from certmail_config.base.ids import JobId
from certmail_config.compose import (
    ComposeError,
    Letter,
    Mail,
    PendingItem,
    Review,
    TenantWords,
    compose,
)
from certmail_config.compose.trial_mail import composes
from certmail_config.google.token_errors import Blame, Denied
from certmail_config.jobs.contract import ContractTooNew, PayloadUnreadable, read_payload
from certmail_config.jobs.reminder import Reminder
from certmail_config.jobs.states import State
from certmail_config.ledger import Job, Suspension
from certmail_config.tenants.models import Connection
from certmail_worker.delivery.context import DeliveryContext
from certmail_worker.delivery.evidence import ContentEvidence
from certmail_worker.delivery.own_words import compose_in, suspend_failed
from certmail_worker.delivery.settlement import OnUncertain, on_uncertain
from certmail_worker.google import backoff
from certmail_worker.google.gmail import MAX_MESSAGE_BYTES
from certmail_worker.google.tenant_cache import TenantInside
from certmail_worker.google.tokens import Token


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that a request needs, and nothing sent yet."""

    connection: Connection
    token: Token
    raw: bytes
    content: ContentEvidence
    on_uncertain: OnUncertain


@dataclass(frozen=True, slots=True)
class NotBegun:
    """Why a delivery ends before begin, and what follows.

    `operator` says that only whoever runs certmail can mend it; `said` is what else the log says.
    """

    to: State
    reason: str
    wait: float | None = None
    suspension: Suspension | None = None
    operator: bool = False
    said: Mapping[str, str] = field(default_factory=dict)


async def prepare(context: DeliveryContext, job: Job) -> Prepared | NotBegun:
    """Connection, token, message.

    Raises RedisError: an outage is nobody's fault, and the lease ends by itself.

    Whatever else is raised is a way out as well: a job that is left to its lease would hold one of
    its mailbox's places until then, and come again for as long as it lives.
    """
    try:
        connection = await context.directory.connection(job.connection, job.connection_seal)
        if connection is None or connection.mailbox is None:
            return NotBegun(State.FAILED, "connection_removed: the connection no longer exists")
        if connection.tenant != job.tenant:
            return _wrong_connection()

        token = await context.tokens.get(connection, anew=job.refreshed)
        if isinstance(token, Denied):
            return _token_denied(token, job, connection)

        payload = await context.directory.open(job.body, tenant=job.tenant, job=job.id)
        tenant = await context.directory.tenant(job.tenant)
    except SealBroken as broken:
        return _seal_broken(broken, await context.directory.version(job.connection))
    except RedisError:
        raise
    # What is kept of a tenant or connection cannot be read, which is no job's fault.
    except Exception as error:  # noqa: BLE001
        return _operator_must_mend("not_prepared", "what it needs could not be read", error, job)

    try:
        reminder = read_payload(payload)
    except ContractTooNew as error:
        # Amid an upgrade: a worker that was updated takes it.
        wait = backoff.seconds(backoff.OPERATOR, job.failures + 1)
        return NotBegun(
            State.SCHEDULED,
            f"{error.code}: {error.message}",
            wait=wait,
            operator=True,
            said={"remedy": error.remedy},
        )
    except PayloadUnreadable as error:
        return NotBegun(State.FAILED, f"payload_unreadable: {error.message}")

    composed = await _compose_or_stop(context, job, reminder, connection, tenant)
    if isinstance(composed, NotBegun):
        return composed

    if_uncertain = on_uncertain(
        context.rules,
        kind=reminder.kind,
        own=reminder.uncertain,
        tenant=tenant.uncertain,
        verify=connection.verify,
        resent=job.resent,
    )
    return Prepared(connection, token, *composed, if_uncertain)


async def _compose_or_stop(
    context: DeliveryContext,
    job: Job,
    reminder: Reminder,
    connection: Connection,
    tenant: TenantInside,
) -> tuple[bytes, ContentEvidence] | NotBegun:
    """The message, and what proves its words; or why there is none.

    What cannot be composed ends this one reminder, unless no other could be composed either.
    """
    if not context.only_to.allows(reminder.to):
        return NotBegun(
            State.SUPPRESSED, "not_among_only_to: CERTMAIL_ONLY_TO does not name its recipient"
        )

    words = await context.templates.of(job.tenant) if context.templates else None
    assert connection.mailbox is not None, "checked before"
    # To the second, as the mail's Date says it: the record has all of it.
    now = datetime.now(UTC).replace(microsecond=0)

    try:
        mail = compose_message(reminder, job.id, connection.mailbox, tenant, words, now=now)
    # Whatever it is, the worker and the others' reminders must not suffer.
    except Exception as error:  # noqa: BLE001
        return not_composed(error, job, others_work=composes(reminder.locale))

    if words is not None and words.failed:
        await suspend_failed(context, job.tenant, words)
    if len(mail.raw) > MAX_MESSAGE_BYTES:
        return NotBegun(
            State.FAILED,
            f"message_too_large: {len(mail.raw)} bytes; certmail sends at most {MAX_MESSAGE_BYTES}",
        )

    version = words.version if words and words.used else None
    return mail.raw, ContentEvidence.of(
        mail, now, release=context.release, template_version=version
    )


def compose_message(
    reminder: Reminder,
    job: JobId,
    mailbox: str,
    tenant: TenantInside,
    words: TenantWords | None = None,
    *,
    now: datetime,
) -> Mail:
    """Compose the message that this reminder becomes, in its tenant's own words where it has some.

    The same each time, whoever composes it. Raises ComposeError.
    """
    letter = Letter(
        job_id=job,
        kind=reminder.kind,
        sender=mailbox,
        sender_name=tenant.organisation,
        reply_to=reminder.reply_to or tenant.reply_to,
        to=reminder.to,
        name=reminder.name,
        campaign_name=reminder.campaign_name or reminder.campaign,
        due_at=reminder.due_at,
        pending=reminder.pending,
        completed=reminder.completed,
        link=reminder.link,
        locale=reminder.locale,
        time_zone=reminder.time_zone,
        organisation=tenant.organisation,
        now=now,
        items=tuple(PendingItem(each.what, each.who, each.access) for each in reminder.items or ()),
        about=reminder.about,
        times_reminded=reminder.times_reminded,
        reviews=tuple(
            Review(each.name, each.due_at, each.pending, each.completed, each.link)
            for each in reminder.campaigns or ()
        ),
        own_subject=reminder.subject,
        own_text=reminder.text,
        fallback_locale=words.locale if words else None,
        tenant=reminder.tenant,
        campaign=reminder.campaign,
    )

    if words is None or not words.used:
        return compose(letter)
    return compose_in(letter, words)


def _token_denied(denied: Denied, job: Job, connection: Connection) -> NotBegun:
    """Google gives no access token: what follows depends on whose fault that is."""
    reason = f"{denied.code}: {denied.message} {denied.remedy}".rstrip()
    asked, said = denied.wait or 0.0, {"remedy": denied.remedy} if denied.remedy else {}

    match denied.blame:
        case Blame.NOBODY:
            wait = max(backoff.seconds(backoff.JOB, job.failures + 1), asked)
            return NotBegun(State.SCHEDULED, reason, wait=wait, said=said)
        case Blame.OPERATOR:
            wait = max(backoff.seconds(backoff.OPERATOR, job.failures + 1), asked)
            return NotBegun(State.SCHEDULED, reason, wait=wait, operator=True, said=said)
        case Blame.CUSTOMER if not denied.confirmed:
            # Nobody is troubled before Google said so twice. Who comes back first asks again.
            return NotBegun(State.SCHEDULED, reason, wait=asked, said=said)
        case Blame.CUSTOMER:
            why = Suspension(denied.code, denied.message, connection.version, denied.remedy)
            return NotBegun(State.READY, reason, suspension=why, said=said)


def not_composed(error: Exception, job: Job, *, others_work: bool) -> NotBegun:
    """What follows when a message could not be composed.

    `others_work` says whether a plain message in the same language can be.
    """
    if not others_work:
        return _operator_must_mend(
            "composing_broken", "no reminder in its language can be composed", error, job
        )

    why = (
        str(error)
        if isinstance(error, ComposeError)
        else f"{type(error).__name__}; the log says where"
    )
    return NotBegun(
        State.FAILED, f"compose_failed: {why}", operator=True, said=_error_fields(error)
    )


def _wrong_connection() -> NotBegun:
    """Somebody has put another tenant's connection into a job: it must never leave from there."""
    return NotBegun(
        State.FAILED,
        "wrong_connection: its connection belongs to another tenant",
        operator=True,
        said={"remedy": "Whoever can write Redis has altered it: see who can."},
    )


def _operator_must_mend(code: str, why: str, error: Exception, job: Job) -> NotBegun:
    """It is ours to mend, and no fault of the job's.

    The job waits outside its lane, and holds no place meanwhile.
    """
    return NotBegun(
        State.SCHEDULED,
        f"{code}: {why} ({type(error).__name__})",
        wait=backoff.seconds(backoff.OPERATOR, job.failures + 1),
        operator=True,
        said=_error_fields(error),
    )


def _error_fields(error: Exception) -> dict[str, str]:
    """What the log says of an exception: its type, and where it was raised.

    Not its words, which may quote somebody.
    """
    places = [
        f"{step.filename.rpartition('/')[2]}:{step.lineno}"
        for step in extract_tb(error.__traceback__)
    ]

    return {"raised": type(error).__name__, "where": " ".join(places[-4:])}


def _seal_broken(broken: SealBroken, version: int) -> NotBegun:
    """Something sealed does not open.

    A missing key is the operator's to bring back, and the lane waits for it; an altered payload can
    never be read.
    """
    reason, said = f"{broken.code}: {broken.message}", {"remedy": broken.remedy}
    if broken.code.startswith("payload"):
        return NotBegun(State.FAILED, reason, operator=True, said=said)

    why = Suspension(broken.code, broken.message, version, broken.remedy)
    return NotBegun(State.READY, reason, suspension=why, operator=True, said=said)
