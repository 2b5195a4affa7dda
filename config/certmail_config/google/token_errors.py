"""What a refusal of the token endpoint means: who can do something about it, and what.

It is judged by its status, or by the table of failures (token_error_table.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from certmail_config.google.token_error_table import MEANINGS, TABLE, Blame, GrantType, Row


@dataclass(frozen=True, slots=True)
class Denied:
    """No token: a code, Google's words, and what to do.

    `settling` means that Google may still be spreading a change; `wait` is how many seconds nobody
    should ask again, as far as that is known; `limited` that Google has had too many requests;
    `confirmed` that more than one answer stands behind it.
    """

    blame: Blame
    code: str
    message: str
    remedy: str
    settling: bool = False
    wait: float | None = None
    limited: bool = False
    confirmed: bool = False


_TRANSIENT_ERRORS: Final = frozenset(
    {"internal_failure", "server_error", "temporarily_unavailable"}
)
_LIMITED_ERRORS: Final = frozenset({"rate_limit_exceeded", "quota_exceeded", "slow_down"})
"""Whatever the status: Google gives the first of them as 403, too."""
_AGAIN: Final = "Nothing to do; it is tried again."
_IN_BETWEEN: Final = "Check CERTMAIL_GOOGLE_TOKEN_URL, and the proxy or firewall between certmail and Google (CERTMAIL_GOOGLE_PROXY)."


@dataclass(frozen=True, slots=True)
class TokenError:
    """What a refusal consists of; the description is Google's words without addresses.

    `page`: it is no JSON of anybody's.
    """

    status: int
    error: str
    description: str
    subtype: str
    page: bool = False


def denied(refusal: TokenError, grant: GrantType) -> Denied:
    """Say what a refusal means; total."""
    parts = [part for part in (refusal.error, refusal.description, refusal.subtype) if part]
    words = (
        f"Google says: {': '.join(parts)}"
        if refusal.error
        else f"HTTP {refusal.status} without a reason"
    )

    if refusal.status == 429 or refusal.error in _LIMITED_ERRORS:
        message = f"The token endpoint has had too many requests. {words}"
        return Denied(Blame.NOBODY, "token_unavailable", message, _AGAIN, limited=True)

    if refusal.page and refusal.status < 500 and refusal.status != 408:
        message = f"Something else than Google answers in its token endpoint's place: a proxy or firewall? {words}."
        return Denied(Blame.OPERATOR, "not_google", message, _IN_BETWEEN)

    if (
        refusal.status >= 500
        or refusal.status == 408
        or refusal.error in _TRANSIENT_ERRORS
        or not refusal.error
    ):
        message = f"The token endpoint did not answer properly. {words}"
        return Denied(Blame.NOBODY, "token_unavailable", message, _AGAIN)

    if row := find_row(refusal, grant):
        code, _, _ = row.meaning.partition("/")
        blame, sentence, remedy, settling = MEANINGS[row.meaning]
        return Denied(blame, code, f"{sentence} {words}", remedy, settling)

    message = f"The token endpoint refused for a reason that certmail does not know. {words}"
    return Denied(Blame.OPERATOR, "token_refused", message, "Report it.")


def find_row(refusal: TokenError, grant: GrantType) -> Row | None:
    """The table's row for what was presented; the first that fits decides."""
    text = f"{refusal.description} {refusal.subtype}".casefold()
    return next(
        (
            row
            for row in TABLE
            if row.error == refusal.error and grant in row.grants and row.words.casefold() in text
        ),
        None,
    )


__all__ = ["Blame", "Denied", "GrantType", "TokenError", "denied", "find_row"]
