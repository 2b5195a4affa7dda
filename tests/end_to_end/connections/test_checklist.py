"""The checklist of a connection: each step seen failing, with cause and remedy, and passing."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

from certmail_config.base.dates import moment
from certmail_config.google.token_errors import Blame
from certmail_config.tenants.models import Connection, GoogleLimits
from certmail_worker.connections.probe import Probed, Step, probe_and_save
from support.deployment.deployment import (
    METADATA_SCOPE,
    SEND_SCOPE,
    Deployment,
    new_deployment,
    one_key,
    wait_for,
)

SMALL = GoogleLimits(15_000)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with new_deployment(Path(tmp_path_factory.mktemp("checklist"))) as made:
        made.open_gateway()
        yield made


def account_of(tenant: str) -> str:
    return f"certmail@{tenant}-it.iam.gserviceaccount.com"


def new(deployment: Deployment, tenant: str, *, verify: bool = False) -> Connection:
    """A connection as `connections add` makes it; at Google nothing is set up but the mailbox."""
    mailbox = f"reviews@{tenant}.example"
    deployment.control("POST", "/accounts", {"email": mailbox})
    deployment.admin.add_tenant(tenant)

    with one_key():
        return deployment.admin.add_customer_owned_app(
            tenant,
            "default",
            service_account=account_of(tenant),
            mailbox=mailbox,
            limits=SMALL,
            valid_days=60,
            verify=verify,
        )


def at_google(deployment: Deployment, tenant: str) -> str:
    """The service account; gives its numeric client ID."""
    made = deployment.control(
        "POST", "/service-accounts", {"email": account_of(tenant), "project": tenant}
    )
    return str(made["client_id"])


def upload(deployment: Deployment, connection: Connection, settling: int = 0) -> None:
    path = f"/service-accounts/{connection.service_account}/keys?settling={settling}"
    deployment.control("POST", path, str(connection.certificate))


def delegate(
    deployment: Deployment, connection: Connection, *scopes: str, spreading: int = 0
) -> None:
    body = {"scopes": list(scopes), "spreading": spreading}
    deployment.control("PUT", f"/service-accounts/{connection.service_account}/delegation", body)


def works(deployment: Deployment, tenant: str) -> Connection:
    connection = new(deployment, tenant)
    at_google(deployment, tenant)
    upload(deployment, connection)
    delegate(deployment, connection, SEND_SCOPE)
    return probe_and_save(deployment.admin, connection.id).connection


def wrong(probed: Probed) -> Step:
    """The step that failed; all before it passed, and none came after."""
    *before, last = probed.steps
    assert all(step.ok for step in before), probed.steps
    assert not last.ok
    return last


def refuse(deployment: Deployment, tenant: str, status: int, reason: str, message: str) -> None:
    """Let Gmail refuse the next send of a mailbox."""
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    match = {"path": "/messages/send", "mailbox": f"reviews@{tenant}.example"}
    fault = {"status": status, "headers": {}, "body": {"error": error}}
    deployment.control("POST", "/faults", {"match": match, "fault": fault, "times": 1})


def test_one_refusal_stops_nothing_that_works_and_what_is_mended_is_no_longer_asked_for(
    deployment: Deployment,
) -> None:
    connection = works(deployment, "once-refused")
    delegate(deployment, connection)
    first = probe_and_save(deployment.admin, connection.id)
    assert (wrong(first).code, first.connection.state) == ("delegation_missing", "active")
    assert "goes on until Google refuses it again" in wrong(first).message

    def again() -> Connection:
        return probe_and_save(deployment.admin, connection.id).connection

    wait_for("the refusal to be confirmed", lambda: again().state == "attention")
    delegate(deployment, connection, SEND_SCOPE)
    assert again().state == "active"

    deployment.control("DELETE", f"/service-accounts/{connection.service_account}")
    wait_for("the account to be missed", lambda: again().code == "service_account_unknown")
    at_google(deployment, "once-refused")
    upload(deployment, connection)
    deployment.fault("503", path="/token", times=None)
    assert again().code == "token_unavailable"

    deployment.control("DELETE", "/faults")


def test_a_customer_owned_application_from_nothing_to_a_mail(deployment: Deployment) -> None:
    connection = new(deployment, "steps")

    def probe() -> Probed:
        return probe_and_save(deployment.admin, connection.id, mail=True)

    missing = wrong(probe())
    assert (missing.name, missing.code) == ("certificate", "service_account_unknown")
    assert account_of("steps") in missing.message

    client_id = at_google(deployment, "steps")
    missing = wrong(probe())
    assert (missing.name, missing.code, missing.waiting) == (
        "certificate",
        "certificate_not_uploaded",
        True,
    )
    for words in (
        f"connections certificate {connection.id}",
        "iam.disableServiceAccountKeyUpload",
        "10 keys",
    ):
        assert words in missing.remedy

    upload(deployment, connection, settling=1)
    missing = wrong(probe())
    assert (missing.name, missing.code, missing.waiting) == ("service account", "key_unknown", True)
    assert "Google lists the certificate" in missing.message
    assert "upload" not in f"{missing.message} {missing.remedy}".lower()

    missing = wrong(probe())
    assert (missing.name, missing.code, missing.waiting) == (
        "token to send",
        "delegation_missing",
        True,
    )
    assert client_id in missing.remedy
    assert SEND_SCOPE in missing.remedy
    assert "certmail tries again by itself" in missing.message
    assert "24 hours" in missing.remedy

    delegate(deployment, connection, SEND_SCOPE, spreading=1)
    missing = wrong(probe())
    assert (missing.name, missing.waiting) == ("token to send", True)
    assert "still spreading" in missing.message

    refuse(
        deployment,
        "steps",
        403,
        "accessNotConfigured",
        "Gmail API has not been used in project 1 before",
    )
    missing = wrong(probe())

    assert (missing.name, missing.code, missing.waiting) == ("test mail", "api_disabled", True)
    assert "Enable the Gmail API" in missing.remedy

    refuse(deployment, "steps", 400, "failedPrecondition", "Mail service not enabled")
    missing = wrong(probe())
    assert (missing.name, missing.code, missing.waiting) == (
        "test mail",
        "mailbox_without_gmail",
        False,
    )
    assert "licence" in missing.remedy

    untried = probe_and_save(deployment.admin, connection.id)
    assert wrong(untried).name == "test mail", (
        "of what never worked no other step shows that it does"
    )
    assert "connections test" in wrong(untried).remedy
    assert (untried.connection.state, untried.connection.code) == (
        "attention",
        "mailbox_without_gmail",
    )

    passed = probe()
    assert [step.name for step in passed.steps] == [
        "certificate dates",
        "certificate",
        "clock",
        "service account",
        "token to send",
        "test mail",
    ]
    assert all(step.ok for step in passed.steps)
    assert (passed.connection.state, passed.connection.code) == ("active", None)

    [mail] = [mail for mail in deployment.messages() if mail["mailbox"] == "reviews@steps.example"]
    letter: Message[str, str] = Parser().parsestr(urlsafe_b64decode(mail["raw"]).decode())
    assert letter["To"] == letter["From"] == "reviews@steps.example"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Content-Language"] == "en"


def test_each_scope_is_asked_for_alone_and_named(deployment: Deployment) -> None:
    connection = new(deployment, "scopes", verify=True)
    client_id = at_google(deployment, "scopes")
    upload(deployment, connection)
    delegate(deployment, connection, SEND_SCOPE)
    missing = wrong(probe_and_save(deployment.admin, connection.id))

    assert (missing.name, missing.code) == ("token to look", "delegation_missing")
    # Pasted into Google's table a list replaces the old one: with one scope alone nothing could be
    # sent any more.
    assert f"{SEND_SCOPE},{METADATA_SCOPE}" in missing.remedy
    assert client_id in missing.remedy

    delegate(deployment, connection, METADATA_SCOPE)
    assert wrong(probe_and_save(deployment.admin, connection.id)).name == "token to send"

    delegate(deployment, connection, SEND_SCOPE, METADATA_SCOPE)
    assert probe_and_save(deployment.admin, connection.id).connection.state == "active"


def test_patience_ends_when_google_has_had_its_time(deployment: Deployment) -> None:
    connection = new(deployment, "patience")
    at_google(deployment, "patience")
    upload(deployment, connection)
    first = probe_and_save(deployment.admin, connection.id).connection
    assert first.refused_since is not None
    yesterday = first.refused_since - timedelta(hours=25)
    deployment.admin.note(replace(first, refused_since=yesterday))
    missing = wrong(probe_and_save(deployment.admin, connection.id))

    assert (missing.code, missing.waiting) == ("delegation_missing", False)
    assert moment(yesterday) in missing.message
    assert "it was not made" in missing.message


def test_a_clock_that_is_wrong_is_ours_to_mend_and_breaks_no_connection(
    deployment: Deployment,
) -> None:
    connection = works(deployment, "clocks")
    path = f"/service_accounts/v1/metadata/x509/{account_of('clocks')}"
    date = (datetime.now(UTC) + timedelta(minutes=12)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    certificates = {connection.key_id: connection.certificate}
    fault: dict[str, Any] = {"status": 200, "headers": {"Date": date}, "body": certificates}
    deployment.control("POST", "/faults", {"match": {"path": path}, "fault": fault, "times": 1})
    probed = probe_and_save(deployment.admin, connection.id)
    behind = wrong(probed)

    assert (behind.name, behind.code, behind.blame) == ("clock", "clock_wrong", Blame.OPERATOR)
    assert "behind Google's" in behind.message
    assert "NTP" in behind.remedy
    assert probed.connection == connection
    assert probe_and_save(deployment.admin, connection.id).connection.state == "active"


@pytest.mark.parametrize("fault", ["503", "reset_before"])
@pytest.mark.parametrize("path", ["/metadata/x509", "/token"])
def test_trouble_at_google_breaks_no_connection(
    deployment: Deployment, fault: str, path: str
) -> None:
    tenant = f"trouble{fault[:3]}{path[-3:]}"
    connection = works(deployment, tenant)
    match = {"path": f"{path}/{account_of(tenant)}" if "x509" in path else path}
    deployment.control("POST", "/faults", {"match": match, "fault": fault, "times": None})
    probed = probe_and_save(deployment.admin, connection.id)
    deployment.control("DELETE", "/faults")

    assert wrong(probed).blame is Blame.NOBODY
    assert probed.connection == connection


def test_a_certificate_that_ended_says_how_to_make_the_next(deployment: Deployment) -> None:
    connection = works(deployment, "ended")
    past = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    deployment.admin.save(replace(connection, not_after=past))
    missing = wrong(probe_and_save(deployment.admin, connection.id))

    assert (missing.name, missing.code) == ("certificate dates", "certificate_expired")
    assert f"connections rotate {connection.id}" in missing.remedy

    rotating = deployment.admin.rotate(connection.id, valid_days=60)
    upload(deployment, replace(rotating, certificate=rotating.next_certificate))
    probed = probe_and_save(deployment.admin, connection.id)
    assert probed.connection.state == "active"
    assert probed.connection.certificate == rotating.next_certificate
    assert probed.connection.next_certificate is None
    assert probed.steps[-1].code == "certificate_rotated"


def test_the_next_certificate_takes_over_when_google_knows_it_and_not_before(
    deployment: Deployment,
) -> None:
    connection = works(deployment, "rotating")
    rotating = deployment.admin.rotate(connection.id, valid_days=60)
    probed = probe_and_save(deployment.admin, connection.id)
    assert probed.connection.state == "active"
    assert probed.connection.certificate == connection.certificate

    [waiting] = [step for step in probed.steps if not step.ok]
    assert (waiting.name, waiting.waiting) == ("next certificate", True)
    assert f"connections certificate {connection.id} --next" in waiting.remedy

    upload(deployment, replace(rotating, certificate=rotating.next_certificate), settling=1)
    probed = probe_and_save(deployment.admin, connection.id)
    assert probed.connection.certificate == connection.certificate, (
        "listed, but not accepted everywhere yet"
    )
    assert (
        probe_and_save(deployment.admin, connection.id).connection.certificate
        == rotating.next_certificate
    )


def test_a_linked_account_is_asked_whose_it_is(deployment: Deployment) -> None:
    connection = deployment.link_account("linked", "reviews@linked.example")
    probed = probe_and_save(deployment.admin, connection, mail=True)
    assert [step.name for step in probed.steps] == [
        "token to send",
        "account",
        "clock",
        "test mail",
    ]
    assert all(step.ok for step in probed.steps)


def test_waiting_on_the_command_line_ends_when_it_works(deployment: Deployment) -> None:
    connection = new(deployment, "waiting")
    at_google(deployment, "waiting")
    upload(deployment, connection)
    delegate(deployment, connection, SEND_SCOPE, spreading=1)
    ran = deployment.run("connections", "probe", "waiting/default", "--wait", "60", "--json")

    assert ran.status == 0, ran
    assert ran.json["state"] == "active"
    assert "still spreading" in ran.err
    assert {step["ok"] for step in ran.json["steps"]} == {True}


def test_a_test_mail_on_the_command_line(deployment: Deployment) -> None:
    works(deployment, "mailed")
    ran = deployment.run("connections", "test", "mailed/default")
    assert ran.status == 0, ran
    assert "✓ test mail: Gmail took a mail from reviews@mailed.example to itself" in ran.err

    mails = len(deployment.messages())
    again = deployment.run("connections", "test", "mailed/default", "--json")
    assert (again.json["steps"][-1]["code"], again.json["state"]) == ("mailbox_busy", "active")
    assert "within the last minute" in again.json["steps"][-1]["message"]
    assert len(deployment.messages()) == mails
