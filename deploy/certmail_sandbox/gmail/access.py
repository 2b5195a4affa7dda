"""The checks before any Gmail method runs.

They ask whose token, which mailbox, which scope, which API and which quota.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from certmail_sandbox.accounts import scopes
from certmail_sandbox.accounts.directory import Account, project_number
from certmail_sandbox.accounts.tokens import AccessToken
from certmail_sandbox.request_log import Entry
from certmail_sandbox.state import State, state_of
from certmail_sandbox.wire import gmail_errors, parameters
from certmail_sandbox.wire.errors import Json
from certmail_sandbox.wire.reply import SHAPE, reply

ENTRY = web.RequestKey("entry", Entry)


@dataclass(frozen=True, slots=True)
class Method:
    """A Gmail method: its name in errors, its price in quota units, and the scopes that open it.

    One of the scopes is enough. It also says which resource it answers and which parameters it
    takes.
    """

    rpc: str
    units: int
    scopes: frozenset[str]
    answers: str
    own: parameters.MethodParameters = field(default_factory=parameters.MethodParameters)
    sends: bool = False


SEND = Method("SendMessage", 100, scopes.MAY_SEND, "Message", sends=True)
# A resumable upload has paid when it was opened.
CONTINUE = Method("SendMessage", 0, scopes.MAY_SEND, "Message")
LIST = Method(
    "ListMessages",
    5,
    scopes.MAY_READ,
    "ListMessagesResponse",
    parameters.MethodParameters(
        frozenset({"includeSpamTrash", "maxResults", "pageToken", "q"}), frozenset({"labelIds"})
    ),
)
GET = Method(
    "GetMessage",
    20,
    scopes.MAY_READ,
    "Message",
    parameters.MethodParameters(frozenset({"format"}), frozenset({"metadataHeaders"})),
)
PROFILE = Method("GetProfile", 1, scopes.MAY_PROFILE, "Profile")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has passed the checks, and what its method needs."""

    request: web.Request
    state: State
    token: AccessToken
    account: Account

    def answer(self, value: Json) -> web.Response:
        """200 in the shape asked for; what the mailbox gets of it counts as downloaded."""
        answer = reply(self.request, value)
        size = len(answer.text or "")
        self.state.quotas.count_download(self.account.email.lower(), size, self.state.now())
        return answer


def header_token(request: web.Request) -> str | None:
    """The access token in the header of a request."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() or None if kind.lower() == "bearer" else None


def bearer(request: web.Request) -> str | None:
    """The access token of a request, from its header or, as Google still allows, from its query."""
    return (
        header_token(request)
        or request.query.get("access_token")
        or request.query.get("oauth_token")
    )


def token_of(request: web.Request) -> AccessToken:
    """The live token of a request.

    Raises ApiError, a 401, if there is none.
    """
    value = bearer(request)
    if value is None:
        raise gmail_errors.login_required()

    state = state_of(request)
    token = state.tokens.live(value, state.now())
    if token is None:
        raise gmail_errors.invalid_credentials()

    return token


def enter(request: web.Request, method: Method) -> Call:
    """Check a request to a method, and charge its units.

    Raises ApiError: 401, 400 for its parameters, 403, 400 `failedPrecondition` or a quota's
    refusal, in that order.
    """
    state = state_of(request)
    token = token_of(request)
    request[SHAPE] = parameters.check(request, method.own, method.answers)

    user = request.match_info["user"]
    account = token.account
    names = {"me"} if account is None else {"me", account.email.lower(), account.sub}
    if user.lower() not in names:
        raise gmail_errors.delegation_denied(user)
    if not token.scopes & method.scopes:
        raise gmail_errors.insufficient_scope(method.rpc)
    if not state.directory.project(token.project).answers_gmail(state.now()):
        raise gmail_errors.service_disabled(project_number(token.project))
    if account is None:
        # A service account that impersonates nobody has no mailbox.
        raise gmail_errors.precondition_failed()
    if not state.directory.domain(account.email).gmail_apps:
        raise gmail_errors.domain_policy()
    if not account.gmail_enabled:
        raise gmail_errors.mail_not_enabled()

    mailbox = account.email.lower()
    state.quotas.charge(
        mailbox,
        token.project,
        method.units,
        state.now(),
        sends=method.sends,
        size=request[ENTRY].size,
    )
    request[ENTRY].units = method.units

    return Call(request, state, token, account)
