"""The steps of a checklist as values, and how much grace each failure gets. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from certmail_config.base.dates import moment
from certmail_config.google.checklist import Step
from certmail_config.google.token_errors import Blame, Denied
from certmail_config.tenants.models import Connection, ConnectionState

TEST_MAIL: Final = "test mail"
MINUTE: Final = timedelta(minutes=1)
GRACE: Final = {
    "certificate_not_uploaded": 5 * MINUTE,
    "key_unknown": 10 * MINUTE,
    "api_disabled": 15 * MINUTE,
    "delegation_missing": timedelta(hours=24),
}
"""How long Google may take to know of what was just set up, and somewhat more.

google.md §1.5 and §4.2.
"""
CERTAIN: Final = frozenset({"certificate_expired"})
"""What certmail knows by itself, and need not be told a second time."""
MAIL_REFUSED: Final = "mail_refused"
"""The code of a step: Gmail refused the test mail, and none has been tried since."""
REMEMBERED: Final = timedelta(hours=1)
_KEY: Final = frozenset(
    {
        "key_unknown",
        "service_account_unknown",
        "client_disabled",
        "client_deleted",
        "client_invalid",
    }
)
_GRANT: Final = _KEY | {
    "certificate_not_uploaded",
    "delegation_missing",
    "mailbox_unknown",
    "admin_policy",
    "client_internal",
    "grant_revoked",
    "session_ended",
    "sign_in_refused",
    "not_linked",
}
DISPROVED: Final = {
    "certificate dates": frozenset({"certificate_expired"}),
    "certificate": frozenset({"certificate_not_uploaded", "service_account_unknown"}),
    "service account": _KEY | {"certificate_not_uploaded"},
    "token to send": _GRANT,
    "account": frozenset({"another_account", "account_unknown"}),
}
"""The troubles of a connection that a passed step disproves."""
BY_MAIL: Final = frozenset({"api_disabled", "mailbox_without_gmail", "domain_policy"})
"""The troubles that only another mail can disprove: Gmail alone knows of them."""


def passed(name: str, code: str, message: str, *, remedy: str = "", value: str = "") -> Step:
    """A step that is as it must be; `remedy` is what there is to do soon."""
    return Step(name, ok=True, code=code, message=message, remedy=remedy, value=value)


def failed(
    name: str,
    code: str,
    message: str,
    remedy: str,
    blame: Blame = Blame.CUSTOMER,
    *,
    waiting: bool = False,
) -> Step:
    """A step that is not as it must be."""
    return Step(
        name, ok=False, code=code, message=message, remedy=remedy, blame=blame, waiting=waiting
    )


def denied(name: str, why: Denied) -> Step:
    """A step that failed because Google gave no token."""
    return failed(name, why.code, why.message, why.remedy, why.blame)


def still_refused(connection: Connection) -> Step | None:
    """The step for a connection whose first mail Gmail refused, where no mail is tried.

    It never worked, and all other steps show nothing of that.
    """
    refused = connection.state is ConnectionState.ATTENTION and connection.code in BY_MAIL
    if not refused or connection.before_it_worked() is None:
        return None
    message = f"Gmail refused the last mail, and only another one shows whether that is mended. {connection.message}"
    remedy = f"{connection.remedy} Then: certmail connections test {connection.id}"
    return failed(TEST_MAIL, MAIL_REFUSED, message, remedy)


def with_grace(step: Step, since: datetime, now: datetime) -> Step:
    """The step, saying since when it fails if Google may still be about to let it pass.

    Or that it has had its time.
    """
    grace = GRACE.get(step.code)
    if step.ok or step.waiting or grace is None:
        return step

    shown = moment(since)
    if now < since + grace:
        until = moment(since + grace)
        words = f"If you have just done it, Google may need until {until}; certmail tries again by itself. First seen: {shown}."
        return replace(step, message=f"{step.message} {words}", waiting=True)

    words = f"It has been so since {shown}: that is too long for a change that spreads, so it was not made."
    return replace(step, message=f"{step.message} {words}")


def seen_since(step: Step, connection: Connection, now: datetime) -> datetime:
    """Since when a step fails.

    What was wrong before it is over, and its time is not this one's.
    """
    another = connection.state is ConnectionState.ATTENTION and connection.code != step.code
    return now if another or connection.refused_since is None else connection.refused_since


def until_confirmed(
    step: Step, connection: Connection, now: datetime, confirm_seconds: float
) -> Step:
    """The step, saying that a connection that works goes on until it is refused again.

    One answer may be wrong, as with a send.
    """
    if (
        step.ok
        or step.blame is not Blame.CUSTOMER
        or step.code in CERTAIN
        or not _awaits_confirmation(connection, now, confirm_seconds)
    ):
        return step

    # A mail that was refused may be the first that was ever tried: of that nobody can say that it
    # goes on.
    goes_on = (
        "Reminders are tried all the same" if step.name == TEST_MAIL else "The connection goes on"
    )
    words = f"{goes_on} until Google refuses it again, {confirm_seconds:.0f} s or more after the first time."
    stop = "" if step.message.endswith((".", "!", "?")) else "."

    return replace(step, message=f"{step.message}{stop} {words}")


def may_go_later(steps: Sequence[Step]) -> bool:
    """Whether a test mail has surely not left, and may once what is missing is there."""
    wrong = next((step for step in steps if not step.ok and step.name != "next certificate"), None)
    if wrong is None:
        return False
    # The API may be enabled hours later; nobody need come back and ask again.
    return wrong.waiting or wrong.name != TEST_MAIL or wrong.code == "api_disabled"


def only_mail_missing(steps: Sequence[Step]) -> bool:
    """Whether nothing is wrong but that no mail was tried since one was refused."""
    return all(
        step.ok or step.code == MAIL_REFUSED or step.name == "next certificate" for step in steps
    )


def concluded(
    connection: Connection, steps: Sequence[Step], now: datetime, confirm_seconds: float
) -> Connection:
    """The connection as it stands after a checklist: the newest knowledge wins.

    The first step that failed decides, where the customer can mend it; of a connection that works
    it must fail again, `confirm_seconds` later. Trouble of our own or of Google's says nothing of a
    connection, so it stays as it was, unless what was wrong with it has just been seen to be right.
    """
    wrong = next((step for step in steps if not step.ok), None)
    if wrong is None:
        return connection.working(key_id=connection.key_id)
    if wrong.code == MAIL_REFUSED:
        return connection  # as it was left by that mail

    if wrong.blame is not Blame.CUSTOMER:
        disproved = {code for step in steps if step.ok for code in DISPROVED.get(step.name, ())}
        if connection.state is ConnectionState.ATTENTION and connection.code in disproved:
            return connection.failing(wrong.code, wrong.message, wrong.remedy)
        return connection

    if wrong.code not in CERTAIN and _awaits_confirmation(connection, now, confirm_seconds):
        since = connection.refused_since if _is_remembered(connection, now) else now
        return replace(connection, refused_since=since)

    return connection.failing(
        wrong.code, wrong.message, wrong.remedy, since=seen_since(wrong, connection, now)
    )


def _awaits_confirmation(connection: Connection, now: datetime, confirm_seconds: float) -> bool:
    """Whether a connection works so far, and may have been refused by mistake.

    That is, it was not refused long enough ago to be refused for good now.
    """
    if connection.state is not ConnectionState.ACTIVE:
        return False

    since = connection.refused_since
    return (
        since is None
        or not _is_remembered(connection, now)
        or now < since + timedelta(seconds=confirm_seconds)
    )


def _is_remembered(connection: Connection, now: datetime) -> bool:
    """Whether the last refusal still counts.

    One that nobody has looked at again for so long is forgotten, as those of sends are.
    """
    since = connection.refused_since
    return since is not None and now < since + REMEMBERED
