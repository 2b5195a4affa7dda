"""Attacks on the console, over HTTP: each is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from certmail_config.admin.erasing import erase_connection
from certmail_config.admin.suspension import set_tenant_state
from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.tenants.models import ConnectionState, GoogleLimits, TenantState
from support.deployment.console_visitor import PASSWORD, Visitor, operator
from support.deployment.deployment import QUICK, Deployment, new_deployment

HTML = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    settings = QUICK | {"CERTMAIL_OPERATOR_PASSWORD": PASSWORD}
    settings |= {"CERTMAIL_RETURN_URLS": "https://app.example.com/settings"}
    with new_deployment(Path(tmp_path_factory.mktemp("attacks")), **settings) as made:
        made.open_gateway()
        yield made


@pytest.fixture(autouse=True)
def _forget_tries(deployment: Deployment) -> None:
    for name in deployment.admin.redis.scan_iter(f"{redis_keys.LOGINS}*"):
        deployment.admin.redis.delete(name)


@pytest.fixture
def somebody(deployment: Deployment) -> Visitor:
    return operator(deployment)


def pending(deployment: Deployment, tenant: str) -> str:
    """A connection that is to be linked; gives its id."""
    deployment.admin.add_tenant(tenant)
    return deployment.admin.add_service_provider_app(tenant, "default", limits=GoogleLimits()).id


def begin(visitor: Visitor, connection: str, base: str = "/console") -> str:
    """Press Link; gives Google's page, without going there."""
    visitor.get(f"{base}/connections/{connection}")
    sent = visitor.session.post(
        f"{visitor.deployment.gateway}{base}/connections/{connection}/link",
        data={"csrf": visitor.token},
        allow_redirects=False,
        timeout=60,
    )
    assert sent.status_code == 303, sent.text
    return sent.headers["Location"]


def come_back(visitor: Visitor, google: str, account: str) -> str:
    """Consent; gives the address that Google redirects to, without going there."""
    scope = parse_qs(urlsplit(google).query)["scope"][0].split()
    form = {"account": account, "decision": "allow", "scope": scope}
    answer = visitor.session.post(google, data=form, allow_redirects=False, timeout=60)
    return answer.headers["Location"]


def state_of(deployment: Deployment, connection: str) -> str:
    return str(deployment.admin.connection(ConnectionId(connection)).state)


def service_account(deployment: Deployment, tenant: str) -> ConnectionId:
    """A connection of a service account that waits for its super administrator."""
    deployment.admin.add_tenant(tenant)
    made = deployment.admin.add_customer_owned_app(
        tenant,
        "default",
        service_account=f"certmail@{tenant}-it.iam.gserviceaccount.com",
        mailbox=f"reviews@{tenant}.example",
        limits=GoogleLimits(),
        valid_days=60,
    )

    return made.id


def hand_on(visitor: Visitor, connection: str, base: str = "/console") -> str:
    """Make the super administrator's link; gives its path."""
    visitor.get(f"{base}/connections/{connection}")
    visitor.post(f"{base}/connections/{connection}/delegation")
    [url] = re.findall(r"http://\S+/connect/delegation/\S+", visitor.text)
    return str(urlsplit(url).path)


class TestTheSuperAdministratorsLink:
    def test_it_shows_what_is_to_be_authorised_and_opens_nothing_else(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        connection = service_account(deployment, "handed")
        path = hand_on(somebody, connection)
        holder = Visitor(deployment)
        said = holder.read(path)

        for shown in (
            "reviews@handed.example",
            "certmail@handed-it.iam.gserviceaccount.com",
            "gmail.send",
        ):
            assert shown in said
        assert not holder.session.cookies, "it lets nobody in"
        assert holder.page.text.count("<form") == 1

        for other in ("", "/certificate", "/check", "/link", "/correction", "/delegation"):
            for base in ("/connect", "/console"):
                answer = holder.session.get(
                    f"{deployment.gateway}{base}/connections/{connection}{other}",
                    timeout=60,
                    allow_redirects=False,
                )
                assert answer.status_code in {303, 403, 405}

        token = path.rpartition("/")[2]
        assert holder.get(f"/connect/{token}").status_code == 403, "it is no set-up link"

    def test_its_form_is_sent_from_its_own_page_alone(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        mine = hand_on(somebody, service_account(deployment, "sa-mine"))
        other = hand_on(somebody, service_account(deployment, "sa-other"))
        holder = Visitor(deployment)
        holder.get(other)
        foreign = holder.token

        assert holder.post(mine, token=foreign).status_code == 403
        assert holder.post(mine, token="").status_code == 403

        holder.get(mine)
        sent = holder.session.post(
            f"{deployment.gateway}{mine}",
            data={"csrf": holder.token},
            headers={"Sec-Fetch-Site": "cross-site"},
            timeout=60,
        )

        assert sent.status_code == 403
        assert holder.post(mine, token=holder.token).ok

    @pytest.mark.parametrize(
        "how", ["altered", "replaced", "moved", "suspended", "other account", "removed"]
    )
    def test_it_ends(self, deployment: Deployment, somebody: Visitor, how: str) -> None:
        tenant = f"ends-{how.replace(' ', '-')}"
        connection = service_account(deployment, tenant)
        path, redis = hand_on(somebody, connection), deployment.admin.redis
        assert Visitor(deployment).get(path).ok

        match how:
            case "altered":
                path = path[:-1] + ("A" if path[-1] != "A" else "B")
            case "replaced":
                hand_on(somebody, connection)
            case "moved":  # by somebody who can write Redis
                theirs = hand_on(somebody, service_account(deployment, f"{tenant}-theirs"))
                other = theirs.rpartition("/")[2].partition(".")[0]
                redis.set(
                    redis_keys.DELEGATION + connection,
                    redis.get(redis_keys.DELEGATION + other) or b"",
                )
                path = path.replace(path.rpartition(".")[2], theirs.rpartition(".")[2])
            case "suspended":
                set_tenant_state(deployment.admin, tenant, TenantState.SUSPENDED, "somebody")
            case "other account":
                found = deployment.admin.connection(connection)
                deployment.admin.save(replace(found, service_account="x@y.iam.gserviceaccount.com"))
            case "removed":
                erase_connection(deployment.admin, deployment.admin.connection(connection))

        ended = Visitor(deployment)
        assert ended.get(path).status_code == 403
        assert "ask whoever sent you the link for a new one" in ended.text
        assert tenant not in ended.text

    def test_once_it_works_it_says_so_and_shows_nothing_more_whatever_happens_later(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        connection = service_account(deployment, "completed")
        path = hand_on(somebody, connection)
        working = deployment.admin.connection(connection).working(key_id="abc")
        deployment.admin.save(working)

        for _ in ("once", "and later"):
            said = Visitor(deployment).read(path)
            assert "There is nothing left for you to do." in said
            assert "completed" not in said

            found = deployment.admin.connection(connection)
            deployment.admin.save(
                found.failing("delegation_missing", "It is gone.", "Do it again.")
            )

    def test_a_visitor_makes_one_for_their_own_connection_only(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        theirs = service_account(deployment, "not-theirs")
        service_account(deployment, "sa-own")
        url = deployment.ask("connections", "setup-link", "sa-own")["url"]
        visitor = Visitor(deployment)
        visitor.open_link(url)
        own = urlsplit(visitor.page.url).path.rpartition("/")[2]
        assert Visitor(deployment).get(hand_on(visitor, own, "/connect")).ok

        visitor.get(f"/connect/connections/{own}")
        assert visitor.post(f"/connect/connections/{theirs}/delegation").status_code == 404

    def test_for_a_linked_account_there_is_none(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        connection = pending(deployment, "no-delegation")
        somebody.get(f"/console/connections/{connection}")
        assert somebody.post(f"/console/connections/{connection}/delegation").status_code == 409


class TestTheWayBackFromGoogle:
    def test_a_consent_begun_in_another_browser_is_not_ended_in_this_one(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        # An attacker's link, sent to a victim: the victim's mailbox would end in the attacker's
        # hands.
        connection = pending(deployment, "foreign-state")
        deployment.control("POST", "/accounts", {"email": "victim@foreign.example"})
        google = begin(somebody, connection)
        victim = Visitor(deployment)
        back = come_back(victim, google, "victim@foreign.example")

        assert victim.get(back).status_code == 400
        assert "was not started here" in victim.text
        assert state_of(deployment, connection) == "pending"

    def test_a_state_is_good_once(self, deployment: Deployment, somebody: Visitor) -> None:
        connection = pending(deployment, "replayed")
        deployment.control("POST", "/accounts", {"email": "reviews@replayed.example"})
        back = come_back(somebody, begin(somebody, connection), "reviews@replayed.example")
        assert somebody.get(back).ok
        assert state_of(deployment, connection) == "pending"

        somebody.post(urlsplit(somebody.page.url).path, answer="yes")
        assert state_of(deployment, connection) == "active"

        linked = deployment.admin.connection(ConnectionId(connection))
        assert somebody.get(back).ok, "whoever loads the page again is told how it ended"
        assert deployment.admin.connection(linked.id) == linked, "and nothing more comes of it"
        assert Visitor(deployment).get(back).status_code == 400, "another browser is told nothing"

    def test_the_question_is_answered_by_that_browser_alone_and_from_its_own_page(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        connection = pending(deployment, "answered")
        deployment.control("POST", "/accounts", {"email": "reviews@answered.example"})
        somebody.get(come_back(somebody, begin(somebody, connection), "reviews@answered.example"))
        path, token = urlsplit(somebody.page.url).path, somebody.token
        stranger = Visitor(deployment)

        assert stranger.get(path).status_code == 400
        assert stranger.post(path, token=token, answer="yes").status_code == 400
        assert somebody.post(path, token="guessed", answer="yes").status_code == 403
        assert somebody.get(path.replace("account/", "account/x")).status_code == 400
        assert state_of(deployment, connection) == "pending"

    def test_somebody_elses_code_is_refused_by_its_proof_key(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        connection, other = pending(deployment, "injected"), pending(deployment, "injecting")
        deployment.control("POST", "/accounts", {"email": "attacker@injected.example"})
        stolen = come_back(
            Visitor(deployment), begin(operator(deployment), other), "attacker@injected.example"
        )
        code = parse_qs(urlsplit(stolen).query)["code"][0]
        state = parse_qs(urlsplit(begin(somebody, connection)).query)["state"][0]
        somebody.get(f"/oauth/google/callback?state={state}&code={code}")
        assert "certmail@" not in somebody.text

        found = deployment.admin.connection(ConnectionId(connection))
        assert (found.sub, found.mailbox, found.refresh_token) == (None, None, None)

    def test_an_answer_of_another_issuer_is_refused(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        connection = pending(deployment, "issuer")
        deployment.control("POST", "/accounts", {"email": "reviews@issuer.example"})
        back = come_back(somebody, begin(somebody, connection), "reviews@issuer.example")
        back = re.sub(r"iss=[^&]*", "", back) + "&iss=https://evil.example"
        somebody.get(back)

        assert "was not started here" in somebody.text
        assert state_of(deployment, connection) == "pending"

    def test_the_callback_leads_to_no_address_that_is_given_to_it(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        connection = pending(deployment, "redirect")
        state = parse_qs(urlsplit(begin(somebody, connection)).query)["state"][0]
        query = (
            f"state={state}&error=access_denied&back=https://evil.example&return_url=//evil.example"
        )
        answer = somebody.session.get(
            f"{deployment.gateway}/oauth/google/callback?{query}", allow_redirects=False, timeout=60
        )

        assert answer.headers["Location"] == f"/console/connections/{connection}"


class TestSetUpLinks:
    def issue(self, deployment: Deployment, tenant: str) -> str:
        deployment.admin.add_tenant(tenant)
        return str(deployment.ask("connections", "setup-link", tenant)["url"])

    def test_a_stolen_one_opens_nothing_in_another_browser(self, deployment: Deployment) -> None:
        url = self.issue(deployment, "stolen")
        assert Visitor(deployment).open_link(url).ok
        thief = Visitor(deployment)
        assert thief.get(url).status_code == 403
        assert "was pressed in another browser" in thief.text
        assert thief.get("/connect").status_code == 403

    def test_a_mail_program_that_looks_at_it_first_does_not_use_it_up(
        self, deployment: Deployment
    ) -> None:
        url = self.issue(deployment, "scanned")
        requests.get(url, timeout=60)
        requests.head(url, timeout=60)
        assert Visitor(deployment).open_link(url).ok

    def test_two_that_press_start_at_once_do_not_both_get_in(self, deployment: Deployment) -> None:
        url = self.issue(deployment, "raced")
        one, other = Visitor(deployment), Visitor(deployment)
        one.get(url)
        other.get(url)
        assert one.post(url).ok
        assert other.post(url).status_code == 403

    def test_a_newer_one_ends_it_and_whoever_is_in(self, deployment: Deployment) -> None:
        url = self.issue(deployment, "reissued")
        visitor = Visitor(deployment)
        assert visitor.open_link(url).ok

        newer = deployment.ask("connections", "setup-link", "reissued")["url"]
        assert visitor.get("/connect").status_code == 403
        assert visitor.get(url).status_code == 403
        assert Visitor(deployment).open_link(newer).ok

    def test_one_that_is_over_or_altered_opens_nothing(self, deployment: Deployment) -> None:
        url = self.issue(deployment, "altered")
        tenant, id_ = url.rpartition("/")[2].split(".")
        for token in (
            f"{tenant}.{'A' if id_[0] != 'A' else 'B'}{id_[1:]}",
            f"somebody.{id_}",
            f"{tenant}.{id_}.{'s' * 43}",
            f"{tenant}.{id_[:-1]}",
            "a.b.c",
            "x" * 5000,
        ):
            assert Visitor(deployment).get(f"/connect/{token}").status_code in {403, 404}, token

        deployment.admin.redis.delete(redis_keys.SETUP + "altered")  # as after seven days
        visitor = Visitor(deployment)
        assert visitor.get(url).status_code == 403
        assert "has expired" in visitor.text

    def finished(self, deployment: Deployment, tenant: str) -> Visitor:
        """Somebody whose set-up is complete, and who may look at it for a while."""
        url = self.issue(deployment, tenant)
        visitor = Visitor(deployment)
        visitor.open_link(url)
        made = deployment.admin.add_service_provider_app(tenant, "default", limits=GoogleLimits())
        deployment.admin.save(
            replace(made, mailbox=f"box@{tenant}.example", state=ConnectionState.ACTIVE)
        )
        assert f"box@{tenant}.example" in visitor.read("/connect")
        assert visitor.get(url).ok, "it is shown where it was completed"

        return visitor

    def test_a_visit_ends_with_a_newer_link_with_suspension_and_with_removal(
        self, deployment: Deployment
    ) -> None:
        relinked, _, removed = (self.finished(deployment, f"done-{n}") for n in range(3))
        begun = Visitor(deployment)
        begun.open_link(
            deployment.ask("connections", "setup-link", "done-1", "--name", "second")["url"]
        )
        assert begun.get("/connect").ok

        suspended = self.finished(deployment, "done-3")

        ran = deployment.run("connections", "setup-link", "done-0", "--json")
        assert (ran.status, ran.json["error"]["code"]) == (1, "connection_active")
        assert relinked.get("/connect").ok

        deployment.ask("connections", "setup-link", "done-0", "--again")
        set_tenant_state(deployment.admin, "done-1", TenantState.SUSPENDED, "for now")
        set_tenant_state(deployment.admin, "done-3", TenantState.SUSPENDED, "for now")
        erase_connection(deployment.admin, deployment.admin.connection("done-2/default"))

        for over in (relinked, begun, suspended, removed):
            assert over.get("/connect").status_code == 403

    def test_it_is_forgotten_after_seven_days(self, deployment: Deployment) -> None:
        self.issue(deployment, "week")
        left = deployment.admin.redis.ttl(redis_keys.SETUP + "week")
        assert 7 * 86_400 - 60 < int(str(left)) <= 7 * 86_400

    def test_it_opens_one_connection_of_one_tenant(self, deployment: Deployment) -> None:
        mine, theirs = self.issue(deployment, "mine"), pending(deployment, "theirs")
        visitor = Visitor(deployment)
        visitor.open_link(mine)
        token = visitor.token

        for path in (
            f"/connect/connections/{theirs}",
            f"/connect/connections/{theirs}/certificate",
            "/connect/connections/theirs%2Fdefault",
            "/connect/set-up/theirs/default",
            "/connect/set-up/theirs/default/service-account",
            "/connect/set-up/mine/another",
        ):
            assert visitor.get(path).status_code == 404, path

        for path in ("check", "link", "correction", "another-kind"):
            answer = visitor.post(f"/connect/connections/{theirs}/{path}", token=token)
            assert answer.status_code == 404, path

        assert (
            visitor.post("/connect/set-up/theirs/default/linked-account", token=token).status_code
            == 404
        )
        assert state_of(deployment, theirs) == "pending"

    def test_it_opens_nothing_of_the_operators(self, deployment: Deployment) -> None:
        url = self.issue(deployment, "climber")
        connection = pending(deployment, "above")
        visitor = Visitor(deployment)
        visitor.open_link(url)
        secret = str(visitor.cookie("certmail-setup"))
        visitor.bake("certmail-console", secret)
        for path in ("/console", f"/console/connections/{connection}", "/console/new"):
            assert urlsplit(visitor.get(path).url).path == "/console/sign-in", path

        for path in ("suspend", "rotate", "removal", "invitation"):
            answer = visitor.session.post(
                f"{deployment.gateway}/connect/connections/{connection}/{path}", timeout=60
            )
            assert answer.status_code == 404, path


class TestForms:
    @pytest.mark.parametrize("token", ["", "guessed", "x" * 43])
    def test_one_without_its_pages_token_does_nothing(
        self, deployment: Deployment, somebody: Visitor, token: str
    ) -> None:
        connection = pending(deployment, f"csrf{len(token)}")
        for path in ("suspend", "link", "check", "removal", "another-kind", "invitation"):
            answer = somebody.post(f"/console/connections/{connection}/{path}", token=token)
            assert answer.status_code == 403, path
        assert state_of(deployment, connection) == "pending"

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ],
    )
    def test_one_that_another_site_sends_does_nothing(
        self, deployment: Deployment, somebody: Visitor, headers: dict[str, str]
    ) -> None:
        somebody.get("/console/new")
        form = {"csrf": somebody.token, "tenant": "smuggled", "organisation": "", "name": ""}
        answer = somebody.session.post(
            f"{deployment.gateway}/console/new", data=form, headers=headers, timeout=60
        )
        assert answer.status_code == 403

    def test_signing_in_needs_the_forms_own_token_too(self, deployment: Deployment) -> None:
        visitor = Visitor(deployment)
        visitor.get("/console/sign-in")
        assert visitor.post("/console/sign-in", token="x", password=PASSWORD).status_code == 403
        assert urlsplit(visitor.get("/console").url).path == "/console/sign-in"

    def test_nothing_changes_by_looking(self, deployment: Deployment, somebody: Visitor) -> None:
        connection = pending(deployment, "looking")
        for path in ("suspend", "resume", "rotate", "check", "link", "another-kind", "correction"):
            assert somebody.get(f"/console/connections/{connection}/{path}").status_code == 405, (
                path
            )


class TestSigningIn:
    def test_a_guesser_is_stopped_even_with_the_right_password(
        self, deployment: Deployment
    ) -> None:
        visitor = Visitor(deployment)
        for _ in range(5):
            assert visitor.sign_in("wrong password").status_code == 403

        answer = visitor.sign_in(PASSWORD)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 900
        assert "Too many tries" in visitor.text

        fresh = Visitor(deployment)
        assert fresh.sign_in(PASSWORD).status_code == 429, "another browser of that address neither"

    def test_whoever_is_signed_in_is_not_shut_out_by_a_guesser(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        guesser = Visitor(deployment)
        for _ in range(7):
            guesser.sign_in("wrong password")
        assert somebody.get("/console").ok
        assert urlsplit(somebody.page.url).path == "/console"

    def test_a_session_that_was_known_before_is_worth_nothing_after(
        self, deployment: Deployment
    ) -> None:
        visitor = Visitor(deployment)
        visitor.bake("certmail-console", "fixed-by-an-attacker")
        visitor.sign_in()
        assert visitor.cookie("certmail-console") != "fixed-by-an-attacker"

        attacker = Visitor(deployment)
        attacker.bake("certmail-console", "fixed-by-an-attacker")
        assert urlsplit(attacker.get("/console").url).path == "/console/sign-in"

    def test_signing_in_again_ends_the_session_before(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        before = str(somebody.cookie("certmail-console"))
        somebody.sign_in()
        thief = Visitor(deployment)
        thief.bake("certmail-console", before)
        assert urlsplit(thief.get("/console").url).path == "/console/sign-in"

    def test_a_cookie_that_was_stolen_is_worth_nothing_after_signing_out(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        stolen = str(somebody.cookie("certmail-console"))
        somebody.get("/console")
        somebody.post("/console/sign-out")
        thief = Visitor(deployment)
        thief.bake("certmail-console", stolen)
        assert urlsplit(thief.get("/console").url).path == "/console/sign-in"


class TestPages:
    def test_none_can_be_framed_or_run_what_is_not_ours(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        connection = pending(deployment, "framed")
        paths = [
            "/console",
            f"/console/connections/{connection}",
            "/console/sign-in",
            "/connect",
            "/console/nowhere",
        ]

        paths += ["/connect/x", "/oauth/google/callback"]
        for path in paths:
            headers = somebody.get(path).headers
            policy = headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy, path
            assert "default-src 'none'" in policy, path
            assert "unsafe" not in policy, path
            assert headers["X-Frame-Options"] == "DENY", path
            assert headers["X-Content-Type-Options"] == "nosniff", path
            assert headers["Cache-Control"] == "no-store", path
            assert not re.search(r"<[^>]+\s(on\w+|style)=", somebody.page.text), path
            assert not re.search(r"<script(?![^>]*\ssrc=)", somebody.page.text), path

    def test_html_in_every_field_is_text(self, deployment: Deployment, somebody: Visitor) -> None:
        somebody.get("/console/new")

        for field in ("tenant", "organisation", "name"):
            fields = {"tenant": "html", "organisation": "", "name": "", field: HTML}
            somebody.post("/console/new", **fields)
            assert "onerror=alert(1)>" not in somebody.page.text, field
            assert "<script>alert" not in somebody.page.text, field
            somebody.get("/console/new")

        deployment.ask("tenants", "set", "html", "--name", HTML)

        for field in ("service_account", "mailbox", "valid_days", "verify"):
            fields = {
                "service_account": "a@b.example",
                "mailbox": "c@d.example",
                "valid_days": "x",
                "verify": "",
            }

            somebody.get("/console/set-up/html/default/service-account")
            somebody.post("/console/set-up/html/default/service-account", **fields | {field: HTML})
            assert somebody.page.status_code == 400, field
            assert "<script>alert" not in somebody.page.text, field
            assert "onerror=alert(1)>" not in somebody.page.text, field

        connection = pending(deployment, "html-words")
        found = deployment.admin.connection(ConnectionId(connection))
        deployment.admin.save(
            found.failing("odd", f"Google says: {HTML} 100 % {{{{ 7*7 }}}}", f"{HTML} %(x)s")
        )

        for path in ("/console", f"/console/connections/{connection}", f"/console?q={HTML}"):
            somebody.get(path)
            assert somebody.page.ok, path
            assert "<script>alert" not in somebody.page.text, path
            assert "onerror=alert(1)>" not in somebody.page.text, path

        somebody.get(f"/console/connections/{connection}")
        assert "&lt;script&gt;alert(2)&lt;/script&gt;" in somebody.page.text
        assert "100 % {{ 7*7 }}" in somebody.text

    def test_a_link_or_certificate_shows_no_private_key(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        connection = deployment.link("public")
        for path in ("", "/certificate", "/removal"):
            text = somebody.get(f"/console/connections/{connection}{path}").text
            assert "PRIVATE" not in text, path

    @pytest.mark.parametrize(
        "path",
        [
            "/console/static/x/../../app.py",
            "/console/static/x/routes.py",
            "/console/static/x/%2e%2e%2fapp.py",
        ],
    )
    def test_only_the_files_that_are_meant_are_given_out(
        self, deployment: Deployment, path: str
    ) -> None:
        assert requests.get(f"{deployment.gateway}{path}", timeout=60).status_code == 404

    def test_a_form_that_is_too_large_is_refused(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        somebody.get("/console/new")
        answer = somebody.post("/console/new", tenant="x" * 100_000, organisation="", name="")
        assert answer.status_code == 413


def test_cookies_are_for_this_host_over_https_only_where_it_is_reached_so(tmp_path: Path) -> None:
    settings = {
        "CERTMAIL_OPERATOR_PASSWORD": PASSWORD,
        "CERTMAIL_PUBLIC_URL": "https://certmail.example.com",
    }
    with new_deployment(tmp_path, **settings) as deployment:
        deployment.open_gateway()
        answer = requests.get(f"{deployment.gateway}/console/sign-in", timeout=60)
        cookie = answer.headers["Set-Cookie"]

        assert cookie.startswith("__Host-certmail-sign-in=")
        for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert word in cookie
        assert "Domain" not in cookie
        assert answer.headers["Strict-Transport-Security"]


def test_another_password_ends_every_visit(tmp_path: Path) -> None:
    with new_deployment(tmp_path, CERTMAIL_OPERATOR_PASSWORD=PASSWORD) as deployment:
        first = deployment.open_gateway()
        visitor = operator(deployment)
        assert urlsplit(visitor.get("/console").url).path == "/console"

        first.terminate()
        first.wait(60)
        deployment.environment["CERTMAIL_OPERATOR_PASSWORD"] = "something else entirely"
        deployment.open_gateway()

        assert urlsplit(visitor.get("/console").url).path == "/console/sign-in"


def test_without_an_operator_the_console_is_closed_and_says_how_it_opens(tmp_path: Path) -> None:
    with new_deployment(tmp_path) as deployment:
        deployment.open_gateway()
        answer = requests.get(f"{deployment.gateway}/console/sign-in", timeout=60)
        assert answer.status_code == 503
        assert "certmail operators add NAME --role admin" in answer.text
        token = re.search(r'name="csrf" value="([^"]+)"', answer.text)
        assert token is None, "there is no form"
