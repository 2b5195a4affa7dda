"""The mail of a reminder on record, composed once more, and whether it is the one that was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.templates.publishing import templates_of, version_of
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.base.ids import JobId, job_id
from certmail_config.base.redis_answers import fields_of, value_of
from certmail_config.compose import TenantWords
from certmail_config.compose.own.tenant_words import read_words
from certmail_config.crypto.sealing import Opener
from certmail_config.jobs.contract import read_payload, write_payload
from certmail_config.jobs.reminder import Reminder, parse_json
from certmail_config.process.release import release
from certmail_config.settings import Settings
from certmail_config.settings.existing_deployment import require_deployment
from certmail_config.sql import registry
from certmail_config.sql.delivery_story import Story, read_story
from certmail_config.tenants.sealed_fields import open_from
from certmail_worker.cli.preview.writing import PreviewedMail
from certmail_worker.delivery.prepare import compose_message
from certmail_worker.delivery.reproduction import (
    RecordedContent,
    equals,
    newest_recorded,
    why_not_equal,
)
from certmail_worker.google.tenant_cache import TenantInside


@dataclass(frozen=True, slots=True)
class _Job:
    """A reminder as both stores know it."""

    id: JobId
    tenant: str
    connection: str
    state: str
    payload: bytes | None
    mailbox: str | None
    attempts: Sequence[Mapping[str, Any]]


def mail_of_job(job: str, attempt: int | None, given: Path | None) -> PreviewedMail:
    """The mail of a reminder as it was sent in an attempt; without any, as it would be now.

    `given` holds the reminder where certmail's own copy is gone. Raises Refused, WrongUse,
    SealBroken, StoresUnreachable.
    """
    settings = Settings.from_env()
    require_deployment(settings)

    with open_admin(settings) as admin:
        found = _find(admin, job_id(job))
        recorded = _recorded(found, attempt)
        tenant, reminder = _opened(admin, found, recorded, given)
        words, kept = _words(admin, found.tenant, recorded)
        mailbox = found.mailbox or admin.connection(found.connection).mailbox

    if mailbox is None:
        raise Refused(
            "no_mailbox",
            f"The connection of {found.id} has no mailbox yet.",
            "See `certmail connections show`.",
        )
    moment = recorded.composed_at if recorded else None
    mail = compose_message(
        reminder, found.id, mailbox, tenant, words, now=moment or datetime.now(UTC)
    )

    if recorded is None:
        return PreviewedMail(mail, (_nothing_to_compare(found),))
    if equals(mail, recorded):
        same = f"The same message to the byte: {recorded}; SHA-256 {recorded.message_sha256}."
        return PreviewedMail(mail, (same,))
    this = str(release(settings.revision))
    maybe = "; or ".join(
        why_not_equal(mail, recorded, this, version_kept=kept, given=given is not None)
    )
    another = f"Another message than the one sent: {recorded}; SHA-256 {recorded.message_sha256}."
    return PreviewedMail(mail, faults=(another, f"It may be that {maybe}."))


def _find(admin: Admin, job: JobId) -> _Job:
    known = fields_of(admin.redis, redis_keys.JOB + job, ("tenant", "connection", "state"))
    payload = value_of(admin.redis, redis_keys.BODY + job)
    with admin.db() as db:
        story = read_story(db, job)

    if story is None and None in known:
        raise Refused(
            "unknown_job", f"There is no job {job}.", "Its id is in the receipt, and in the record."
        )
    of_redis = [each.decode() if each else "" for each in known]
    tenant, connection, state = of_redis if all(of_redis) else _of_record(story)
    mailbox = story.delivery["mailbox"] if story else None
    return _Job(job, tenant, connection, state, payload, mailbox, story.attempts if story else ())


def _of_record(story: Story | None) -> list[str]:
    assert story is not None, "else nobody knows it"
    return [str(story.delivery[name]) for name in ("tenant", "connection", "state")]


def _recorded(job: _Job, n: int | None) -> RecordedContent | None:
    if n is None:
        return newest_recorded(job.attempts)

    numbers = {each["n"]: each for each in job.attempts}
    if n not in numbers:
        there = ", ".join(map(str, numbers)) or "none"
        raise Refused("unknown_attempt", f"There is no attempt {n} of it on record: {there}.")
    found = RecordedContent.of(numbers[n])
    if found is None:
        raise Refused(
            "no_evidence",
            f"Nothing proves what attempt {n} sent: its worker was lost, or is of an older version.",
            "Without --attempt the mail is shown as it would be now.",
        )
    return found


def _opened(
    admin: Admin, job: _Job, recorded: RecordedContent | None, given: Path | None
) -> tuple[TenantInside, Reminder]:
    if given is None and job.payload is None:
        proven = f" What proves its words is on record: {recorded}." if recorded else ""
        raise Refused(
            "content_gone",
            f"The content of {job.id} is kept no more: certmail deletes it when a reminder ends, and this one is {job.state}.{proven}",
            "Whoever enqueued it may still have it: give it as JSON with --reminder FILE, and it is composed and compared again.",
        )

    with admin.db() as db:
        tenant = registry.get_tenant(db, job.tenant)
    opener = Opener(open_from(admin.vault, tenant.private_key, tenant.id, "private_key"))
    inside = TenantInside(opener, tenant.organisation, None, admin.reply_to_of(tenant))
    if given is not None:
        return inside, _from_file(given)
    assert job.payload is not None, "asked before"
    return inside, read_payload(opener.open(job.payload, tenant=tenant.id, job=job.id))


def _from_file(file: Path) -> Reminder:
    """The reminder in a file, as a worker would have read it; raises WrongUse."""
    try:
        value = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise WrongUse("no_file", f"{file} cannot be read: {error.strerror}.") from None
    except ValueError:
        value = None
    remedy = "It holds one reminder as it is sent to POST /v1/reminders."
    if not isinstance(value, dict):
        raise WrongUse("no_reminder", f"{file} is no JSON object.", remedy)

    parsed = parse_json(value)
    if isinstance(parsed, list):
        wrong = "; ".join(f"{each.field}: {each.message}" for each in parsed)
        raise WrongUse("no_reminder", f"{file} is no reminder: {wrong}.", remedy)
    return read_payload(write_payload(parsed))


def _words(
    admin: Admin, tenant: str, recorded: RecordedContent | None
) -> tuple[TenantWords | None, bool]:
    """The words that it was sent in, and whether they are still kept; without a record today's."""
    hosts = admin.settings.logo_hosts
    now = templates_of(admin, tenant)
    if recorded is None:
        if not now.version:
            return None, True
        return read_words(now.version, now.document.written().encode(), now.off, hosts), True

    version = recorded.template_version
    if version is None:
        return None, True
    try:
        document = version_of(admin, tenant, version)[0]
    except Refused:
        return None, False
    off = now.off if now.version == version else ()
    return read_words(version, document.written().encode(), off, hosts), True


def _nothing_to_compare(job: _Job) -> str:
    if not job.attempts:
        return "No request is on record for it: so it would be written now."
    return (
        "Nothing proves what was sent: the worker was lost, is of an older version, or the record "
        "is still to be written. So it would be written now."
    )
