"""APIs & Services: the Gmail API, which a project must have enabled."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from certmail_sandbox.consoles.frame import form_of, show, then
from certmail_sandbox.consoles.projects import of_project
from certmail_sandbox.state import state_of

PATH = "/apis/library/gmail.googleapis.com"
ALIKE = (
    "/apis/library",
    "/apis/dashboard",
    "/apis/api/gmail.googleapis.com",
    "/apis/api/gmail.googleapis.com/overview",
    "/apis/api/gmail.googleapis.com/metrics",
    "/apis/api/gmail.googleapis.com/quotas",
)


@of_project
async def api(request: web.Request, project: str) -> web.Response:
    """`GET /apis/library/gmail.googleapis.com`: whether the Gmail API is enabled in a project."""
    found = state_of(request).directory.project(project)
    return show(request, "api.html", project=project, found=found, section="apis")


@of_project
async def switch(request: web.Request, project: str) -> web.Response:
    """Enable or disable the Gmail API; that is known everywhere only after a while."""
    state = state_of(request)
    enable = (await form_of(request)).get("do") == "enable"
    found = state.directory.project(project)
    if found.gmail_api is not enable:
        since = state.now() + state.spread_seconds
        state.directory.projects[project] = replace(found, gmail_api=enable, gmail_api_from=since)
    raise then(PATH, project=project, done="enabled" if enable else "disabled")


def add_routes(app: web.Application) -> None:
    """Add the page of the Gmail API, at every address where Google has one."""
    for path in (PATH, *ALIKE):
        app.router.add_get(path, api)
    app.router.add_post(PATH, switch)
