"""Cloud Shell: a box for the block of commands that set-up pages offer, and what came of it."""

from __future__ import annotations

from aiohttp import web

from certmail_sandbox.consoles.frame import form_of, show
from certmail_sandbox.consoles.gcloud import ShellRun
from certmail_sandbox.state import state_of

PATH = "/cloudshell"


async def shell(request: web.Request) -> web.Response:
    """`GET /cloudshell`, where `/?cloudshell=true` leads."""
    return show(request, "shell.html", lines=[], given="", section="shell", project=None)


async def run(request: web.Request) -> web.Response:
    """Read the block; only gcloud commands that the stand-in knows are done."""
    text = (await form_of(request)).get("commands", "")
    session = ShellRun(state_of(request))
    done = session.run(text)
    values = {
        "lines": session.output,
        "given": "" if done else text,
        "section": "shell",
        "project": None,
    }

    return show(request, "shell.html", status=200 if done else 400, **values)


def add_routes(app: web.Application) -> None:
    """Add Cloud Shell."""
    app.router.add_get(PATH, shell)
    app.router.add_post(PATH, run)
