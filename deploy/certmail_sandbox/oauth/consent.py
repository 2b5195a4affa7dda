"""`/o/oauth2/v2/auth`: the screen where a person chooses an account and says yes or no.

The form posts to its own address with `account` (address or `sub`), one `scope` for each box
ticked, `seconds` (for how long; empty for until it is withdrawn) and `decision` (`allow` or
`deny`), so that a program can consent without loading the screen first.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web
from yarl import URL

from certmail_sandbox.accounts import policies, scopes
from certmail_sandbox.accounts.directory import CONSUMER, Account, domain_of
from certmail_sandbox.oauth.authorization import AuthorizationRequest, Blocked, check
from certmail_sandbox.oauth.id_token import ISSUER
from certmail_sandbox.pages.templating import page
from certmail_sandbox.state import State, state_of


async def screen(request: web.Request) -> web.Response:
    """Show the consent screen; with `prompt=none` answer at once, without one."""
    state = state_of(request)

    try:
        asked = check(state.directory, request.query)
    except Blocked as blocked:
        return _blocked(blocked)

    hinted = state.directory.find_account(asked.login_hint) if asked.login_hint else None
    if "none" in asked.prompts:
        return _silently(state, asked, hinted)

    accounts = [
        account
        for account in state.directory.accounts.values()
        if not account.deleted and _is_offered(account, asked.hosted_domain)
    ]
    return page(
        "consent.html",
        asked=asked,
        accounts=[hinted] if hinted else accounts,
        chosen=hinted or next(iter(accounts), None),
        words=scopes.WORDS,
        signed_in=[scope for scope in asked.scopes if scope in scopes.IDENTITY],
        target=request.rel_url,
    )


def _is_offered(account: Account, domain: str | None) -> bool:
    """Whether the page offers an account where a domain was named (`hd`).

    Who posts the form by hand may still take another: an application that relies on the page, and
    not on the id_token's `hd`, is fooled here as at Google.
    """
    hosted = account.workspace and domain_of(account.email) not in CONSUMER
    return domain is None or (hosted and domain in {"*", domain_of(account.email)})


async def decision(request: web.Request) -> web.Response:
    """Take the decision, and send the browser back to the application."""
    state = state_of(request)

    try:
        asked = check(state.directory, request.query)
    except Blocked as blocked:
        return _blocked(blocked)

    form = await request.post()
    if form.get("decision") != "allow":
        return _redirect(asked, error="access_denied")

    account = state.directory.find_account(str(form.get("account", "")))
    if account is None:
        return _blocked(Blocked(400, "invalid_request", "Choose an account that exists."))

    ticked = [str(scope) for scope in form.getall("scope", [])]
    granted = _granted(asked, ticked)
    if not granted:
        return _redirect(asked, error="access_denied")
    decided = policies.no_consent(state.directory, asked.client, account, granted)
    if decided is not None:
        return _blocked(Blocked(decided.status, decided.error, decided.sentence))

    seconds = str(form.get("seconds", ""))
    if seconds and not (seconds.isascii() and seconds.isdecimal()):
        return _blocked(Blocked(400, "invalid_request", "seconds must be a whole number."))

    return _allowed(state, asked, account, granted, float(seconds) if seconds else None)


def _granted(asked: AuthorizationRequest, ticked: Sequence[str]) -> frozenset[str]:
    identity = frozenset(asked.scopes) & scopes.IDENTITY
    return scopes.with_openid(identity | (frozenset(ticked) & frozenset(asked.optional_scopes)))


def _silently(state: State, asked: AuthorizationRequest, account: Account | None) -> web.Response:
    if account is None:
        return _redirect(asked, error="login_required")

    consented = state.tokens.consents.get((asked.client.client_id, account.sub), frozenset())
    granted = scopes.with_openid(frozenset(asked.scopes))
    if not granted <= consented:
        return _redirect(asked, error="interaction_required")

    decided = policies.no_consent(state.directory, asked.client, account, granted)
    if decided is not None:
        return _blocked(Blocked(decided.status, decided.error, decided.sentence))

    return _allowed(state, asked, account, granted, None)


def _allowed(
    state: State,
    asked: AuthorizationRequest,
    account: Account,
    granted: frozenset[str],
    seconds: float | None,
) -> web.Response:
    if asked.merge:
        granted |= state.tokens.consents.get((asked.client.client_id, account.sub), frozenset())

    code = state.tokens.new_code(
        asked.client,
        account,
        scopes=granted,
        redirect_uri=asked.redirect_uri,
        challenge=asked.challenge,
        challenge_method=asked.challenge_method,
        nonce=asked.nonce,
        offline=asked.offline,
        consent_asked="consent" in asked.prompts,
        seconds=seconds,
        now=state.now(),
    )
    prompt = "none" if "none" in asked.prompts else "consent"
    return _redirect(
        asked, code=code.value, scope=scopes.joined(granted), authuser="0", prompt=prompt
    )


def _redirect(asked: AuthorizationRequest, **answer: str) -> web.Response:
    """Back to the application, with `state` as it came and `iss` as RFC 9207 has it."""
    if asked.state is not None:
        answer["state"] = asked.state
    location = URL(asked.redirect_uri).update_query(answer | {"iss": ISSUER})
    return web.Response(
        status=302, headers={"Location": str(location), "Cache-Control": "no-store"}
    )


def _blocked(blocked: Blocked) -> web.Response:
    return page("blocked.html", status=blocked.status, blocked=blocked)
