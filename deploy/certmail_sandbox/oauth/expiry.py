"""Why a refresh token stops working although nobody withdrew it (google.md §3.4).

| reason | error | after |
|---|---|---|
| the consent screen is in Testing, and more than profile scopes were asked for | `invalid_grant` | 7 days, which the answers name (`refresh_token_expires_in`) |
| the person granted access for a time | `invalid_grant` | that time, which the answers name |
| nobody used it | `invalid_grant` | six months |
| nobody used the OAuth client for any token | `deleted_client` | six months (support.google.com/cloud/answer/15549257) |
| 100 newer ones of the same account and client | `invalid_grant` | at once: see tokens.py |
| the domain's session control asks for a new sign-in | `invalid_grant`, subtype `invalid_rapt` | the domain's session length |
| an administrator's or a publisher's decision | see policies.py | at once |

Google says for `invalid_rapt` only of applications with a Cloud Platform scope that they meet it;
GAM's users meet it with others.
"""

from __future__ import annotations

from certmail_sandbox.accounts import policies, scopes
from certmail_sandbox.accounts.directory import Directory, OAuthClient
from certmail_sandbox.accounts.tokens import Code, RefreshToken, Tokens
from certmail_sandbox.wire.errors import TokenError

DAY_SECONDS = 86_400.0
TESTING_SECONDS = 7 * DAY_SECONDS
UNUSED_SECONDS = 180 * DAY_SECONDS  # "six months": the shortest six are 181 days


def expires_at(directory: Directory, code: Code, now: float) -> float | None:
    """When a refresh token that is made now ends of itself."""
    testing = directory.project(code.client.project).testing and not code.scopes <= scopes.IDENTITY
    ends = [now + TESTING_SECONDS] if testing else []
    if code.seconds is not None:
        ends.append(now + code.seconds)
    return min(ends, default=None)


def lifetime(refresh: RefreshToken, now: float) -> dict[str, object]:
    """What an answer says of the token's end: nothing, where it has none."""
    return (
        {}
        if refresh.expires_at is None
        else {"refresh_token_expires_in": max(0, int(refresh.expires_at - now))}
    )


def check(directory: Directory, tokens: Tokens, refresh: RefreshToken, now: float) -> None:
    """Check a refresh token that is to be used, and note that it was.

    Raises TokenError if it has ended, or is not to be used now.
    """
    ended = refresh.expires_at is not None and refresh.expires_at <= now
    if ended or refresh.used_at + UNUSED_SECONDS <= now:
        tokens.forget_refresh(refresh)
        raise TokenError("invalid_grant", "Token has been expired or revoked.")

    decision = policies.forbidden(directory, refresh.client, refresh.account, refresh.scopes)
    if decision is not None:
        raise TokenError(decision.error, decision.sentence)

    session = directory.domain(refresh.account.email).session_seconds
    if session is not None and refresh.made_at + session <= now:
        raise TokenError(
            "invalid_grant",
            "reauth related error (invalid_rapt)",
            error_uri="https://support.google.com/a/answer/9368756",
            error_subtype="invalid_rapt",
        )

    refresh.used_at = now


def check_client(client: OAuthClient, now: float) -> None:
    """Note the use of a client; one that nobody used for six months is deleted (google.md §3.4).

    Raises TokenError for a deleted one.
    """
    if client.used_at + UNUSED_SECONDS <= now:
        client.deleted = True
    if client.deleted:
        raise TokenError("deleted_client", "The OAuth client was deleted.")
    client.used_at = now
