"""`certmail up --sandbox`: one command, no settings, and everything that it prints is there.

A connection is set up by its pages alone.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from support.deployment.console_visitor import Visitor
from support.deployment.deployment import SEND_SCOPE, Deployment, wait_for

MAILBOX = "access-reviews@acme.example"


def bare(home: Path, **settings: str) -> dict[str, str]:
    """The environment of somebody who has just installed certmail."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CERTMAIL_", "XDG_"))
    }
    return kept | {"HOME": str(home)} | settings


@contextmanager
def looking_around(
    environment: dict[str, str],
) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """It runs, and what it said."""
    command = [sys.executable, "-m", "certmail_worker", "up", "--sandbox", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []

        try:
            for line in process.stdout:
                lines.append(line)
                if line == "}\n":
                    break
            assert lines, f"it ended with status {process.wait()}"
            yield process, json.loads("".join(lines))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def left_running(data_dir: str) -> list[str]:
    """Processes that still work in this directory."""
    found = []

    for each in Path("/proc").glob("[0-9]*"):
        try:
            told = (each / "environ").read_bytes() + (each / "cmdline").read_bytes()
            alive = (each / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            continue  # it ended, or is not ours
        if data_dir.encode() in told and alive and int(each.name) != os.getpid():
            found.append((each / "cmdline").read_bytes().replace(b"\0", b" ").decode())

    return found


def test_somebody_looks_around(tmp_path: Path) -> None:
    free = {f"CERTMAIL_{name}": "127.0.0.1:0" for name in ("SANDBOX_LISTEN", "FLOWER_LISTEN")}
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        environment = bare(tmp_path, CERTMAIL_LISTEN=taken, **free)
        environment["CERTMAIL_REDIS_URL"] = "redis://127.0.0.1:1"  # another deployment's
        with looking_around(environment) as (process, said):
            assert said["data_dir"] == str(tmp_path / ".local/share/certmail/sandbox")
            assert taken not in said["console"], "another program is there"

            deployment = Deployment(
                tmp_path, environment, google=said["sandbox"], gateway=said["api"]
            )
            everything_answers(said)
            page = set_up_by_its_pages(deployment, said)
            a_reminder_arrives(deployment, said)
            the_page_tells_what_a_new_terminal_needs(deployment, said, page)
            environment["CERTMAIL_DATA_DIR"] = said["data_dir"]
            commands_work_in_its_directory(deployment)
            process.send_signal(signal.SIGINT)

            assert process.wait(60) == 0

        assert left_running(said["data_dir"]) == []

    refused = deployment.run("up")
    assert refused.status == 1
    assert "is the sandbox's data directory" in refused.err

    del environment["CERTMAIL_DATA_DIR"]
    # As in a container, which is reached from outside.
    for name in ("LISTEN", "SANDBOX_LISTEN", "FLOWER_LISTEN"):
        address = environment[f"CERTMAIL_{name}"]
        environment[f"CERTMAIL_{name}"] = address.replace("127.0.0.1", "0.0.0.0")
    with looking_around(environment) as (_, again):
        assert again["api_key"] == said["api_key"]
        for name in ("api", "sandbox", "flower"):
            assert again[name].startswith("http://127.0.0.1:")
        everything_answers(again)
        deployment = Deployment(
            tmp_path, environment, google=again["sandbox"], gateway=again["api"]
        )
        assert len(deployment.messages()) == 1, "what was done before is there"

        operator = Visitor(deployment)
        assert operator.sign_in(again["password"]).ok

        operator.get(page)
        operator.post(f"{page}/check", mail="1")
        assert "Working" in operator.wait(page), "Google still knows what it was told"


def everything_answers(said: dict[str, Any]) -> None:
    assert "Google, played by the sandbox" in requests.get(said["sandbox"], timeout=60).text
    assert requests.get(said["mail"], timeout=60).ok
    assert requests.get(f"{said['api']}/readyz", timeout=60).ok
    key = {"Authorization": f"Bearer {said['api_key']}"}
    assert requests.get(f"{said['api']}/v1/tenants", headers=key, timeout=60).ok
    auth = (said["flower_user"], said["flower_password"])
    assert requests.get(f"{said['flower']}/workers", auth=auth, timeout=60).ok


def set_up_by_its_pages(deployment: Deployment, said: dict[str, Any]) -> str:
    """The path of the page of a connection that was set up by service account.

    From certmail's console through the stand-ins of Google's and back.
    """
    operator = Visitor(deployment)
    assert operator.sign_in(said["password"]).ok
    assert "No mail leaves." in operator.text

    operator.get("/console/new")
    operator.post("/console/new", tenant="acme", organisation="ACME", name="")
    operator.get("/console/set-up/acme/default/service-account")
    given = {"project": "acme-it", "service_account": "", "mailbox": MAILBOX, "valid_days": "30"}
    page = urlsplit(operator.post("/console/set-up/acme/default/service-account", **given).url).path

    for link in links_to(deployment.google, operator.get(page).text):
        assert requests.get(link, timeout=60).ok, link

    [block] = re.findall(r'id="gcloud"[^>]*>(.*?)</', operator.page.text, re.DOTALL)
    shell = requests.post(
        f"{deployment.google}/cloudshell", data={"commands": unescape(block)}, timeout=60
    )
    assert "Done. Client ID:" in shell.text

    [delegation] = [
        link for link in links_to(deployment.google, shell.text) if "clientIdToAdd" in link
    ]
    asked = {name: value[0] for name, value in parse_qs(urlsplit(delegation).query).items()}
    form = {
        "client_id": asked["clientIdToAdd"],
        "scopes": asked["clientScopeToAdd"],
        "overwrite": "1",
    }
    assert form["scopes"] == SEND_SCOPE

    authorised = requests.post(delegation.partition("?")[0], data=form, timeout=60)
    assert "The client is authorised." in authorised.text

    wait_for("the connection to work by itself", lambda: "Working" in operator.read(page), 90)
    return page


def links_to(google: str, html: str) -> list[str]:
    return [unescape(link) for link in re.findall(rf'href="({re.escape(google)}[^"]*)"', html)]


def a_reminder_arrives(deployment: Deployment, said: dict[str, Any]) -> None:
    given: Any = {"tenant": "acme", "to": "anna@acme.example", "campaign": "q4", "pending": 3}
    headers = {"Authorization": f"Bearer {said['api_key']}"}
    taken = requests.post(f"{said['api']}/v1/reminders", json=given, headers=headers, timeout=60)
    assert taken.status_code == 202, taken.text
    wait_for("the mail", lambda: bool(deployment.messages()))
    assert "anna@acme.example" in requests.get(said["mail"], timeout=60).text


def the_page_tells_what_a_new_terminal_needs(
    deployment: Deployment, said: dict[str, Any], page: str
) -> None:
    """Of the sandbox it knows nothing yet, and certmail may be in no PATH."""
    operator = Visitor(deployment)
    assert operator.sign_in(said["password"]).ok
    assert "the same reminder three times" in operator.read(page)

    found = re.search(r'<code id="first-command">(.*?)</code>', operator.page.text, re.DOTALL)
    assert found is not None
    command = unescape(found[1]).replace("certmail send -", "certmail send - --dry-run")
    plain = {
        "HOME": os.environ["HOME"],
        "XDG_DATA_HOME": str(deployment.data_dir / "nowhere"),
        "PATH": "/usr/bin:/bin",
    }
    ran = subprocess.run(
        ["bash", "-ec", command], env=plain, text=True, capture_output=True, timeout=60, check=False
    )

    assert ran.returncode == 0, ran
    assert "1 could be enqueued" in ran.stderr


def commands_work_in_its_directory(deployment: Deployment) -> None:
    probed = deployment.run("connections", "probe", "acme/default")
    assert probed.status == 0, probed
    assert deployment.ask("deliveries", "list")["deliveries"][0]["tenant"] == "acme"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["up", "--sandbox"], "is left alone"), (["up", "--fresh"], "belong to --sandbox")],
)
def test_it_is_refused(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    """A directory that the sandbox did not make, and what means nothing without it."""
    real = tmp_path / ".local/share/certmail/sandbox"
    real.mkdir(parents=True)
    (real / "vault.key").write_text("somebody's")
    refused = Deployment(tmp_path, bare(tmp_path)).run(*arguments)

    assert refused.status in {1, 2}
    assert sentence in refused.err
    assert [each.name for each in real.iterdir() if each.name != "up.lock"] == ["vault.key"]
