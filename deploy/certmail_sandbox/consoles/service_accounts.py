"""IAM & Admin, service accounts: those of a project, a new one, and the details of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import quote

from aiohttp import web

from certmail_sandbox.accounts.directory import ServiceAccount, new_service_account
from certmail_sandbox.consoles.frame import form_of, show, then
from certmail_sandbox.consoles.projects import ID, ID_RULE, of_project
from certmail_sandbox.state import state_of

PATH = "/iam-admin/serviceaccounts"
ONE = PATH + "/details/{account}"

OfAccount = Callable[[web.Request, ServiceAccount], Awaitable[web.Response]]


def of_account(view: OfAccount) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Wrap a page about the service account that its address names, by unique ID or by email."""

    @wraps(view)
    async def answer(request: web.Request) -> web.Response:
        """Find the service account, and show its page; 404 if there is none."""
        # Google's own addresses have `;edit=true` behind it.
        hint, _, _ = request.match_info["account"].partition(";")
        found = state_of(request).directory.find_service_account(hint)
        if found is None:
            _, _, host = hint.partition("@")
            project = request.query.get("project") or host.partition(".")[0]
            return show(request, "no_account.html", status=404, wanted=hint, of_project=project)
        return await view(request, found)

    return answer


def address_of(account: ServiceAccount, page: str = "") -> str:
    """The address of a page about a service account."""
    return f"{PATH}/details/{account.client_id}{page}?project={quote(account.project)}"


@of_project
async def list_accounts(request: web.Request, project: str) -> web.Response:
    """`GET /iam-admin/serviceaccounts`: the service accounts of a project."""
    accounts = state_of(request).directory.service_accounts_of(project)
    return show(
        request,
        "service_accounts.html",
        accounts=accounts,
        project=project,
        section="accounts",
        at=address_of,
    )


@of_project
async def new_page(request: web.Request, project: str) -> web.Response:
    """`GET …/create`: the form for a new one, with the usual ID filled in."""
    return _new(request, project, "certmail")


@of_project
async def new(request: web.Request, project: str) -> web.Response:
    """`POST …/create`: make a service account, without key or role (google.md §4.2)."""
    directory = state_of(request).directory
    form = await form_of(request)
    id_ = form.get("id", "")
    email = f"{id_}@{project}.iam.gserviceaccount.com"

    if not ID.fullmatch(id_):
        return _new(request, project, id_, f"A service account ID has {ID_RULE}")
    if directory.service_account(email) is not None:
        return _new(request, project, id_, f"{email} exists already.")

    directory.service_accounts[email] = new_service_account(
        email, project, form.get("name", "")[:100]
    )
    raise then(PATH, project=project, done="account")


def _new(request: web.Request, project: str, id_: str, error: str | None = None) -> web.Response:
    values = {"project": project, "given": id_[:60], "rule": ID_RULE, "section": "accounts"}
    return show(request, "new_account.html", status=400 if error else 200, error=error, **values)


@of_account
async def details(request: web.Request, account: ServiceAccount) -> web.Response:
    """`GET …/details/{account}`: one, with the ID that delegation asks for (google.md §4.2)."""
    return show(
        request,
        "service_account.html",
        account=account,
        project=account.project,
        section="accounts",
        at=address_of,
    )


@of_account
async def change(request: web.Request, account: ServiceAccount) -> web.Response:
    """Disable it, enable it again, or delete it."""
    match (await form_of(request)).get("do"):
        case "disable":
            account.disabled = True
        case "enable":
            account.disabled = False
        case "delete":
            del state_of(request).directory.service_accounts[account.email.lower()]
            raise then(PATH, project=account.project, done="deleted")
    raise then(address_of(account).partition("?")[0], project=account.project, done="status")


def add_routes(app: web.Application) -> None:
    """Add the pages of service accounts."""
    app.router.add_get(PATH, list_accounts)
    app.router.add_get(PATH + "/create", new_page)
    app.router.add_post(PATH + "/create", new)
    app.router.add_get(ONE, details)
    app.router.add_post(ONE, change)
