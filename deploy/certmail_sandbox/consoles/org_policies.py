"""IAM & Admin, organisation policies: the one that forbids uploaded keys."""

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
    found = state_of(request).directory.project(project)
    return show(request, "policy.html", project=project, found=found, section="policies")


@of_project
async def named(request: web.Request, project: str) -> web.Response:
    if request.match_info["policy"] not in KEY_UPLOAD:
        raise Refused(
            "The stand-in knows one policy only: iam.disableServiceAccountKeyUpload.", 404
        )
    found = state_of(request).directory.project(project)
    return show(request, "policy.html", project=project, found=found, section="policies")


@of_project
async def enforce(request: web.Request, project: str) -> web.Response:
    """Enforces the policy for a project, or lifts it; at once."""
    directory = state_of(request).directory
    forbid = (await form_of(request)).get("do") == "enforce"
    directory.projects[project] = replace(directory.project(project), key_upload=not forbid)
    raise then(f"{PATH}/{KEY_UPLOAD[0]}", project=project, done="policy")


def add_routes(app: web.Application) -> None:
    app.router.add_get(PATH + "/list", policy)
    app.router.add_get(PATH + "/{policy}", named)
    app.router.add_post(PATH, enforce)
