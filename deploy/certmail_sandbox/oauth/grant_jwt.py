"""The grant of a service account's signed assertion (google.md §4.1, §4.4).

It gives an access token to a mailbox, or an id token about the account itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping

import jwt
from jwt.types import Options
from jwt.warnings import InsecureKeyLengthWarning

from certmail_sandbox.accounts import scopes
from certmail_sandbox.accounts.certificates import UploadedKey
from certmail_sandbox.accounts.directory import CONSUMER, Account, Directory, ServiceAccount
from certmail_sandbox.oauth import id_token
from certmail_sandbox.state import State
from certmail_sandbox.wire.errors import Json, TokenError
from certmail_sandbox.wire.mime import is_address

AUDIENCE = "https://oauth2.googleapis.com/token"
MAX_LIFE_SECONDS = 65 * 60
SKEW_SECONDS = 10 * 60  # reported tolerance of Google's clocks, both ways
_SCOPE_OR_AUDIENCE = "Invalid OAuth scope or ID token audience provided."
_BAD_SUBJECT = 'Invalid impersonation "sub" field.'
_NOT_DELEGATED = (
    "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of"
    " the scopes requested."
)
_SIGNATURE_ONLY: Options = {
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": False,
}

Claims = dict[str, object]


def exchange(state: State, form: Mapping[str, str]) -> Json:
    """The answer to an assertion: an access token and no refresh token (google.md §4.1).

    To `target_audience` it is an id token and nothing else. Raises TokenError (google.md §4.4).
    """
    assertion = form.get("assertion")
    if not assertion:
        raise TokenError("invalid_request", "Missing required parameter: assertion")

    now = state.now()
    account = _issuer(state.directory, assertion)
    claims = _verified(account.keys.values(), assertion, now)
    if claims.get("aud") != AUDIENCE:
        raise TokenError(
            "invalid_grant", f"Invalid JWT: Failed audience check. The right audience is {AUDIENCE}"
        )

    _check_times(claims, now)
    if "target_audience" in claims:
        return {"id_token": id_token.about(account, _target_audience(account, claims), now)}

    wanted = _scopes(claims)
    subject = _subject(state.directory, account, claims.get("sub"), wanted, now)
    return state.tokens.answer(state.tokens.new_access(account, subject, wanted, now))


def peek_subject(assertion: str) -> str | None:
    """Whose mailbox an assertion speaks of, before anything in it has been checked."""
    try:
        subject = jwt.decode(assertion, options={"verify_signature": False}).get("sub")
    except jwt.InvalidTokenError:
        return None
    return subject if isinstance(subject, str) else None


def _issuer(directory: Directory, assertion: str) -> ServiceAccount:
    try:
        issuer = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
    except jwt.InvalidTokenError:
        raise TokenError("invalid_grant", "Invalid JWT Signature.") from None
    account = directory.service_account(issuer) if isinstance(issuer, str) else None
    if account is None:
        raise TokenError("invalid_grant", "Invalid grant: account not found")
    if account.disabled:
        raise TokenError("disabled_client", "The OAuth client was disabled.")
    return account


def _verified(keys: Iterable[UploadedKey], assertion: str, now: float) -> Claims:
    """The claims, if any key that is valid today signed them.

    `kid` is a hint, wrong or missing as it may be (google.md §4.1). Raises TokenError.
    """
    hint = jwt.get_unverified_header(assertion).get("kid")
    for key in sorted(keys, key=lambda key: key.kid != hint):
        if not key.authenticates(now):
            continue

        try:
            with warnings.catch_warnings():
                # Google still knows RSA_1024; whether that is wise is not for the stand-in to say.
                warnings.simplefilter("ignore", InsecureKeyLengthWarning)
                claims: Claims = jwt.decode(
                    assertion, key.public_key, ["RS256"], options=_SIGNATURE_ONLY
                )
        except jwt.InvalidTokenError:
            continue

        if key.settling.arrived():
            return claims

    raise TokenError("invalid_grant", "Invalid JWT Signature.")


def _check_times(claims: Claims, now: float) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if (
        not isinstance(issued, int | float)
        or not isinstance(expires, int | float)
        or (
            not issued <= expires <= issued + MAX_LIFE_SECONDS
            or issued > now + SKEW_SECONDS
            or expires <= now
            or expires > now + MAX_LIFE_SECONDS + SKEW_SECONDS
        )
    ):
        raise TokenError(
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
            " Check your iat and exp values in the JWT claim.",
        )


def _scopes(claims: Claims) -> frozenset[str]:
    text = claims.get("scope")
    wanted = scopes.parse(text) if isinstance(text, str) else ()
    if not wanted or scopes.unknown(wanted):
        raise TokenError("invalid_scope", _SCOPE_OR_AUDIENCE)
    return frozenset(wanted)


def _target_audience(account: ServiceAccount, claims: Claims) -> str:
    """The audience of an id token.

    Google takes no scope beside it, and delegation does not reach it: it is about nobody but the
    account. Raises TokenError.
    """
    audience = claims["target_audience"]
    if not isinstance(audience, str) or not audience or "scope" in claims:
        raise TokenError("invalid_scope", _SCOPE_OR_AUDIENCE)
    if claims.get("sub") not in (None, account.email):
        raise TokenError("invalid_request", _BAD_SUBJECT)

    return audience


def _subject(
    directory: Directory,
    account: ServiceAccount,
    subject: object,
    wanted: frozenset[str],
    now: float,
) -> Account | None:
    """The mailbox to impersonate; None for an assertion about the service account itself.

    Raises TokenError (google.md §4.4).
    """
    if subject is None or subject == account.email:
        return None
    if not isinstance(subject, str) or not is_address(subject):
        raise TokenError("invalid_request", _BAD_SUBJECT)

    domain = subject.rpartition("@")[2].lower()
    if not directory.knows_domain(domain) and directory.account(subject) is None:
        raise TokenError("invalid_request", _BAD_SUBJECT)

    _check_delegation(account, domain, wanted, now)
    person = directory.account(subject)
    if person is None:
        raise TokenError("invalid_grant", "Invalid email or User ID")
    if person.deleted:
        raise TokenError("invalid_grant", "The account has been deleted")

    return person


def _check_delegation(
    account: ServiceAccount, domain: str, wanted: frozenset[str], now: float
) -> None:
    """Refuse the scopes that the row does not grant.

    Those that it does grant are refused on a machine that has not heard of it (google.md §4.2).
    Raises TokenError.
    """
    granted = account.may(now)
    if domain in CONSUMER or (account.domains is not None and domain not in account.domains):
        raise TokenError("unauthorized_client", "Unauthorized client or scope in request.")
    if not wanted & granted:
        raise TokenError("unauthorized_client", _NOT_DELEGATED)
    if not wanted <= granted:
        raise TokenError("access_denied", "Requested client not authorized.")
    if not account.spreading.arrived():
        raise TokenError("unauthorized_client", _NOT_DELEGATED)
