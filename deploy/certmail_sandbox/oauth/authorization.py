"""What an authorization request must be like, before any person is asked (google.md §3.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from multidict import MultiMapping

from certmail_sandbox.accounts import scopes
from certmail_sandbox.accounts.directory import Directory, OAuthClient

METHODS = frozenset({"plain", "S256"})
PROMPTS = frozenset({"none", "consent", "select_account"})
_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class Blocked(Exception):
    """The request stops on Google's own page; the application never hears of it."""

    def __init__(self, status: int, error: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.error = error
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that is in order."""

    client: OAuthClient
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    offline: bool
    prompts: frozenset[str]
    challenge: str | None
    challenge_method: str
    nonce: str | None
    login_hint: str | None
    hosted_domain: str | None
    merge: bool

    @property
    def optional_scopes(self) -> tuple[str, ...]:
        """Those with a box to tick; who somebody is comes with signing in."""
        return tuple(scope for scope in self.scopes if scope not in scopes.IDENTITY)


def check(directory: Directory, query: MultiMapping[str]) -> AuthorizationRequest:
    """Read the query of an authorization request.

    Raises Blocked with the error that Google shows.
    """
    for name in query:
        if len(query.getall(name)) > 1:
            raise _invalid(f"OAuth 2 parameters can only have a single value: {name}")

    client = _client(directory, query)

    for name in ("response_type", "scope"):
        if not query.get(name):
            raise _invalid(f"Required parameter is missing: {name}")

    if query["response_type"] != "code":
        raise Blocked(
            400, "unsupported_response_type", f"Invalid response_type: {query['response_type']}"
        )

    wanted = scopes.parse(query["scope"])
    if unknown := scopes.unknown(wanted):
        raise Blocked(
            400, "invalid_scope", f"Some requested scopes were invalid: {', '.join(unknown)}"
        )

    prompts = frozenset(query.get("prompt", "").split())
    if prompts - PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise _invalid(f"Invalid parameter value for prompt: {query['prompt']}")
    if query.get("access_type", "online") not in {"online", "offline"}:
        raise _invalid(f"Invalid parameter value for access_type: {query['access_type']}")

    challenge, method = _challenge(query)
    return AuthorizationRequest(
        client=client,
        redirect_uri=query["redirect_uri"],
        scopes=wanted,
        state=query.get("state"),
        offline=query.get("access_type") == "offline",
        prompts=prompts,
        challenge=challenge,
        challenge_method=method,
        nonce=query.get("nonce"),
        login_hint=query.get("login_hint"),
        hosted_domain=query.get("hd"),
        merge=query.get("include_granted_scopes") == "true",
    )


def _client(directory: Directory, query: Mapping[str, str]) -> OAuthClient:
    if not query.get("client_id"):
        raise _invalid("Missing required parameter: client_id")

    client = directory.clients.get(query["client_id"])
    if client is None:
        raise Blocked(401, "invalid_client", "The OAuth client was not found.")
    if client.deleted:
        raise Blocked(401, "deleted_client", "The OAuth client was deleted.")
    if not query.get("redirect_uri"):
        raise _invalid("Missing required parameter: redirect_uri")

    if query["redirect_uri"] not in client.redirect_uris:
        raise Blocked(
            400,
            "redirect_uri_mismatch",
            "The redirect URI in the request does not match any that is registered for the OAuth client. It must be"
            f" the same to the letter: {query['redirect_uri']}",
        )

    return client


def _challenge(query: Mapping[str, str]) -> tuple[str | None, str]:
    challenge, method = query.get("code_challenge"), query.get("code_challenge_method", "plain")
    if method not in METHODS:
        raise _invalid(f"Invalid parameter value for code_challenge_method: {method}")
    if challenge is not None and not _CHALLENGE.fullmatch(challenge):
        raise _invalid(
            "Invalid code_challenge: 43 to 128 characters of the unreserved set are needed."
        )
    if challenge is None and "code_challenge_method" in query:
        raise _invalid("Missing required parameter: code_challenge")
    return challenge, method


def _invalid(sentence: str) -> Blocked:
    return Blocked(400, "invalid_request", sentence)
