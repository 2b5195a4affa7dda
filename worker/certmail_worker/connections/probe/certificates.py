"""What can be seen of a certificate without asking for a token.

Its dates, and whether Google lists it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from certmail_config.base.dates import day, moment
from certmail_config.crypto.certificates import ends_soon, find_key_id
from certmail_config.google.checklist import Step
from certmail_config.google.token_errors import Blame
from certmail_worker.connections.probe.steps import failed, passed
from certmail_worker.google.http import exchange
from certmail_worker.google.responses import Answered

MAX_SKEW_SECONDS: Final = 120.0
"""Before our clock is so far off, it is time to set it.

Google lets assertions be off by some minutes (google.md §4.1).
"""
MAX_NAMED: Final = 3
UPLOAD: Final = (
    "Download it (`certmail connections certificate {id}`) and upload it in the Google Cloud console: the service account, Keys, "
    "Add key, Upload existing key. If that is greyed out or refused: organisations made since 2024-05-03 forbid it "
    "by the policy iam.disableServiceAccountKeyUpload, which an Organization Policy Administrator lifts for the project; with "
    "iam.serviceAccountKeyExpiryHours the certificate must end within it (`connections rotate --valid-days`); an account "
    "holds 10 keys at most."
)


def dates(certificate: str, not_after: datetime, now: datetime, connection: str) -> Step:
    """Whether a certificate is within its dates.

    Google accepts no key after its certificate's notAfter (google.md §4.3).
    """
    name = "certificate dates"
    rotate = f"certmail connections rotate {connection}"
    if not_after <= now:
        message = f"The certificate ended on {moment(not_after)}: Google accepts its key no longer."
        return failed(
            name, "certificate_expired", message, f"Make a new one and upload it: {rotate}"
        )

    message = f"The certificate is valid until {day(not_after)}."
    hint = f"Make the next one soon: {rotate}" if ends_soon(certificate, not_after, now) else ""
    return passed(name, "certificate_valid", message, remedy=hint)


async def listed(
    name: str,
    session: aiohttp.ClientSession,
    url: str,
    account: str,
    certificate: str,
    connection: str,
) -> tuple[Step, str | None, float | None]:
    """Look for a certificate in Google's public list.

    Gives also its key id, and how far our clock is ahead, seconds.
    """
    answer = await exchange(session, "GET", f"{url.rstrip('/')}/{account}")
    if not isinstance(answer, Answered):
        message = f"Google's list of certificates cannot be reached: {answer.why}"
        return _unreachable(name, message), None, None

    ahead = clock_ahead(answer.headers)

    if answer.status == 404:
        message = f"Google says: there is no service account {account} (HTTP 404)."
        remedy = "Check the service account's email address. If it is wrong, remove the connection and set up another."
        return failed(name, "service_account_unknown", message, remedy), None, ahead

    try:
        published = json.loads(answer.body)
    except (ValueError, RecursionError):
        published = None

    if answer.status != 200 or not isinstance(published, dict):
        message = f"Google's list of certificates could not be read (HTTP {answer.status})."
        return _unreachable(name, message), None, ahead

    key_id = find_key_id({str(kid): str(pem) for kid, pem in published.items()}, certificate)
    if key_id is None:
        message = f"The certificate is not uploaded yet: Google lists {_others(list(published))}."
        return (
            failed(name, "certificate_not_uploaded", message, UPLOAD.format(id=connection)),
            None,
            ahead,
        )

    message = f"Google lists the certificate under key {key_id}."
    return passed(name, "certificate_seen", message), key_id, ahead


def _others(listed: Sequence[str]) -> str:
    """What Google lists instead, by the ids that its console shows.

    Whoever has uploaded another file finds it there.
    """
    if not listed:
        return "no key of the service account"
    more = ", …" if len(listed) > MAX_NAMED else ""
    return f"only other keys of the service account ({', '.join(listed[:MAX_NAMED])}{more})"


def clock(ahead: float) -> Step:
    """Whether our clock agrees with Google's."""
    name = "clock"
    if abs(ahead) < MAX_SKEW_SECONDS:
        return passed(name, "clock_right", "certmail's clock agrees with Google's.")
    message = (
        f"certmail's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Google's."
    )
    remedy = "Set the clock (NTP) of the machine that runs certmail."
    return failed(name, "clock_wrong", message, remedy, Blame.OPERATOR)


def clock_ahead(headers: Mapping[str, str]) -> float | None:
    """How far our clock is ahead of an answer's Date, seconds; None where it has none."""
    try:
        date = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError):
        return None
    return (datetime.now(date.tzinfo) - date).total_seconds()


def _unreachable(name: str, message: str) -> Step:
    remedy = "Check the network between certmail and Google, then probe again."
    return failed(name, "x509_unreachable", message, remedy, Blame.NOBODY)
