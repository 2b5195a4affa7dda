"""A service provider application: linked through the real redirects, and used by a worker."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from certmail_config.admin.account_use import turn
from certmail_config.tenants.models import ConnectionState, GoogleLimits
from certmail_worker.cli.connections.link import consent
from certmail_worker.cli.connections.shown import as_json
from support.deployment.deployment import (
    QUICK,
    SEND_SCOPE,
    Deployment,
    campaign,
    new_deployment,
    wait_for,
)

ACCOUNT = "reviews@globex.example"
PATIENT = {**QUICK, "CERTMAIL_HTTP_TIMEOUT_SECONDS": "30", "CERTMAIL_LEASE_SECONDS": "60"}
"""Google may take its time: what is done meanwhile is what counts."""
IDENTITY = [
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/userinfo.profile",
]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with new_deployment(Path(tmp_path_factory.mktemp("linking")), **PATIENT) as made:
        made.open_gateway()
        made.control("POST", "/accounts", {"email": ACCOUNT})
        made.control("POST", "/accounts", {"email": "somebody@globex.example"})
        made.worker()
        yield made


def pending(deployment: Deployment, tenant: str) -> str:
    deployment.admin.add_tenant(tenant)
    return deployment.admin.add_service_provider_app(tenant, "default", limits=GoogleLimits()).id


def link_url(deployment: Deployment, connection: str) -> str:
    return consent(deployment.admin, deployment.admin.connection(connection))


def show(deployment: Deployment, connection: str) -> dict[str, object]:
    return as_json(deployment.admin.connection(connection))


def tokens_revoked(deployment: Deployment) -> int:
    return sum(
        item["path"] == "/revoke" and item["status"] == 200
        for item in deployment.control("GET", "/requests")
    )


def exchanges(deployment: Deployment) -> int:
    return sum(item["path"] == "/token" for item in deployment.control("GET", "/requests"))


def test_an_administrator_signs_in_consents_and_reminders_leave_from_his_account(
    deployment: Deployment,
) -> None:
    deployment.ask("tenants", "add", "globex")
    connection = deployment.ask("connections", "add", "globex", "--kind", "service_provider_app")[
        "id"
    ]
    url = deployment.ask("connections", "link", connection)["url"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    assert (query["access_type"], query["prompt"], query["code_challenge_method"]) == (
        "offline",
        "consent",
        "S256",
    )
    assert set(query["scope"].split()) == {SEND_SCOPE, *IDENTITY}

    page = deployment.consent(url, ACCOUNT)
    assert page.status_code == 200
    assert "Account linked" in page.text
    assert page.headers["Cache-Control"] == "no-store"

    shown = show(deployment, connection)
    assert (shown["state"], shown["mailbox"]) == ("active", ACCOUNT)

    job = deployment.send(campaign(1, tenant="globex"))[0]
    deployment.wait_recorded([job], {"accepted"})
    [message] = [message for message in deployment.messages() if message["certmail_id"] == job]
    assert message["mailbox"] == ACCOUNT


def test_a_mailbox_of_a_domain_in_another_script_sends_whatever_version_stored_it(
    deployment: Deployment,
) -> None:
    ascii_form, service_account = (
        "access@xn--bcher-kva.example",
        "certmail@buecher-it.iam.gserviceaccount.com",
    )
    deployment.control("POST", "/accounts", {"email": ascii_form})
    deployment.control(
        "POST", "/service-accounts", {"email": service_account, "project": "buecher-it"}
    )
    deployment.control(
        "PUT", f"/service-accounts/{service_account}/delegation", {"scopes": [SEND_SCOPE]}
    )
    deployment.ask("tenants", "add", "buecher", "--domain", "bücher.example")
    options = ["--service-account", service_account, "--mailbox", "access@bücher.example"]
    added = deployment.ask(
        "connections", "add", "buecher", "--kind", "customer_owned_app", *options
    )
    assert added["mailbox"] == ascii_form

    certificate = deployment.admin.connection(added["id"]).certificate
    deployment.control("POST", f"/service-accounts/{service_account}/keys", certificate)
    tested = deployment.ask("connections", "test", "buecher/default")
    assert tested["state"] == "active", tested

    # As versions before stored it, in SQL and in the working copy.
    before = deployment.admin.save(
        replace(
            deployment.admin.connection(added["id"]),
            mailbox="access@bücher.example",
            state=ConnectionState.ACTIVE,
        )
    )
    assert before.mailbox == ascii_form

    job = deployment.send(campaign(1, tenant="buecher"))[0]
    deployment.wait_recorded([job], {"accepted"})
    [message] = [message for message in deployment.messages() if message["certmail_id"] == job]
    assert message["mailbox"] == ascii_form


@pytest.mark.parametrize(
    "email",
    [
        "müller@globex.example",
        "a@b\r\nBcc: eve@evil.example",
        "<b>x</b>@globex.example",
        "nobody",
        "a b@c.example",
    ],
)
def test_an_account_whose_address_cannot_stand_in_a_mail_is_refused_and_kept_nowhere(
    deployment: Deployment, email: str
) -> None:
    tenant = f"odd{len(email)}"
    connection = pending(deployment, tenant)
    sub = deployment.control("POST", "/accounts", {"email": f"{tenant}@globex.example"})["sub"]
    answer = {"sub": sub, "email": email, "email_verified": True}
    deployment.fault({"status": 200, "body": json.dumps(answer)}, path="/v1/userinfo", times=1)
    page = deployment.consent(link_url(deployment, connection), f"{tenant}@globex.example")
    shown = show(deployment, connection)

    assert (shown["code"], shown["mailbox"]) == ("address_unusable", None), page.text
    assert email not in page.text
    assert email not in str(shown)


def test_a_state_works_once(deployment: Deployment) -> None:
    connection = pending(deployment, "once")
    url = link_url(deployment, connection)
    back = requests.post(
        url,
        data={"account": ACCOUNT, "scope": [SEND_SCOPE, *IDENTITY], "decision": "allow"},
        timeout=60,
        allow_redirects=False,
    )

    callback = back.headers["Location"]
    # Whoever only looks whether the page is there, as scanners of links do, uses nothing up.
    assert requests.head(callback, timeout=60).status_code == 405
    assert show(deployment, connection)["state"] == "pending"
    assert requests.get(callback, timeout=60).status_code == 200

    version = show(deployment, connection)
    again = requests.get(callback, timeout=60)
    assert again.status_code == 400
    assert "was used before" in again.text
    assert "look at the connection first" in again.text
    assert show(deployment, connection) == version


def test_a_foreign_state_or_issuer_changes_nothing(deployment: Deployment) -> None:
    connection = pending(deployment, "foreign")
    for query in ("state=invented&code=4/abc", "code=4/abc", "", "error=access_denied"):
        assert (
            requests.get(
                f"{deployment.gateway}/oauth/google/callback?{query}", timeout=60
            ).status_code
            == 400
        )

    back = requests.post(
        link_url(deployment, connection),
        data={"account": ACCOUNT, "scope": [SEND_SCOPE, *IDENTITY], "decision": "allow"},
        timeout=60,
        allow_redirects=False,
    )

    evil = back.headers["Location"].replace("accounts.google.com", "accounts.evil.example")
    assert "evil" in evil
    assert requests.get(evil, timeout=60).status_code == 400
    assert show(deployment, connection)["state"] == "pending"


def test_a_code_that_google_does_not_know_is_a_sign_in_to_be_started_again(
    deployment: Deployment,
) -> None:
    connection = pending(deployment, "bogus")
    state = parse_qs(urlsplit(link_url(deployment, connection)).query)["state"][0]
    query = {"state": state, "code": "4/0Abogus"}
    page = requests.get(f"{deployment.gateway}/oauth/google/callback", params=query, timeout=60)

    assert "Google did not accept this sign-in" in page.text
    assert "Start again" in page.text
    assert "withdrawn" not in page.text
    assert show(deployment, connection)["code"] == "sign_in_refused"


def test_a_consent_without_the_box_for_sending_is_given_back_and_explained(
    deployment: Deployment,
) -> None:
    account = "granular@globex.example"
    deployment.control("POST", "/accounts", {"email": account})
    connection = pending(deployment, "granular")
    before = tokens_revoked(deployment)
    page = deployment.consent(link_url(deployment, connection), account, scopes=IDENTITY)

    assert page.status_code == 400
    assert "tick the box for sending email" in page.text

    shown = show(deployment, connection)
    assert (shown["state"], shown["code"]) == ("attention", "scope_missing")
    assert tokens_revoked(deployment) == before + 1
    assert deployment.consent(link_url(deployment, connection), account).ok
    assert show(deployment, connection)["state"] == "active"


def test_a_denied_consent_is_said_on_the_page_and_on_the_connection(deployment: Deployment) -> None:
    connection = pending(deployment, "denied")
    page = deployment.consent(link_url(deployment, connection), ACCOUNT, decision="deny")
    assert "The permission was not given." in page.text
    assert show(deployment, connection)["code"] == "consent_denied"


def test_a_connection_stays_with_the_account_that_it_was_linked_to(deployment: Deployment) -> None:
    connection = pending(deployment, "same")
    assert deployment.consent(link_url(deployment, connection), ACCOUNT).ok

    page = deployment.consent(link_url(deployment, connection), "somebody@globex.example")
    assert page.status_code == 400
    assert "another account" in page.text

    shown = show(deployment, connection)
    assert (shown["state"], shown["mailbox"]) == ("active", ACCOUNT)


@pytest.fixture(scope="module")
def shared(deployment: Deployment) -> dict[str, str]:
    """The connections of `first` and `second`, with one account, and of `third`, with another."""
    for account in ("shared@globex.example", "other@globex.example"):
        deployment.control("POST", "/accounts", {"email": account})
    made = {tenant: pending(deployment, tenant) for tenant in ("first", "second", "third")}
    for tenant, connection in made.items():
        account = "other@globex.example" if tenant == "third" else "shared@globex.example"
        assert deployment.consent(link_url(deployment, connection), account).ok
    return made


class TestConnectionsOfOneAccount:
    """Google revokes whole grants: what a failed consent gives back, others may be sending by."""

    def everybody_sends(self, deployment: Deployment, why: str) -> None:
        jobs = [
            job
            for tenant in ("first", "second", "third")
            for job in deployment.send(campaign(1, tenant, why))
        ]
        deployment.wait_recorded(jobs, {"accepted"})

    def test_the_box_for_sending_is_not_ticked(
        self, deployment: Deployment, shared: dict[str, str]
    ) -> None:
        page = deployment.consent(
            link_url(deployment, shared["first"]), "shared@globex.example", scopes=IDENTITY
        )
        assert "tick the box for sending email" in page.text
        self.everybody_sends(deployment, "unticked")

    def test_the_box_is_not_ticked_for_a_connection_that_is_new(
        self, deployment: Deployment, shared: dict[str, str]
    ) -> None:
        assert shared
        page = deployment.consent(
            link_url(deployment, pending(deployment, "fourth")),
            "shared@globex.example",
            scopes=IDENTITY,
        )
        assert "tick the box for sending email" in page.text

        self.everybody_sends(deployment, "unticked-new")

    def test_another_account_is_chosen_that_others_send_from(
        self, deployment: Deployment, shared: dict[str, str]
    ) -> None:
        page = deployment.consent(link_url(deployment, shared["first"]), "other@globex.example")
        assert "another account" in page.text
        self.everybody_sends(deployment, "another")

    def test_google_does_not_say_whose_account_it_is(
        self, deployment: Deployment, shared: dict[str, str]
    ) -> None:
        deployment.fault("503", path="/v1/userinfo", times=1)
        page = deployment.consent(link_url(deployment, shared["first"]), "shared@globex.example")
        assert "did not say whose account" in page.text
        self.everybody_sends(deployment, "nameless")

    def test_the_connection_is_changed_meanwhile(
        self, deployment: Deployment, shared: dict[str, str]
    ) -> None:
        url = link_url(deployment, shared["first"])
        deployment.fault("slow", path="/v1/userinfo", seconds=6, times=1)

        with ThreadPoolExecutor() as at_the_browser:
            page = at_the_browser.submit(deployment.consent, url, "shared@globex.example")
            wait_for(
                "userinfo to be asked",
                lambda: deployment.control("GET", "/faults")[-1]["hits"] == 1,
            )
            deployment.admin.save(deployment.admin.connection(shared["first"]))

            assert "was used before, has expired" in page.result().text

        self.everybody_sends(deployment, "changed")

    def test_nothing_is_given_back_while_it_is_linked_nor_linked_while_it_is_given_back(
        self, deployment: Deployment
    ) -> None:
        account = "turns@globex.example"
        sub = deployment.control("POST", "/accounts", {"email": account})["sub"]
        connection = pending(deployment, "turns")
        before = exchanges(deployment)

        with turn(deployment.admin.redis, sub), ThreadPoolExecutor() as at_the_browser:
            page = at_the_browser.submit(
                deployment.consent, link_url(deployment, connection), account
            )
            wait_for("the code to be exchanged", lambda: exchanges(deployment) > before)
            deployment.control(
                "DELETE", f"/accounts/{account}/tokens"
            )  # whoever has the turn gives it back
            assert not page.done()

            deployment.admin.redis.delete(turn(deployment.admin.redis, sub).name)
            assert "did not say whose account" in page.result().text

        assert show(deployment, connection)["code"] == "account_unknown"


class TestWhetherToSendFromTheAccount:
    """An account that was chosen by mistake is linked to nothing."""

    def test_nothing_is_linked_until_somebody_says_yes(self, deployment: Deployment) -> None:
        connection = pending(deployment, "asked")

        with requests.Session() as browser:
            page = sign_in(browser, link_url(deployment, connection), "somebody@globex.example")
            assert "Send the reminders of asked from this account?" in page.text
            assert "somebody@globex.example" in page.text
            assert show(deployment, connection)["state"] == "pending"
            assert requests.get(page.url, timeout=60).status_code == 400, (
                "in another browser it asks nobody"
            )
            assert answer(browser, page, "yes", csrf="guessed").status_code == 403
            assert show(deployment, connection)["state"] == "pending"
            assert "is linked" in answer(browser, page, "yes").text
            assert show(deployment, connection)["mailbox"] == "somebody@globex.example"
            assert "is linked" in answer(browser, page, "no").text, "it is answered once"
            assert "is linked" in browser.get(page.url, timeout=60).text, (
                "loaded again it says how that ended"
            )
            assert "is linked" in browser.get(page.history[-1].url, timeout=60).text, (
                "and so does Google's redirect"
            )
            assert requests.get(page.history[-1].url, timeout=60).status_code == 400, (
                "to nobody else"
            )

        assert show(deployment, connection)["state"] == "active"

    def test_no_gives_it_back_and_leads_to_another_account(self, deployment: Deployment) -> None:
        deployment.control("POST", "/accounts", {"email": "mistaken@acme.example"})
        connection, before = pending(deployment, "declined"), tokens_revoked(deployment)

        with requests.Session() as browser:
            page = sign_in(browser, link_url(deployment, connection), "mistaken@acme.example")
            declined = answer(browser, page, "no")
            assert "That account was not linked" in declined.text
            assert (show(deployment, connection)["state"], tokens_revoked(deployment)) == (
                "pending",
                before + 1,
            )
            assert "was not linked" in browser.get(page.url, timeout=60).text, (
                "loaded again it says so again"
            )

            [url] = re.findall(r'href="([^"]+/o/oauth2/v2/auth[^"]+)"', declined.text)
            page = sign_in(browser, unescape(url), "somebody@globex.example")
            assert answer(browser, page, "yes").ok

        assert show(deployment, connection)["mailbox"] == "somebody@globex.example"

    def test_no_takes_nothing_from_others_that_send_from_it_and_says_so_first(
        self, deployment: Deployment, shared: dict[str, str]
    ) -> None:
        assert shared
        connection, before = pending(deployment, "crossed"), tokens_revoked(deployment)

        with requests.Session() as browser:
            page = sign_in(browser, link_url(deployment, connection), "shared@globex.example")
            assert "Another organisation" in page.text
            assert "first" not in page.text, "which one is nobody's business here"
            answer(browser, page, "no")

        assert tokens_revoked(deployment) == before

        jobs = deployment.send(campaign(1, "first", "crossed"))
        deployment.wait_recorded(jobs, {"accepted"})

    def test_a_permission_that_ended_before_yes_was_said_is_not_kept(
        self, deployment: Deployment
    ) -> None:
        account = "fleeting@globex.example"
        deployment.control("POST", "/accounts", {"email": account})
        connection = pending(deployment, "fleeting")
        with requests.Session() as browser:
            page = sign_in(browser, link_url(deployment, connection), account)
            deployment.control("DELETE", f"/accounts/{account}/tokens")
            assert "did not say whose account" in answer(browser, page, "yes").text

        assert show(deployment, connection)["code"] == "account_unknown"

    def test_a_mailbox_of_another_domain_is_refused(self, deployment: Deployment) -> None:
        deployment.ask(
            "tenants",
            "add",
            "strict",
            "--name",
            "Strict",
            "--domain",
            "Strict.example",
            "--domain",
            "strict.co",
        )

        assert deployment.ask("tenants", "show", "strict")["domains"] == [
            "strict.example",
            "strict.co",
        ]

        connection = deployment.admin.add_service_provider_app(
            "strict", "default", limits=GoogleLimits()
        ).id
        page = deployment.consent(link_url(deployment, connection), "somebody@globex.example")

        assert "Strict may send only from mailboxes of strict.example or strict.co" in page.text
        assert show(deployment, connection)["code"] == "domain_not_allowed"

        owned = (
            "connections",
            "add",
            "strict",
            "--name",
            "own",
            "--kind",
            "customer_owned_app",
            "--service-account",
        )

        ran = deployment.run(
            *owned, "c@p.iam.gserviceaccount.com", "--mailbox", "x@globex.example", "--json"
        )
        assert ran.json["error"]["code"] == "domain_not_allowed"

        deployment.ask("tenants", "set", "strict", "--domain", "")
        assert deployment.consent(link_url(deployment, connection), "somebody@globex.example").ok

    def test_an_operator_lets_another_account_take_over_and_what_waits_leaves_from_it(
        self, deployment: Deployment
    ) -> None:
        for account in ("old@wayne.example", "new@wayne.example"):
            deployment.control("POST", "/accounts", {"email": account})
        connection, before = pending(deployment, "wayne"), tokens_revoked(deployment)
        assert deployment.consent(link_url(deployment, connection), "old@wayne.example").ok

        deployment.control("DELETE", "/accounts/old@wayne.example/tokens")
        [job] = deployment.send(campaign(1, "wayne"))
        wait_for(
            "the lane stops",
            lambda: (deployment.status(job)["reason"] or "").startswith("grant_revoked: "),
        )

        assert (
            "another account"
            in deployment.consent(link_url(deployment, connection), "new@wayne.example").text
        )

        url = deployment.ask("connections", "link", connection, "--another-account")["url"]
        assert deployment.consent(url, "new@wayne.example").ok

        deployment.wait_recorded([job], {"accepted"})
        [message] = [message for message in deployment.messages() if message["certmail_id"] == job]
        assert message["mailbox"] == "new@wayne.example"
        assert tokens_revoked(deployment) == before + 1, (
            "that of the consent that was refused; the old one has ended"
        )


def sign_in(browser: requests.Session, url: str, account: str) -> requests.Response:
    """Allow everything at Google's page; gives the page that follows."""
    scopes = parse_qs(urlsplit(url).query)["scope"][0].split()
    form = {"account": account, "scope": scopes, "decision": "allow"}
    return browser.post(url, data=form, timeout=60)


def answer(
    browser: requests.Session, page: requests.Response, said: str, *, csrf: str = ""
) -> requests.Response:
    """Answer the question on a page."""
    [token] = re.findall(r'name="csrf" value="([^"]+)"', page.text)
    return browser.post(page.url, data={"csrf": csrf or token, "answer": said}, timeout=60)


def test_a_withdrawn_permission_stops_the_lane_and_linking_again_lets_its_jobs_leave(
    deployment: Deployment,
) -> None:
    account = "withdrawn@globex.example"
    deployment.control("POST", "/accounts", {"email": account})
    connection = pending(deployment, "withdrawn")
    assert deployment.consent(link_url(deployment, connection), account).ok

    deployment.control("DELETE", f"/accounts/{account}/tokens")
    job = deployment.send(campaign(1, tenant="withdrawn"))[0]
    wait_for(
        "the lane stops",
        lambda: (deployment.status(job)["reason"] or "").startswith("grant_revoked: "),
    )
    assert deployment.consent(link_url(deployment, connection), account).ok

    deployment.wait_recorded([job], {"accepted"})
    assert deployment.copies()[job] == 1


def test_waiting_for_the_link_shows_the_result(deployment: Deployment) -> None:
    connection = pending(deployment, "waiting")
    process = deployment.start(
        "certmail_worker", "connections", "link", connection, "--wait", "--json", log="link.log"
    )
    log = deployment.data_dir / "link.log"
    wait_for("the page's address", lambda: "/o/oauth2/v2/auth?" in log.read_text())
    url = next(
        line for line in log.read_text().splitlines() if "/o/oauth2/v2/auth?" in line
    ).strip()

    assert deployment.consent(url, ACCOUNT).ok
    assert process.wait(60) == 0
    assert '"state": "active"' in log.read_text()


def test_without_a_client_linking_says_what_to_set(deployment: Deployment) -> None:
    connection = pending(deployment, "no-client")
    ran = deployment.run("connections", "link", connection, "--json", CERTMAIL_OAUTH_CLIENT_ID="")
    assert (ran.status, ran.json["error"]["code"]) == (2, "oauth_client_missing")
    assert "/oauth/google/callback" in ran.json["error"]["remedy"]


def test_a_link_result_page_shows_html_in_a_name_as_text(deployment: Deployment) -> None:
    connection = pending(deployment, "html")
    url = link_url(deployment, connection)
    state = parse_qs(urlsplit(url).query)["state"][0]
    page = requests.get(
        f"{deployment.gateway}/oauth/google/callback",
        params={"state": state, "error": "<script>alert(1)</script>"},
        timeout=60,
    )

    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_the_gateway_says_whether_it_is_ready(deployment: Deployment) -> None:
    assert requests.get(f"{deployment.gateway}/healthz", timeout=60).json() == {"ok": True}
    found = requests.get(f"{deployment.gateway}/readyz", timeout=60).json()
    assert (found["ready"], found["checks"]["redis"], found["checks"]["database"]) == (
        True,
        "ok",
        "ok",
    )
