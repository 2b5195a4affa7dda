"""Control API: what publishers and administrators decide, by project and by Workspace domain.

What an order does not name is as it was made.
"""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from certmail_sandbox.accounts.directory import Domain, Project, project_number
from certmail_sandbox.control.body import json_body
from certmail_sandbox.state import state_of
from certmail_sandbox.wire.fields import Fields


async def put_project(request: web.Request) -> web.Response:
    """`PUT /projects/{project}`: what a project's publisher and its organisation decide.

    Fields are `gmail_api`, `organisation`, `testing`, `test_users`, `key_upload` and
    `key_expiry_hours`, all optional.
    """
    name = request.match_info["project"]
    fields = Fields(await json_body(request))
    organisation = fields.optional_text("organisation")
    project = Project(
        gmail_api=fields.flag("gmail_api", default=True),
        organisation=organisation.lower() if organisation else None,
        testing=fields.flag("testing"),
        test_users=frozenset(user.lower() for user in fields.texts("test_users") or ()),
        key_upload=fields.flag("key_upload", default=True),
        key_expiry_hours=fields.whole("key_expiry_hours", minimum=1),
    )
    fields.end()

    state_of(request).directory.projects[name] = project
    shown = asdict(project) | {"test_users": sorted(project.test_users)}
    return web.json_response({"project": name, "number": project_number(name), **shown})


async def put_domain(request: web.Request) -> web.Response:
    """`PUT /domains/{domain}`: what the administrators of a Workspace domain decide.

    Fields are `gmail_apps`, `gmail_restricted`, `trusted_clients` and `session_seconds`, all
    optional.
    """
    name = request.match_info["domain"].lower()
    fields = Fields(await json_body(request))
    domain = Domain(
        gmail_apps=fields.flag("gmail_apps", default=True),
        gmail_restricted=fields.flag("gmail_restricted"),
        trusted_clients=frozenset(fields.texts("trusted_clients") or ()),
        session_seconds=fields.seconds("session_seconds"),
    )
    fields.end()

    state_of(request).directory.domains[name] = domain
    shown = asdict(domain) | {"trusted_clients": sorted(domain.trusted_clients)}
    return web.json_response({"domain": name, **shown})


def add_routes(app: web.Application) -> None:
    """Add projects and domains."""
    app.router.add_put("/_sandbox/projects/{project}", put_project)
    app.router.add_put("/_sandbox/domains/{domain}", put_domain)
