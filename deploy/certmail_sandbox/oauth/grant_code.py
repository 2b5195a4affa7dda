"""The grant of an authorization code: a code for tokens (google.md §3.3).

Whatever goes wrong, the code is used up.

A code that comes a second time may be stolen, and ends what the first time gave (RFC 6749 §4.1.2;
Google does not say).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from certmail_sandbox.accounts import scopes
from certmail_sandbox.accounts.directory import OAuthClient
from certmail_sandbox.accounts.tokens import Code
from certmail_sandbox.oauth import expiry, id_token
from certmail_sandbox.state import State
from certmail_sandbox.wire.errors import Json, TokenError


def exchange(state: State, client: OAuthClient, form: Mapping[str, str]) -> Json:
    """The answer to a code: access token, and the others where they are due.

    A refresh token is due where the code says so, an id_token where an identity scope was granted
    (google.md §3.3). Raises TokenError.
    """
    if "code" not in form:
        raise TokenError("invalid_request", "Missing required parameter: code")

    now = state.now()
    code = state.tokens.codes.pop(form["code"], None)
    if code is None:
        if state.tokens.used_again(form["code"]):
            raise TokenError("invalid_grant", "Bad Request")
        raise TokenError("invalid_grant", "Malformed auth code.")
    if code.client is not client or code.expires_at <= now or code.account.deleted:
        raise TokenError("invalid_grant", "Bad Request")
    if form.get("redirect_uri") != code.redirect_uri:
        raise TokenError("redirect_uri_mismatch", "Bad Request")

    _check_verifier(code, form.get("code_verifier"))

    ends = expiry.expires_at(state.directory, code, now)
    refresh = state.tokens.new_refresh(code, now, ends) if code.refreshable else None
    access = state.tokens.new_access(client, code.account, code.scopes, now, refresh)
    state.tokens.spent[code.value] = access

    answer = state.tokens.answer(access)
    if refresh:
        answer |= {"refresh_token": refresh.value} | expiry.lifetime(refresh, now)
    if code.scopes & scopes.IDENTITY:
        answer["id_token"] = id_token.issue(access, now, code.nonce)
    return answer


def _check_verifier(code: Code, verifier: str | None) -> None:
    """Check that the verifier hashes to the challenge of the authorization request (PKCE).

    Raises TokenError.
    """
    if code.challenge is None:
        if verifier is not None:
            raise TokenError("invalid_grant", "code_verifier or verifier is not needed.")
        return
    if not verifier:
        raise TokenError("invalid_grant", "Missing code verifier.")

    shown = verifier
    if code.challenge_method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not hmac.compare_digest(shown.encode(), code.challenge.encode()):
        raise TokenError("invalid_grant", "Invalid code verifier.")
