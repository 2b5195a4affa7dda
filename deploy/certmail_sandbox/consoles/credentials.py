"""APIs & Services, credentials: the OAuth clients of a project, to look at."""

from __future__ import annotations

from aiohttp import web

from certmail_sandbox.consoles.frame import show
from certmail_sandbox.consoles.projects import of_project
from certmail_sandbox.state import state_of


@of_project
async def credentials(request: web.Request, project: str) -> web.Response:
    """`GET /apis/credentials`: the OAuth clients of a project that were not deleted."""
    clients = [
        client
        for client in state_of(request).directory.clients.values()
        if client.project == project and not client.deleted
    ]
    return show(
        request, "credentials.html", project=project, clients=clients, section="credentials"
    )


def add_routes(app: web.Application) -> None:
    """Add the page of OAuth clients."""
    app.router.add_get("/apis/credentials", credentials)
    app.router.add_get("/apis/credentials/oauthclient/{client}", credentials)
