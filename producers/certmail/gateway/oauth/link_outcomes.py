"""The outcomes of linking an account, in words, kept for whoever loads the page again."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import Final

from redis.exceptions import RedisError

from certmail_config.admin.admin import Admin
from certmail_config.onboarding.sign_in_outcomes import recall_outcome, remember_outcome

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LinkOutcome:
    """The outcome of linking an account, in words for the person at the browser.

    `back` is the path of ours that the consent was begun on.
    """

    ok: bool
    code: str
    message: str
    remedy: str = ""
    back: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, before anything is linked: whether to send from the account of this offer."""

    offer: str


STALE: Final = LinkOutcome(
    ok=False,
    code="link_used_or_expired",
    message="This sign-in was used before, has expired, or was not started here.",
    remedy="If this page was only loaded again, look at the connection first: "
    "it says how the sign-in ended. Else link the account again.",
)
DECLINED: Final = LinkOutcome(
    ok=False,
    code="declined",
    message="That account was not linked: its permission was given back.",
    remedy="Link the account that reminders are to be sent from.",
)


def failed(code: str, message: str, remedy: str) -> LinkOutcome:
    """The outcome that the account was not linked, and what to do about it."""
    return LinkOutcome(ok=False, code=code, message=message, remedy=remedy)


def not_consented(error: str) -> LinkOutcome:
    """The outcome that Google came back without a code, for the reason that it gives."""
    if error == "access_denied":
        return failed(
            "consent_denied",
            "The permission was not given.",
            "Link the account again and allow it.",
        )

    message = f"Google ended the sign-in: {error[:80] or 'no code came back'}."
    return failed("consent_failed", message, "Link the account again.")


def remember(admin: Admin, used: str, browser: str, ended: LinkOutcome | Question) -> None:
    """Keep an outcome for whoever loads the page again.

    It has ended so, whether that succeeds or not.
    """
    try:
        remember_outcome(admin.strongbox, used, browser, asdict(ended))
    except RedisError as error:
        log.warning("outcome_not_kept", extra={"error": type(error).__name__})


def ended_before(admin: Admin, used: str, browser: str) -> LinkOutcome | Question:
    """The outcome of what was used before, if this browser may know it. Raises RedisError."""
    value = recall_outcome(admin.strongbox, used, browser)
    if value is None:
        return STALE
    return Question(**value) if "offer" in value else LinkOutcome(**value)
