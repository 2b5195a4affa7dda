"""Projects of the Cloud console: all of them, a new one, and which one a page is about."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import wraps

from aiohttp import web

from certmail_sandbox.accounts.directory import Directory, Project, project_number
from certmail_sandbox.consoles.frame import form_of, show, then
from certmail_sandbox.state import state_of

ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
ID_RULE = "6 to 30 lower-case letters, digits and hyphens; it starts with a letter and does not end in a hyphen."

OfProject = Callable[[web.Request, str], Awaitable[web.Response]]


def of_project(view: OfProject) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Wrap a page about the project that its address names, by ID or number.

    Where the address names none, the page is about the only project, or offers a choice.
    """

    @wraps(view)
    async def answer(request: web.Request) -> web.Response:
        """Find the project, and show its page; 404 if there is none of that name."""
        directory = state_of(request).directory
        names, wanted = directory.project_names(), request.query.get("project", "")
        if not wanted and len(names) != 1:
            return _list(request, choosing=True)
        project = _found(directory, wanted) if wanted else names[0]
        if project is None:
            return show(request, "no_project.html", status=404, wanted=wanted)
        return await view(request, project)

    return answer


def _found(directory: Directory, wanted: str) -> str | None:
    names = directory.project_names()
    return next((name for name in names if wanted in {name, project_number(name)}), None)


async def list_projects(request: web.Request) -> web.Response:
    """`GET /cloud-resource-manager`: all projects."""
    return _list(request, choosing=False)


def _list(request: web.Request, *, choosing: bool) -> web.Response:
    directory = state_of(request).directory
    rows = [
        {
            "name": name,
            "number": project_number(name),
            "gmail": directory.project(name).gmail_api,
            "accounts": len(directory.service_accounts_of(name)),
        }
        for name in directory.project_names()
    ]

    return show(
        request, "projects.html", rows=rows, choosing=choosing, section="projects", project=None
    )


async def new_page(request: web.Request) -> web.Response:
    """`GET /projectcreate?project=`: the form for a new project.

    Its ID is filled in, where a link brought it along.
    """
    return _new(request, request.query.get("project", ""))


async def new(request: web.Request) -> web.Response:
    """`POST /projectcreate`: make a project, without any API enabled (google.md §4.2)."""
    directory = state_of(request).directory
    project = (await form_of(request)).get("project", "")
    if not ID.fullmatch(project):
        return _new(request, project, f"A project ID has {ID_RULE}")
    if project in directory.project_names():
        return _new(request, project, f"The project {project} exists already.")
    directory.projects[project] = Project(gmail_api=False)
    raise then("/apis/library/gmail.googleapis.com", project=project, done="project")


def _new(request: web.Request, project: str, error: str | None = None) -> web.Response:
    status = 400 if error else 200
    values = {"given": project[:60], "rule": ID_RULE, "section": "projects", "project": None}
    return show(request, "new_project.html", status=status, error=error, **values)


def add_routes(app: web.Application) -> None:
    """Add the pages of projects."""
    for path in ("/cloud-resource-manager", "/welcome", "/home/dashboard"):
        app.router.add_get(path, list_projects)
    app.router.add_get("/projectcreate", new_page)
    app.router.add_post("/projectcreate", new)
