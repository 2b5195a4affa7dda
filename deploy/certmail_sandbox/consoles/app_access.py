"""The Admin console's app access control (google.md §9).

It shows whether a domain restricts Gmail, and which OAuth clients it trusts.
"""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from certmail_sandbox.accounts.directory import Domain
from certmail_sandbox.consoles.frame import form_of, show, then
from certmail_sandbox.state import state_of
from certmail_sandbox.wire.fields import Refused

PATH = "/ac/owl/list"


async def apps(request: web.Request) -> web.Response:
    """`GET /ac/owl/list?tab=configuredApps`."""
    directory = state_of(request).directory
    domains = {name: directory.domains.get(name, Domain()) for name in directory.domain_names()}
    clients = [client for client in directory.clients.values() if not client.deleted]
    return show(request, "app_access.html", domains=domains, clients=clients, section="apps")


async def change(request: web.Request) -> web.Response:
    """Restrict Gmail in a domain or open it, trust a client or no longer; at once."""
    directory = state_of(request).directory
    form = await form_of(request)
    name, client = form.get("domain", ""), form.get("client", "")
    if name not in directory.domain_names():
        raise Refused("There is no such Workspace domain here.", 404)

    domain = directory.domains.get(name, Domain())

    match form.get("do"):
        case "restrict":
            domain = replace(domain, gmail_restricted=True)
        case "open":
            domain = replace(domain, gmail_restricted=False)
        case "trust" if client in directory.clients:
            domain = replace(domain, trusted_clients=domain.trusted_clients | {client})
        case "limit":
            domain = replace(domain, trusted_clients=domain.trusted_clients - {client})

    directory.domains[name] = domain
    raise then(PATH, tab="configuredApps", done="access")


def add_routes(app: web.Application) -> None:
    """Add app access control."""
    app.router.add_get(PATH, apps)
    app.router.add_post(PATH, change)
