"""The console over HTTP, with a real worker: an operator, and administrators with set-up links."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from certmail_config.base import redis_keys
from certmail_config.tenants.models import ConnectionState
from support.deployment.console_visitor import PASSWORD, Visitor, operator
from support.deployment.deployment import (
    QUICK,
    SEND_SCOPE,
    Deployment,
    campaign,
    new_deployment,
    wait_for,
)

BACK = "https://app.example.com/settings/mail?tab=2"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    settings = QUICK | {"CERTMAIL_OPERATOR_PASSWORD": PASSWORD, "CERTMAIL_CARE_SECONDS": "600"}
    settings |= {"CERTMAIL_RETURN_URLS": "https://app.example.com/settings"}
    with new_deployment(Path(tmp_path_factory.mktemp("console")), **settings) as made:
        made.open_gateway()
        made.worker()
        wait_for("the worker", lambda: made.workers() == 1)
        yield made


@pytest.fixture
def somebody(deployment: Deployment) -> Visitor:
    return operator(deployment)


def set_up(deployment: Deployment, visitor: Visitor, tenant: str) -> str:
    """A service account's connection, made as a person does; gives the path of its page."""
    deployment.control("POST", "/accounts", {"email": f"reviews@{tenant}.example"})
    visitor.get("/console/new")
    visitor.post("/console/new", tenant=tenant, organisation="ACME Industries", name="")
    page = visitor.post(
        f"/console/set-up/{tenant}/default/service-account",
        service_account=f"certmail@{tenant}-it.iam.gserviceaccount.com",
        mailbox=f"reviews@{tenant}.example",
        valid_days="60",
        verify="",
    )

    return urlsplit(page.url).path


def test_without_a_password_nothing_is_shown_and_signing_in_shows_the_list(
    deployment: Deployment,
) -> None:
    visitor = Visitor(deployment)
    assert urlsplit(visitor.get("/console").url).path == "/console/sign-in"
    assert urlsplit(visitor.sign_in().url).path == "/console"
    assert "Connections" in visitor.text
    visitor.post("/console/sign-out")
    assert urlsplit(visitor.get("/console").url).path == "/console/sign-in"


def test_signing_in_leads_to_the_page_that_was_wanted_if_it_is_the_consoles(
    deployment: Deployment,
) -> None:
    for wanted, shown in {
        "/console/new": "/console/new",
        "/console/sign-in?next=https://evil.example/console/new": "/console",
        "/console/sign-in?next=//evil.example": "/console",
        "/console/sign-in?next=/console/../connect": "/console",
    }.items():
        visitor = Visitor(deployment)
        visitor.get(wanted)
        [then] = re.findall(r'name="next" value="([^"]*)"', visitor.page.text)
        answer = visitor.post(
            "/console/sign-in", password=PASSWORD, next=wanted.partition("next=")[2] or then
        )

        assert (urlsplit(answer.url).path, answer.url.startswith(deployment.gateway)) == (
            shown,
            True,
        )


def test_whoever_comes_by_localhost_is_led_to_the_address_that_google_knows(
    deployment: Deployment,
) -> None:
    visitor = Visitor(deployment)
    port = urlsplit(deployment.gateway).port
    assert (
        visitor.get(f"http://localhost:{port}/console/sign-in?x=1").url
        == f"{deployment.gateway}/console/sign-in?x=1"
    )


def test_a_form_from_another_address_of_ours_is_told_which_is_right(deployment: Deployment) -> None:
    visitor = Visitor(deployment)
    visitor.get("/console/sign-in")
    headers = {"Host": "certmail.internal", "Origin": "http://certmail.internal"}
    headers["Cookie"] = f"certmail-sign-in={visitor.token}"
    form = {"csrf": visitor.token, "password": PASSWORD}
    visitor.page = requests.post(
        f"{deployment.gateway}/console/sign-in", data=form, headers=headers, timeout=60
    )

    assert visitor.page.status_code == 403
    assert f"certmail’s address is {deployment.gateway}" in visitor.text
    assert "CERTMAIL_PUBLIC_URL" in visitor.text


def test_an_operator_sets_up_a_service_account_and_sees_it_work(
    deployment: Deployment, somebody: Visitor
) -> None:
    path = set_up(deployment, somebody, "acme")
    somebody.post(f"{path}/check")
    said = somebody.wait(path)
    assert "there is no service account" in said
    assert "Being set up" in said

    account = "certmail@acme-it.iam.gserviceaccount.com"
    client = deployment.control(
        "POST", "/service-accounts", {"email": account, "project": "acme-it"}
    )
    certificate = somebody.get(f"{path}/certificate")

    assert (
        certificate.headers["Content-Disposition"]
        == 'attachment; filename="certmail-acme-default.pem"'
    )

    deployment.control("POST", f"/service-accounts/{account}/keys", certificate.text)
    somebody.get(path)
    somebody.post(f"{path}/check")
    said = somebody.wait(path)

    assert client["client_id"] in said
    assert f"Scopes {SEND_SCOPE} " in said

    deployment.control("PUT", f"/service-accounts/{account}/delegation", {"scopes": [SEND_SCOPE]})
    not_enabled = (
        "Gmail API has not been used in project 1 before or it is disabled. Enable it by visiting "
        "https://console.developers.google.com/apis/api/gmail.googleapis.com/overview?project=1 then retry."
    )
    refuse(deployment, "reviews@acme.example", "accessNotConfigured", not_enabled)
    somebody.post(f"{path}/check", mail="1")
    said = somebody.wait(path)

    assert "Being set up" in said
    assert 'id="guide-upload-tick" data-live class="number "' in somebody.page.text, (
        "its API is missing"
    )
    assert "Enable the Gmail API" in said
    assert "press “Check and send a test mail”" in said
    assert (
        "https://console.cloud.google.com/apis/library/gmail.googleapis.com?project=acme-it"
        in links(somebody)
    )
    assert "console.developers.google.com" not in said

    somebody.post(f"{path}/check")
    said = somebody.wait(path)
    assert "Gmail took a mail from reviews@acme.example to itself" in said, (
        "it was asked for, and could not go"
    )
    assert "Working" in said
    assert "All checks passed." in said
    assert "Requests to Gmail in 24 hours" in said


def refuse(deployment: Deployment, mailbox: str, reason: str, message: str) -> None:
    """Let Gmail refuse the next send of a mailbox."""
    error = {"code": 403, "message": message, "errors": [{"reason": reason, "message": message}]}
    fault = {"status": 403, "headers": {}, "body": {"error": error}}
    match = {"path": "/messages/send", "mailbox": mailbox}
    deployment.control("POST", "/faults", {"match": match, "fault": fault, "times": 1})


def block(visitor: Visitor, name: str) -> str:
    """A block to be pasted, as it stands on the last page."""
    found = re.search(rf'<code id="{name}">(.*?)</code>', visitor.page.text, re.DOTALL)
    assert found is not None, visitor.text
    return unescape(found[1])


def links(visitor: Visitor) -> list[str]:
    """Where the last page leads to."""
    return [unescape(found) for found in re.findall(r'href="([^"]+)"', visitor.page.text)]


def test_who_has_no_service_account_names_a_project_and_pastes_twice(
    deployment: Deployment, somebody: Visitor, tmp_path: Path
) -> None:
    deployment.control("POST", "/accounts", {"email": "reviews@pastes.example"})
    somebody.get("/console/new")
    somebody.post("/console/new", tenant="pastes", organisation="Pastes", name="")
    somebody.get("/console/set-up/pastes/default/service-account")
    suggested = re.search(r'name="project" value="([a-z0-9-]+)"', somebody.page.text)
    assert suggested is not None
    assert suggested[1].startswith("certmail-pastes-")

    fields = {"mailbox": "reviews@pastes.example", "valid_days": "60", "verify": "1"}
    wrong = somebody.post(
        "/console/set-up/pastes/default/service-account", project="My Project", **fields
    )

    assert wrong.status_code == 400
    assert re.search(r'<input id="project"[^>]* aria-invalid="true"', somebody.page.text)

    somebody.post("/console/set-up/pastes/default/service-account", project="pastes-it", **fields)
    path = urlsplit(somebody.page.url).path

    # The first paste: a shell whose gcloud only keeps what it is given.
    account = "certmail@pastes-it.iam.gserviceaccount.com"
    client = deployment.control(
        "POST", "/service-accounts", {"email": account, "project": "pastes-it"}
    )
    (tmp_path / "gcloud").write_text(
        f"""#!/bin/sh
case "$*" in
  *" upload "*) cp "$5" {tmp_path}/uploaded.pem ;;
  *--format*) echo {client["client_id"]} ;;
esac
"""
    )
    (tmp_path / "gcloud").chmod(0o755)
    path_of_shell = f"{tmp_path}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash"], input=block(somebody, "gcloud"), env={"PATH": path_of_shell}, text=True,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    assert f"Client ID: {client['client_id']}" in ran.stdout

    uploaded = (tmp_path / "uploaded.pem").read_text()
    deployment.control("POST", f"/service-accounts/{account}/keys", uploaded)

    # Whoever is sent a link now sees the number, though nobody has pressed anything here.
    somebody.get(path)
    somebody.post(f"{path}/delegation")
    [handed_on] = re.findall(r"http://\S+/connect/delegation/\S+", somebody.text)
    administrator = Visitor(deployment)
    wait_for("the client ID", lambda: client["client_id"] in administrator.read(handed_on))

    assert re.search("data-(running|spreading)", administrator.page.text), (
        "it is looked at again until it works"
    )

    # The second: the Admin console's form, filled in.
    somebody.get(path)
    somebody.post(f"{path}/check")
    somebody.wait(path)
    [filled_in] = [link for link in links(somebody) if "clientIdToAdd" in link]
    assert filled_in in ran.stdout, "the commands print the same address"

    query = parse_qs(urlsplit(filled_in).query)
    assert query["clientIdToAdd"] == [client["client_id"]]

    scopes = query["clientScopeToAdd"][0].split(",")
    assert scopes == [SEND_SCOPE, SEND_SCOPE.replace("send", "metadata")]

    deployment.control("PUT", f"/service-accounts/{account}/delegation", {"scopes": scopes})
    somebody.post(f"{path}/check")
    said = somebody.wait(path)
    assert "Google gives the permission. Whether Gmail takes mail, only a test mail shows." in said
    assert "All checks passed." not in said


def test_once_it_works_the_first_reminder_is_there_to_be_copied(
    deployment: Deployment, somebody: Visitor, tmp_path: Path
) -> None:
    connection = deployment.link("first")
    somebody.get(f"/console/connections/{connection}")
    environment = {
        **os.environ,
        **deployment.environment,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }

    def run(*command: str, **given: str) -> str:
        ran = subprocess.run(
            command,
            env=environment | given,
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    script = tmp_path / "first.py"
    script.write_text(block(somebody, "first-python"))
    job, _ = run(sys.executable, str(script)).split()
    sent = json.loads(run("bash", "-c", f"{block(somebody, 'first-command').strip()} --json"))
    assert (sent["duplicates"], sent["receipts"][0]["id"]) == (1, job), "it is the same reminder"

    key = json.loads(run("bash", "-c", f"{block(somebody, 'first-key')} --json"))["key"]
    words = shlex.split(
        block(somebody, "first-curl").replace("\\\n", " ").replace("$CERTMAIL_API_KEY", key)
    )
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    answer = requests.post(words[1], data=words[words.index("-d") + 1], headers=headers, timeout=60)

    assert (answer.status_code, answer.json()["duplicate"]) == (200, True)
    assert answer.json()["id"] == job

    deployment.wait_recorded([job], {"accepted"})


def test_every_step_leads_to_the_very_page(deployment: Deployment, somebody: Visitor) -> None:
    set_up(deployment, somebody, "leads")
    console, project = "https://console.cloud.google.com", "?project=leads-it"
    account = "certmail@leads-it.iam.gserviceaccount.com"
    for page in (
        f"/apis/library/gmail.googleapis.com{project}",
        f"/iam-admin/serviceaccounts/create{project}",
        f"/iam-admin/serviceaccounts/details/{account}/keys{project}",
        f"/iam-admin/orgpolicies/iam-disableServiceAccountKeyUpload{project}",
        "/?cloudshell=true&project=leads-it",
    ):
        assert console + page in links(somebody)

    assert "https://admin.google.com/ac/owl/domainwidedelegation" in links(somebody)
    assert console not in links(somebody)
    assert f'account_id   = "{account.partition("@")[0]}"' in block(somebody, "terraform")


def test_what_is_no_service_account_is_said_at_the_field(
    deployment: Deployment, somebody: Visitor
) -> None:
    somebody.get("/console/new")
    somebody.post("/console/new", tenant="initech", organisation="Initech", name="")
    path = "/console/set-up/initech/default/service-account"
    fields = {"mailbox": "reviews@initech.example", "valid_days": "60", "verify": ""}

    assert somebody.post(path, service_account="maria@initech.example", **fields).status_code == 400
    assert "This is not the address of a service account." in somebody.text
    assert re.search(r'<input id="service_account"[^>]* aria-invalid="true"', somebody.page.text)
    assert not re.search(r'<input id="mailbox"[^>]* aria-invalid', somebody.page.text)
    assert deployment.admin.connection("initech/default").state is ConnectionState.DRAFT

    ran = deployment.run(
        "connections",
        "add",
        "initech",
        "--kind",
        "customer_owned_app",
        "--json",
        "--service-account",
        "maria@initech.example",
        "--mailbox",
        "reviews@initech.example",
    )

    assert (ran.status, ran.json["error"]["code"]) == (2, "not_a_service_account")


def test_nothing_is_ticked_before_it_was_checked(deployment: Deployment, somebody: Visitor) -> None:
    path = set_up(deployment, somebody, "unchecked")
    assert 'class="number done"' not in somebody.page.text

    somebody.post(f"{path}/check", mail="1")
    said = somebody.wait(path)
    assert "The test mail goes by itself once that is mended" in said
    assert "You may close this page." not in said, "it waits for whoever reads this"
    assert 'class="number done"' not in somebody.page.text, "there is no such account"

    account = "certmail@unchecked-it.iam.gserviceaccount.com"
    deployment.control("POST", "/service-accounts", {"email": account, "project": "unchecked-it"})
    somebody.post(f"{path}/check")
    said = somebody.wait(path)

    assert somebody.page.text.count('class="number done"') == 1, (
        "there is, but its certificate is missing"
    )
    assert "The certificate is not uploaded yet" in said
    assert "If you have just done it, Google may need until" in said


def test_a_name_that_cannot_be_is_said_at_the_field(
    deployment: Deployment, somebody: Visitor
) -> None:
    somebody.get("/console/new")
    assert (
        somebody.post("/console/new", tenant="Not A Name!", organisation="", name="").status_code
        == 400
    )
    assert re.search(r'<input id="tenant"[^>]* aria-invalid="true"', somebody.page.text)

    somebody.post("/console/new", tenant="named", organisation="", name="Not A Name!")
    assert re.search(r'<input id="name"[^>]* aria-invalid="true"', somebody.page.text)
    assert not re.search(r'<input id="tenant"[^>]* aria-invalid', somebody.page.text)


def test_a_connection_that_exists_is_said_to(deployment: Deployment, somebody: Visitor) -> None:
    connection = deployment.link("exists")
    somebody.get("/console/new")
    somebody.post("/console/new", tenant="exists", organisation="", name="")
    assert urlsplit(somebody.page.url).path == f"/console/connections/{connection}"
    assert "This connection already exists." in somebody.text


def test_an_operator_who_comes_to_nothing_is_shown_the_way_on(
    deployment: Deployment, somebody: Visitor
) -> None:
    assert somebody.get("/console/set-up/nobody/default").status_code == 404
    assert "Check the address of this page, or go back to the connections." in somebody.text
    assert "certmail tenants" not in somebody.text
    assert "Sign out" in somebody.text

    stranger = Visitor(deployment)
    stranger.get("/connect")
    assert "Sign out" not in stranger.text


def test_a_removal_before_anything_was_set_up_asks_for_nothing(
    deployment: Deployment, somebody: Visitor
) -> None:
    path = set_up(deployment, somebody, "unused")
    somebody.get(f"{path}/removal")
    somebody.post(f"{path}/removal", confirm="unused/default")
    said = somebody.wait(f"{path}/removal")
    assert "unused/default is removed. No reminder was waiting for it." in said
    assert "Nothing, unless something was set up for it at Google already." in said


def test_what_was_entered_wrongly_is_corrected_or_chosen_anew(
    deployment: Deployment, somebody: Visitor
) -> None:
    path = set_up(deployment, somebody, "wrong")
    somebody.post(
        f"{path}/correction",
        service_account="right@it.iam.gserviceaccount.com",
        mailbox="b@wrong.example",
    )

    assert "right@it.iam.gserviceaccount.com" in somebody.text
    assert "Saved." in somebody.text

    somebody.post(f"{path}/correction", service_account="no address", mailbox="b@wrong.example")
    assert somebody.page.status_code == 400
    assert "is not an email address" in somebody.text

    somebody.get(path)
    somebody.post(f"{path}/another-kind")
    assert urlsplit(somebody.page.url).path == "/console/set-up/wrong/default"

    somebody.post("/console/set-up/wrong/default/linked-account")
    assert "Continue to Google" in somebody.text


def test_what_waits_and_until_when_is_on_the_page(
    deployment: Deployment, somebody: Visitor
) -> None:
    connection = deployment.link("waits", units=6_000)
    somebody.get(f"/console/connections/{connection}")
    somebody.post(f"/console/connections/{connection}/suspend")
    assert "Suspended: its reminders wait" in somebody.text

    deployment.send(campaign(5, tenant="waits"))
    said = somebody.read(f"/console/connections/{connection}")
    assert "Waiting for their turn 5" in said
    assert "not while it is stopped" in said
    assert "5 reminders wait Suspended" in somebody.read("/console?q=waits")

    somebody.get(f"/console/connections/{connection}")
    somebody.post(f"/console/connections/{connection}/resume")
    assert "Working" in somebody.wait(f"/console/connections/{connection}")

    wait_for(
        "the record",
        lambda: deployment.ask("tenants", "history", "waits")["history"][0]["type"] == "opened",
    )
    done = deployment.ask("tenants", "history", "waits")["history"]
    console = "console password in the console"

    assert [(each["type"], each["by"]) for each in done[:4]] == [
        ("opened", console),
        ("connection_probed", console),
        ("connection_resumed", console),
        ("suspended", console),
    ]


def test_what_needs_attention_comes_first(deployment: Deployment, somebody: Visitor) -> None:
    deployment.link("aaa-works")
    broken = deployment.admin.connection(deployment.link("zzz-broken"))
    deployment.admin.save(
        broken.failing("mailbox_unknown", "The mailbox was deleted.", "Restore the user.")
    )
    somebody.get("/console")
    text = somebody.text

    assert text.index("zzz-broken") < text.index("aaa-works")
    assert "The mailbox was deleted." in text


def test_a_certificate_is_rotated_and_a_connection_removed(
    deployment: Deployment, somebody: Visitor
) -> None:
    connection = deployment.link("goes")
    path = f"/console/connections/{connection}"
    somebody.get(path)
    somebody.post(f"{path}/rotate")
    assert "Upload the next certificate" in somebody.text

    first, following = (
        somebody.get(f"{path}/certificate").text,
        somebody.get(f"{path}/certificate?next=1").text,
    )
    assert first != following

    somebody.get(f"{path}/removal")
    somebody.post(f"{path}/removal", confirm="goes")
    assert "nothing was removed" in somebody.text
    assert deployment.admin.connection(connection).state is ConnectionState.ACTIVE

    somebody.post(f"{path}/removal", confirm="goes/default")
    said = somebody.wait(f"{path}/removal")
    assert "goes/default is removed." in said
    assert "The key that certmail used is erased here, but still listed at Google." in said
    assert "domain-wide delegation" in said
    assert somebody.get(path).status_code == 404


def link(deployment: Deployment, tenant: str, *, back: str = BACK) -> str:
    """A set-up link from the command line."""
    deployment.ask("tenants", "add", tenant, "--name", "Globex")
    made = deployment.ask(
        "connections", "setup-link", tenant, "--return-url", back, "--state", "x&y"
    )
    return str(made["url"])


def test_an_administrator_links_an_account_and_is_sent_back_with_the_result(
    deployment: Deployment,
) -> None:
    deployment.control("POST", "/accounts", {"email": "reviews@globex.example"})
    url = link(deployment, "globex")
    visitor = Visitor(deployment)
    assert urlsplit(visitor.open_link(url).url).path == "/connect/set-up/globex/default"

    page = visitor.post("/connect/set-up/globex/default/linked-account")
    client_id = deployment.environment["CERTMAIL_OAUTH_CLIENT_ID"]
    assert f"OAuth client ID {client_id}" in visitor.text, (
        "what a Workspace administrator must trust"
    )
    assert "https://admin.google.com/ac/owl/list?tab=configuredApps" in links(visitor)

    path = urlsplit(page.url).path
    sent = visitor.session.post(
        f"{deployment.gateway}{path}/link",
        data={"csrf": visitor.token},
        allow_redirects=False,
        timeout=60,
    )
    google = sent.headers["Location"]
    form = {"account": "reviews@globex.example", "decision": "allow"}
    form["scope"] = parse_qs(urlsplit(google).query)["scope"][0].split()  # type: ignore[assignment]
    visitor.page = visitor.session.post(google, data=form, timeout=60)
    assert "Send the reminders of Globex from this account? reviews@globex.example" in visitor.text

    visitor.post(urlsplit(visitor.page.url).path, answer="yes")
    assert urlsplit(visitor.page.url).path == path
    assert "The account is linked." in visitor.text
    assert "Google gives the permission to send from reviews@globex.example" in visitor.text
    assert "nothing left to do" not in visitor.text

    visitor.post(f"{path}/check")
    assert "nothing left to do" not in visitor.wait(path), "no mail has gone"

    visitor.post(f"{path}/check", mail="1")
    assert "Reminders will be sent from reviews@globex.example" in visitor.wait(path)
    assert "There is nothing left to do." in visitor.text

    [back] = [
        part for part in visitor.page.text.split('"') if part.startswith("https://app.example.com")
    ]
    assert parse_qs(urlsplit(back.replace("&amp;", "&")).query) == {
        "tab": ["2"],
        "tenant": ["globex"],
        "connection": [path.rpartition("/")[2]],
        "status": ["active"],
        "state": ["x&y"],
    }

    ended = Visitor(deployment)
    assert ended.get(url).status_code == 403, "a link that was completed opens nothing more"
    assert "This set-up link has ended" in ended.text
    assert urlsplit(visitor.get(url).url).path == path, (
        "but where it was completed it shows what became of it"
    )
    assert "Connected" in visitor.text
    assert "Reminders will be sent" in visitor.read(path), "but they may look at it for a while"

    connection = path.rpartition("/")[2]
    goodbye = operator(deployment)
    goodbye.get(f"/console/connections/{connection}/removal")
    goodbye.post(f"/console/connections/{connection}/removal", confirm="globex/default")
    said = goodbye.wait(f"/console/connections/{connection}/removal")

    assert "Google confirmed that certmail’s access is over." in said


def test_an_operator_invites_the_administrator_to_one_connection(
    deployment: Deployment, somebody: Visitor
) -> None:
    connection = deployment.admin.add_tenant("invited")[1].id
    somebody.get(f"/console/connections/{connection}")
    somebody.post(f"/console/connections/{connection}/invitation")
    [url] = re.findall(r"http://\S+/connect/\S+", somebody.text)
    visitor = Visitor(deployment)
    visitor.open_link(url)

    assert urlsplit(visitor.page.url).path == "/connect/set-up/invited/default"
    assert "Make a set-up link" not in visitor.text


def test_an_operator_who_is_asked_for_the_kind_can_invite_the_administrator_instead(
    deployment: Deployment, somebody: Visitor
) -> None:
    somebody.get("/console/new")
    somebody.post("/console/new", tenant="asked", organisation="", name="second")
    assert "Should someone else do this?" in somebody.text

    somebody.post("/console/set-up/asked/second/invitation")
    [url] = re.findall(r"http://\S+/connect/\S+", somebody.text)
    visitor = Visitor(deployment)
    visitor.open_link(url)

    assert urlsplit(visitor.page.url).path == "/connect/set-up/asked/second"
    assert visitor.post("/connect/set-up/asked/second/invitation").status_code == 404


def test_a_set_up_link_is_refused_where_it_would_lead_astray(deployment: Deployment) -> None:
    deployment.ask("tenants", "add", "astray")
    ran = deployment.run(
        "connections", "setup-link", "astray", "--return-url", "https://evil.example/", "--json"
    )

    assert (ran.status, ran.json["error"]["code"]) == (2, "return_url_not_allowed")
    assert "CERTMAIL_RETURN_URLS" in ran.json["error"]["remedy"]

    ran = deployment.run("connections", "setup-link", "nobody", "--json")
    assert (ran.status, ran.json["error"]["code"]) == (1, "unknown_tenant")


def test_no_secret_or_address_of_it_stands_in_redis_or_the_log(deployment: Deployment) -> None:
    url = link(deployment, "quiet")
    visitor = Visitor(deployment)
    visitor.open_link(url)
    _, *parts = url.rpartition("/")[2].split(".")
    secrets = [str(value) for value in visitor.session.cookies.values()] + parts
    redis = deployment.admin.redis
    names = [name for name in redis.scan_iter("*") if redis.type(name) == b"string"]
    contents = b"\n".join(name + b" " + (redis.get(name) or b"") for name in names)
    assert redis_keys.SETUP.encode() + b"quiet " in contents, "it can be searched"

    log = (deployment.data_dir / "gateway.log").read_bytes()

    for secret in secrets:
        assert secret.encode() not in contents
        assert secret.encode() not in log

    assert PASSWORD.encode() not in contents + log
    assert json.loads(log.decode().splitlines()[1])["event"]
