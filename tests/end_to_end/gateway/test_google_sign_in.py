"""Operators who sign in with Google: over HTTP, with the sandbox as Google."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from certmail_config.admin.operators.accounts import add_operator, remove_operator, switch_operator
from certmail_config.operators.roles import OperatorRole
from support.deployment.console_visitor import Visitor
from support.deployment.deployment import QUICK, Deployment, new_deployment

CLIENT = {"client_id": "operators.apps.googleusercontent.com", "client_secret": "operators' own"}
CALLBACK = "/console/sign-in/google/callback"
ANN = "ann@acme.example"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """One where whoever is of acme.example may look."""
    settings = QUICK | {
        "CERTMAIL_OPERATOR_OAUTH_CLIENT_ID": CLIENT["client_id"],
        "CERTMAIL_OPERATOR_OAUTH_CLIENT_SECRET": CLIENT["client_secret"],
        "CERTMAIL_OPERATOR_DOMAINS": "acme.example",
        "CERTMAIL_OPERATOR_DOMAIN_ROLE": "viewer",
    }
    with new_deployment(Path(tmp_path_factory.mktemp("google")), **settings) as made:
        made.open_gateway()
        made.control(
            "POST", "/oauth-clients", CLIENT | {"redirect_uris": [made.gateway + CALLBACK]}
        )
        yield made


@pytest.fixture
def visitor(deployment: Deployment) -> Visitor:
    return Visitor(deployment)


def account(deployment: Deployment, email: str, **more: object) -> str:
    deployment.control("POST", "/accounts", {"email": email, **more})
    return email


def begin(visitor: Visitor, path: str = "/console/sign-in") -> str:
    """Press the button; gives the address of Google's page."""
    visitor.get(path)
    answer = visitor.session.post(
        visitor.deployment.gateway + "/console/sign-in/google",
        data={"csrf": visitor.token, "next": urlsplit(path).query.removeprefix("next=")},
        allow_redirects=False,
        timeout=60,
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def at_google(url: str, email: str) -> str:
    """Sign in there, whatever the page offers; gives where Google then leads to."""
    form = {"account": email, "decision": "allow"}
    answer = requests.post(url, data=form, allow_redirects=False, timeout=60)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def sign_in(visitor: Visitor, email: str, path: str = "/console/sign-in") -> requests.Response:
    return visitor.get(at_google(begin(visitor, path), email))


def is_in(visitor: Visitor) -> bool:
    return urlsplit(visitor.get("/console").url).path == "/console"


class TestWho:
    def test_a_member_of_the_domain_has_the_role_of_all(
        self, deployment: Deployment, visitor: Visitor
    ) -> None:
        page = sign_in(visitor, account(deployment, ANN), "/console/sign-in?next=/console/account")
        assert urlsplit(page.url).path == "/console/account"
        assert (ANN in visitor.text, "viewer" in visitor.text) == (True, True)
        assert visitor.get("/console/new").status_code == 403

    def test_an_account_of_that_address_has_its_own_role_and_name(
        self, deployment: Deployment, visitor: Visitor
    ) -> None:
        email = account(deployment, "Bob@acme.example")
        add_operator(deployment.admin, "bob", OperatorRole.ADMIN, password=None, address=email)
        sign_in(visitor, email)
        assert "bob" in visitor.text
        assert visitor.get("/console/new").ok
        assert "Another password" not in visitor.read("/console/account")

        add_operator(
            deployment.admin, "eve", OperatorRole.ADMIN, password=None, address="eve@acme.example"
        )
        switch_operator(deployment.admin, "bob", disabled=True)
        assert not is_in(visitor)
        assert sign_in(visitor, email).status_code == 403, "the domain's role is not for them"
        remove_operator(deployment.admin, "bob")
        sign_in(visitor, email)
        assert is_in(visitor), "but now it is"

    def test_who_comes_to_have_an_account_is_no_longer_one_of_all(
        self, deployment: Deployment, visitor: Visitor
    ) -> None:
        email = account(deployment, "carl@acme.example")
        sign_in(visitor, email)
        assert is_in(visitor)
        add_operator(deployment.admin, "carl", OperatorRole.ADMIN, password=None, address=email)
        assert not is_in(visitor)

    def test_an_address_that_became_somebody_elses_lets_nobody_in(
        self, deployment: Deployment, visitor: Visitor
    ) -> None:
        email = account(deployment, "dora@acme.example", sub="1001")
        add_operator(deployment.admin, "dora", OperatorRole.ADMIN, password=None, address=email)
        sign_in(visitor, email)
        assert is_in(visitor)
        account(deployment, email, sub="1002")
        assert sign_in(Visitor(deployment), email).status_code == 403

    @pytest.mark.parametrize(
        ("email", "more"),
        [
            ("eve@evil.example", {}),
            ("eve@gmail.com", {}),
            ("eve@acme.example", {"workspace": False}),
            ("mallory@acme.example", {"verified": False}),
            ("eve@acme.example.evil.example", {}),
        ],
    )
    def test_nobody_else_gets_in(
        self, deployment: Deployment, visitor: Visitor, email: str, more: dict[str, bool]
    ) -> None:
        page = sign_in(visitor, account(deployment, email, **more))
        assert page.status_code == 403
        assert not is_in(visitor)


class TestTheWayBack:
    def test_it_is_for_the_browser_that_began_and_once(
        self, deployment: Deployment, visitor: Visitor
    ) -> None:
        back = at_google(begin(visitor), account(deployment, ANN))
        stranger = Visitor(deployment)
        assert stranger.get(back).status_code == 403
        assert "did not work" in stranger.text
        begin(stranger)
        assert stranger.get(back).status_code == 403, "nor with a question of its own"

        assert urlsplit(visitor.get(back).url).path == "/console"
        assert visitor.get(back).status_code == 403

    @pytest.mark.parametrize(
        "changes", [{"state": "another"}, {"state": None}, {"code": None}, {"code": "made up"}]
    )
    def test_what_was_changed_on_the_way_is_refused(
        self, deployment: Deployment, visitor: Visitor, changes: dict[str, str | None]
    ) -> None:
        back = urlsplit(at_google(begin(visitor), account(deployment, ANN)))
        query = {name: values[0] for name, values in parse_qs(back.query).items()} | changes
        kept = {name: value for name, value in query.items() if value is not None}
        assert visitor.get(f"{back.path}?{urlencode(kept)}").status_code == 403
        assert not is_in(visitor)

    def test_a_code_of_another_sign_in_is_refused(
        self, deployment: Deployment, visitor: Visitor
    ) -> None:
        """Eve's code in Ann's browser would let Ann in as Eve."""
        email = account(deployment, ANN)
        eves = parse_qs(urlsplit(at_google(begin(Visitor(deployment)), email)).query)["code"][0]
        back = urlsplit(at_google(begin(visitor), email))
        state = parse_qs(back.query)["state"][0]
        answer = visitor.get(f"{back.path}?{urlencode({'state': state, 'code': eves})}")
        assert answer.status_code == 403

    def test_who_says_no_at_google_is_told_and_may_try_again(
        self, deployment: Deployment, visitor: Visitor
    ) -> None:
        url = begin(visitor)
        account(deployment, ANN)
        answer = requests.post(url, data={"decision": "deny"}, allow_redirects=False, timeout=60)
        assert visitor.get(answer.headers["Location"]).status_code == 403
        assert "Signing in with Google did not work" in visitor.text
        sign_in(visitor, ANN)
        assert is_in(visitor)

    def test_the_cookie_cannot_be_made_or_read(self, visitor: Visitor) -> None:
        begin(visitor)
        made = visitor.cookie("certmail-google") or ""
        assert len(made) < 2000
        assert "nonce" not in made
        visitor.bake("certmail-google", "bm90IHNlYWxlZA")
        assert visitor.get(f"{CALLBACK}?state=x&code=y").status_code == 403

    def test_a_button_on_another_site_begins_nothing(self, deployment: Deployment) -> None:
        answer = requests.post(
            deployment.gateway + "/console/sign-in/google",
            data={"csrf": "guessed"},
            allow_redirects=False,
            timeout=60,
        )
        assert answer.status_code == 403


def test_the_page_offers_google_alone_where_there_is_nothing_else(visitor: Visitor) -> None:
    visitor.read("/console/sign-in")
    assert "Sign in with Google" in visitor.text
