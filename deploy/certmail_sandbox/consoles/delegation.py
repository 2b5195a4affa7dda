"""The Admin console's domain-wide delegation: its table, and the form that a link fills in.

Whoever comes here administers every Workspace domain at once; at Google, each has a console and a
table of its own.
"""

from __future__ import annotations

from aiohttp import web

from certmail_sandbox.accounts import scopes
from certmail_sandbox.accounts.directory import ServiceAccount
from certmail_sandbox.consoles.frame import form_of, show, then
from certmail_sandbox.state import state_of

PATH = "/ac/owl/domainwidedelegation"


async def api_controls(request: web.Request) -> web.Response:
    """`GET /ac/owl`, and the console's first page."""
    return show(request, "api_controls.html", section="controls", domains=_domains(request))


async def table(request: web.Request) -> web.Response:
    """`GET …/domainwidedelegation`: the table; with a client ID in the address, the form is open.

    The address may bring `clientIdToAdd`, `clientScopeToAdd` and `overwriteClientId` (google.md
    §9).
    """
    query = request.query
    filled_in = {
        "client_id": query.get("clientIdToAdd", ""),
        "scopes": query.get("clientScopeToAdd", ""),
        "overwrite": query.get("overwriteClientId", "").lower() == "true",
    }
    return _table(request, filled_in, adding="clientIdToAdd" in query or "add" in query)


async def authorise(request: web.Request) -> web.Response:
    """Write a client's row into the table.

    One that is there is replaced only where that was said, and whole, as at Google (google.md §9).
    """
    state = state_of(request)
    form = await form_of(request)
    client_id, text = form.get("client_id", ""), form.get("scopes", "")
    overwrite = form.get("overwrite") == "1"
    wanted = tuple(part.strip() for part in text.split(",") if part.strip())
    account = state.directory.find_service_account(client_id)
    if (error := _wrong(client_id, wanted, account, overwrite=overwrite)) is not None:
        filled_in = {"client_id": client_id, "scopes": text, "overwrite": overwrite}
        return _table(request, filled_in, adding=True, error=error)

    assert account is not None, "else that was wrong"
    account.delegate(frozenset(wanted), since=state.now() + state.spread_seconds)
    account.domains = None
    raise then(PATH, done="authorised")


def _wrong(
    client_id: str, wanted: tuple[str, ...], account: ServiceAccount | None, *, overwrite: bool
) -> str | None:
    if "@" in client_id:
        return "Enter the client ID, a number of 21 digits, and not the email address."
    if account is None:
        return "There is no client with this ID. Copy it from the service account's page: it is the unique ID."
    if not wanted:
        return "Enter at least one OAuth scope."
    if unknown := scopes.unknown(wanted):
        return f"{unknown[0]!r} is no OAuth scope. Several are separated by commas."
    if account.delegated and not overwrite:
        return "This client ID is in the table already. Tick “Overwrite existing client ID” to replace its scopes."

    return None


async def remove(request: web.Request) -> web.Response:
    """Take a row away; that, too, is known everywhere only after a while."""
    state = state_of(request)
    account = state.directory.find_service_account((await form_of(request)).get("client_id", ""))
    if account is not None and account.delegated:
        account.delegate(None, since=state.now() + state.spread_seconds)
    raise then(PATH, done="deleted")


def _table(
    request: web.Request, filled_in: dict[str, object], *, adding: bool, error: str | None = None
) -> web.Response:
    accounts = state_of(request).directory.service_accounts.values()
    return show(
        request,
        "delegation.html",
        status=400 if error else 200,
        error=error,
        adding=adding,
        given=filled_in,
        rows=[account for account in accounts if account.delegated],
        section="delegation",
        domains=_domains(request),
    )


def _domains(request: web.Request) -> list[str]:
    return state_of(request).directory.domain_names()


def add_routes(app: web.Application) -> None:
    """Add domain-wide delegation, and the pages that lead there."""
    for path in ("/ac/home", "/ac/owl"):
        app.router.add_get(path, api_controls)
    app.router.add_get(PATH, table)
    app.router.add_post(PATH, authorise)
    app.router.add_post(PATH + "/delete", remove)
