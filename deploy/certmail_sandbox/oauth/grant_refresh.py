"""The grant of a refresh token: a new access token for it (google.md §3.3, §3.4).

Google does not rotate refresh tokens.
"""

from __future__ import annotations

from collections.abc import Mapping

from certmail_sandbox.accounts import scopes
from certmail_sandbox.accounts.directory import OAuthClient
from certmail_sandbox.oauth import expiry, id_token
from certmail_sandbox.state import State
from certmail_sandbox.wire.errors import Json, TokenError


def exchange(state: State, client: OAuthClient, form: Mapping[str, str]) -> Json:
    """The answer to a refresh token: an access token, for fewer scopes if fewer are asked for.

    An id_token comes with identity scopes. Raises TokenError (google.md §3.4).
    """
    if "refresh_token" not in form:
        raise TokenError("invalid_request", "Missing required parameter: refresh_token")

    refresh = state.tokens.refresh.get(form["refresh_token"])
    if refresh is None:
        raise TokenError("invalid_grant", "Token has been expired or revoked.")
    if refresh.client is not client:
        raise TokenError("unauthorized_client", "Unauthorized")
    if refresh.account.deleted:
        raise TokenError("invalid_grant", "Account has been deleted")

    wanted = frozenset(scopes.parse(form.get("scope", ""))) or refresh.scopes
    if not wanted <= refresh.scopes:
        raise TokenError("invalid_scope", "Some requested scopes were not granted.")

    now = state.now()
    expiry.check(state.directory, state.tokens, refresh, now)
    access = state.tokens.new_access(client, refresh.account, wanted, now, refresh)
    answer = state.tokens.answer(access) | expiry.lifetime(refresh, now)
    if wanted & scopes.IDENTITY:
        answer["id_token"] = id_token.issue(access, now)
    return answer
