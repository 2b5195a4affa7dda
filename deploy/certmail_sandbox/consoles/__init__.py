"""Stand-ins for the pages where people set things up: Google's Cloud console and Admin console.

Each module is a page or a group of pages; start reading at `start`, where people begin, and
`frame`, which all have in common.

They answer Google's own paths, so that a link that leads into a console leads to the same place
here, and use Google's words, so that instructions can be followed to the letter. What they change
is what the control API changes, with the same checks; here it takes effect after a while, as at
Google.
"""

from __future__ import annotations

from aiohttp import web

from certmail_sandbox.consoles import (
    api_library,
    app_access,
    credentials,
    delegation,
    keys,
    org_policies,
    projects,
    service_accounts,
    shell,
    start,
)

PATHS = (
    "/apis",
    "/iam-admin",
    "/ac/",
    "/welcome",
    "/home/",
    "/cloud-resource-manager",
    "/projectcreate",
    "/people",
    "/cloudshell",
)


def add_routes(app: web.Application) -> None:
    """Add the pages of both consoles to an application."""
    start.add_routes(app)
    projects.add_routes(app)
    api_library.add_routes(app)
    service_accounts.add_routes(app)
    keys.add_routes(app)
    org_policies.add_routes(app)
    shell.add_routes(app)
    credentials.add_routes(app)
    delegation.add_routes(app)
    app_access.add_routes(app)
