"""IAM & Admin, organisation policies: the one that forbids uploaded keys (google.md §4.3)."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from certmail_sandbox.consoles.frame import form_of, show, then
from certmail_sandbox.consoles.projects import of_project
from certmail_sandbox.state import state_of
from certmail_sandbox.wire.fields import Refused

PATH = "/iam-admin/orgpolicies"
KEY_UPLOAD = ("iam-disableServiceAccountKeyUpload", "iam-managed-disableServiceAccountKeyUpload")


@of_project
async def policy(request: web.Request, project: str) -> web.Response:
    """`GET /iam-admin/orgpolicies/list`: the only policy that is played here."""
    found = state_of(request).directory.project(project)
    return show(request, "policy.html", project=project, found=found, section="policies")


@of_project
async def named(request: web.Request, project: str) -> web.Response:
    """`GET /iam-admin/orgpolicies/{policy}`: the same policy under either of its names.

    Raises Refused for any other.
    """
    if request.match_info["policy"] not in KEY_UPLOAD:
        raise Refused(
            "The stand-in knows one policy only: iam.disableServiceAccountKeyUpload.", 404
        )
    found = state_of(request).directory.project(project)
    return show(request, "policy.html", project=project, found=found, section="policies")


@of_project
async def enforce(request: web.Request, project: str) -> web.Response:
    """Enforce the policy for a project, or lift it; at once."""
    directory = state_of(request).directory
    forbid = (await form_of(request)).get("do") == "enforce"
    directory.projects[project] = replace(directory.project(project), key_upload=not forbid)
    raise then(f"{PATH}/{KEY_UPLOAD[0]}", project=project, done="policy")


def add_routes(app: web.Application) -> None:
    """Add the page of the policy on key upload."""
    app.router.add_get(PATH + "/list", policy)
    app.router.add_get(PATH + "/{policy}", named)
    app.router.add_post(PATH, enforce)
