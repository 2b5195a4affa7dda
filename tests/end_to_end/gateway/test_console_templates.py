"""Templates in the console over HTTP, with a real worker: written, looked at, published, sent, abused."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from certmail.gateway.console.templates_limits import FORMS_PER_MINUTE
from certmail_config.admin.setup_links import issue
from certmail_config.admin.templates.publishing import publish, reset, templates_of
from certmail_config.base import redis_keys
from certmail_config.ledger import run, suspend_template
from certmail_config.sql import registry
from certmail_config.templates.documents import EMPTY, read_document
from support.deployment.console_visitor import PASSWORD, Visitor, operator
from support.deployment.deployment import QUICK, Deployment, new_deployment, wait_for

HOME = "/console/tenants/acme/templates"
REMINDER = f"{HOME}/texts/en/reminder"
ESCAPE = (
    '</td></table></style></title><script>top.location="/"</script><img src=x onerror=alert(1)>'
)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    settings = QUICK | {"CERTMAIL_OPERATOR_PASSWORD": PASSWORD, "CERTMAIL_CARE_SECONDS": "600"}
    settings |= {"CERTMAIL_LOGO_HOSTS": "static.example.com"}
    with new_deployment(Path(tmp_path_factory.mktemp("templates")), **settings) as made:
        made.open_gateway()
        made.worker()
        wait_for("the worker", lambda: made.workers() == 1)
        made.link("acme")
        made.admin.add_tenant("globex", name="Globex Secret")
        yield made


@pytest.fixture(autouse=True)
def _nothing_published(deployment: Deployment) -> None:
    reset(deployment.admin, "acme")
    for name in deployment.admin.redis.scan_iter(f"{redis_keys.LOGINS}*"):
        deployment.admin.redis.delete(name)


@pytest.fixture
def somebody(deployment: Deployment) -> Visitor:
    return operator(deployment)


def version(deployment: Deployment) -> int:
    return templates_of(deployment.admin, "acme").version


def write(visitor: Visitor, path: str = REMINDER, **fields: str) -> requests.Response:
    """Load an editor and send its form; `text_ask` stands for `text-ask`."""
    visitor.get(path)
    [since] = re.findall(r'name="instead_of" value="(\d+)"', visitor.page.text)
    given = {
        name.replace("_", "-", 1): text for name, text in fields.items() if name[:5] == "text_"
    }
    given |= {name: text for name, text in fields.items() if name[:5] != "text_"}
    return visitor.post(path, **{"instead_of": since, **given})


def shown(visitor: Visitor, path: str = f"{REMINDER}/frame", **query: str) -> str:
    """What stands in the frame for what is published."""
    answer = visitor.session.get(visitor.deployment.gateway + path, params=query, timeout=60)
    assert answer.ok, answer.text
    return answer.text


class TestAnOperator:
    def test_finds_a_tenants_templates_in_the_list_and_from_its_connection(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        said = somebody.read("/console/templates")
        assert "Globex Secret" in said
        assert HOME in somebody.page.text
        assert "Nothing found" in somebody.read("/console/templates?q=nobody")

        with deployment.admin.db() as db:
            [connection] = registry.list_connections(db, "acme")
        somebody.get(f"/console/connections/{connection.id}")
        assert f'href="{HOME}"' in somebody.page.text
        assert "all mails are in certmail’s own words" in somebody.read(HOME)

    def test_writes_looks_and_publishes_in_their_own_name(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        before = version(deployment)
        assert write(somebody, text_ask="Only {{ pending }} left.", do="check").ok
        assert version(deployment) == before, "looking publishes nothing"

        assert write(somebody, text_ask="Only {{ pending }} left.", do="publish").ok
        assert "Published. Mails are written with it within a minute." in somebody.text
        state = templates_of(deployment.admin, "acme")
        assert state.published is not None
        assert state.published.by == "console password in the console"
        assert state.document.texts["en"]["reminder"]["ask"].text == "Only {{ pending }} left."
        assert "Only 12 left." in shown(somebody)
        assert "console password in the console" in somebody.read(HOME)
        assert "1 block" in somebody.text

    def test_reads_faults_with_line_and_choices_at_the_block_and_loses_no_word(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        before = version(deployment)
        answer = write(somebody, text_ask="Good\n{{ campain }}", text_button="Go", do="publish")

        assert answer.status_code == 422
        assert "Nothing was published" in somebody.text
        assert "Line 2: there is no variable `campain`; did you mean `campaign`?" in somebody.text
        [field] = re.findall(r'<textarea id="text-ask".*?</textarea>', answer.text, re.DOTALL)
        assert 'aria-invalid="true"' in field
        assert "{{ campain }}" in field
        assert version(deployment) == before

    def test_is_told_when_somebody_was_faster_and_sees_what_they_published(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        somebody.get(REMINDER)
        [since] = re.findall(r'name="instead_of" value="(\d+)"', somebody.page.text)
        theirs = {"texts": {"en": {"reminder": {"ask": {"text": "Theirs."}}}}}
        publish(deployment.admin.acting_as("API key k1"), "acme", read_document(theirs))

        mine = {"instead_of": since, "text-ask": "Mine.", "do": "publish"}
        assert somebody.post(REMINDER, **mine).status_code == 409
        for words in ("Somebody was faster.", "By API key k1", "Theirs.", "Mine."):
            assert words in somebody.text
        assert "Theirs." in shown(somebody)

        [again] = re.findall(r'name="instead_of" value="(\d+)"', somebody.page.text)
        assert somebody.post(REMINDER, **mine | {"instead_of": again}).ok
        assert "Mine." in shown(somebody)

    def test_resets_a_block_and_then_all(self, deployment: Deployment, somebody: Visitor) -> None:
        write(somebody, text_ask="Ours.", text_button="Go", do="publish")
        write(somebody, text_ask="Ours.", text_button="Go", clear="text-ask")
        assert (
            "Ours."
            not in re.findall(
                r'<textarea id="text-ask".*?</textarea>', somebody.page.text, re.DOTALL
            )[0]
        )
        assert "Ours." in shown(somebody), "nothing is published by that"

        write(somebody, text_button="Go", do="publish")
        assert "Ours." not in shown(somebody)

        somebody.get(f"{HOME}/reset")
        [since] = re.findall(r'name="instead_of" value="(\d+)"', somebody.page.text)
        write(somebody, text_button="Another", do="publish")
        somebody.get(f"{HOME}/reset")
        somebody.post(f"{HOME}/reset", instead_of=since)
        assert "Somebody has published meanwhile" in somebody.text
        [since] = re.findall(r'name="instead_of" value="(\d+)"', somebody.get(f"{HOME}/reset").text)
        somebody.post(f"{HOME}/reset", instead_of=since)
        assert templates_of(deployment.admin, "acme").document == EMPTY

    def test_sees_the_brand_mended_and_its_faults_at_their_fields(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        look = {"name": "Acme Access", "colour": "#ffd400", "footer": "Acme Inc.\r\n1 Main Street"}
        path = f"{HOME}/brand"
        write(
            somebody,
            path,
            **look,
            **{"logo-url": "https://evil.example/x.png", "logo-alt": "A"},
            do="publish",
        )
        assert somebody.page.status_code == 422
        assert "`evil.example` is not in CERTMAIL_LOGO_HOSTS" in somebody.text

        logo = {"logo-url": "https://static.example.com/x.png", "logo-alt": "Acme"}
        assert write(somebody, path, **look, **logo, locale="de", do="publish").ok
        assert "#836d00 (made darker)" in somebody.text
        page = shown(somebody, f"{path}/frame")
        assert 'src="https://static.example.com/x.png"' in page
        assert "1 Main Street" in page
        assert 'lang="de"' in shown(somebody, f"{path}/frame")

    def test_sees_what_changed_since_and_says_so_once(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        old = {"texts": {"en": {"reminder": {"ask": {"text": "Ours.", "base": "0123456789ab"}}}}}
        publish(deployment.admin, "acme", read_document(old))
        assert "certmail’s own words have changed since yours were written" in somebody.read(
            REMINDER
        )
        assert "changed since" in somebody.read(f"{HOME}/differences")
        assert "1 block was written for words of certmail’s that have changed" in somebody.read(
            HOME
        )

        write(somebody, text_ask="Ours, with a comma.", do="publish")
        assert "have changed since" in somebody.text, "a comma is no reading"
        write(somebody, text_ask="Ours.", do="publish", **{"seen-ask": "1"})
        assert "have changed since" not in somebody.text

    def test_sees_what_was_put_aside_and_why(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        write(somebody, text_ask="Ours.", do="publish")
        why = suspend_template("acme", version(deployment), "en/reminder/ask", "it was altered")
        run(deployment.admin.redis, why)

        assert "Partly put aside" in somebody.read("/console/templates")
        assert "Put aside: en/reminder/ask it was altered" in somebody.read(HOME)
        assert "Put aside: certmail’s own words stand there" in somebody.read(REMINDER)

    def test_looks_at_any_sample_in_any_language_as_text_and_source(
        self, somebody: Visitor
    ) -> None:
        dark = shown(somebody, theme="dark", mail_locale="ar", sample="nasty")
        assert 'dir="rtl"' in dark
        assert "@media all" in dark
        assert "prefers-color-scheme" not in shown(somebody, theme="light")
        assert "Content-Transfer-Encoding" in shown(somebody, show="source")
        assert "12 access decisions are waiting for you" in shown(somebody, show="text")
        assert shown(somebody, theme="x", mail_locale="tlh", sample="y", show="z") == shown(
            somebody
        )


class TestASample:
    def send(self, visitor: Visitor, to: str, **fields: str) -> requests.Response:
        visitor.get(REMINDER)
        [connection] = re.findall(r'name="connection" value="([^"]+)"', visitor.page.text)
        return write(visitor, to=to, do="send", **{"connection": connection, **fields})

    def sent(self, deployment: Deployment, to: str) -> list[str]:
        mails = [each for each in deployment.messages() if each["to"] == to]
        return [base64.urlsafe_b64decode(each["raw"]).decode() for each in mails]

    def test_leaves_by_the_tenants_mailbox_as_it_stands_in_the_editor_marked_as_one(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        deployment.admin.redis.delete(
            *deployment.admin.redis.keys(f"{redis_keys.TESTED}*") or ["x"]
        )
        before = version(deployment)
        answer = self.send(somebody, "me@people.example", text_subject="Unpublished {{ pending }}")
        assert answer.ok
        assert "Unpublished" in answer.text, "what was typed is still there"
        [at] = re.findall(r'data-at="([^"]+)"', answer.text) or [""]
        if at:
            somebody.wait(at)

        wait_for("the sample", lambda: bool(self.sent(deployment, "me@people.example")))
        [raw] = self.sent(deployment, "me@people.example")
        assert "Subject: [Sample] Unpublished 12\r\n" in raw
        assert "From: acme <reviews@acme.example>" in raw
        assert version(deployment) == before
        assert deployment.recorded() == {}, "it is no reminder"

        said = somebody.wait(at) if at else somebody.text
        assert "Gmail took it, from reviews@acme.example to me@people.example" in said

        self.send(somebody, "me@people.example")
        [at] = re.findall(r'data-at="([^"]+)"', somebody.page.text)
        assert "left it within the last minute" in somebody.wait(at)
        assert len(self.sent(deployment, "me@people.example")) == 1

        other = at.replace("/acme/", "/globex/")
        assert somebody.get(other).status_code == 404, "it is another tenant's"

    @pytest.mark.parametrize(
        "to", ["", "nobody", "a@b.example\r\nBcc: eve@evil.example", "a@b.example,c@d.example"]
    )
    def test_goes_to_one_address_or_nowhere(
        self, deployment: Deployment, somebody: Visitor, to: str
    ) -> None:
        before = len(deployment.messages())
        assert self.send(somebody, to).status_code == 400
        assert "This is not an email address." in somebody.text
        assert len(deployment.messages()) == before

    def test_does_not_leave_with_a_fault_or_by_anothers_mailbox(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        answer = self.send(somebody, "me@people.example", text_ask="{{ nothing }}")
        assert answer.status_code == 422
        assert "Nothing was sent: correct what is named first." in somebody.text
        assert self.send(somebody, "me@people.example", connection="0199-x").status_code == 400
        path = "/console/tenants/globex/templates/texts/en/reminder"
        assert "No mailbox of this tenant works at present" in somebody.read(path)


class TestWhoMayNotChange:
    def test_an_invited_administrator_reads_what_their_own_mails_say_and_no_more(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        theirs = {"texts": {"en": {"reminder": {"ask": {"text": "Hello from Globex."}}}}}
        publish(deployment.admin, "globex", read_document(theirs))
        invited = Visitor(deployment)
        invited.open_link(issue(deployment.admin, "globex").url)
        mine, others = "/connect/tenants/globex/templates", "/connect/tenants/acme/templates"

        said = invited.read(f"{mine}/texts/en/reminder")
        assert "Hello from Globex." in said
        assert "readonly" in invited.page.text
        for button in ("Publish", "Send the sample", "Reset"):
            assert f">{button}<" not in invited.page.text
        assert 'method="post"' not in invited.page.text
        assert "Hello from Globex." in shown(invited, f"{mine}/texts/en/reminder/frame")
        assert "Reset all" not in invited.read(mine)

        for path in ("", "/brand", "/differences", "/texts/en/reminder", "/brand/frame"):
            assert invited.get(others + path).status_code == 404
            assert "acme" not in invited.text.replace("'acme'", "")
        for path in ("/texts/en/reminder", "/brand", "/texts/en/reminder/frame", "/reset"):
            sent = invited.session.post(
                f"{deployment.gateway}{mine}{path}", data={"do": "publish"}, timeout=60
            )
            assert sent.status_code in {404, 405}
            console = f"{deployment.gateway}{mine.replace('/connect', '/console')}{path}"
            sent = invited.session.post(console, data={}, timeout=60, allow_redirects=False)
            assert sent.status_code == 303, "to sign in"
        assert templates_of(deployment.admin, "globex").version == 1

    def test_nobody_gets_in_without_signing_in(self, deployment: Deployment) -> None:
        nobody = Visitor(deployment)
        for path in ("", "/brand", "/texts/en/reminder", "/texts/en/reminder/frame", "/reset"):
            answer = nobody.session.get(
                f"{deployment.gateway}{HOME}{path}", timeout=60, allow_redirects=False
            )
            assert answer.status_code == 303


class TestAbuse:
    @pytest.mark.parametrize(
        "path", [REMINDER, f"{REMINDER}/frame", f"{HOME}/brand", f"{HOME}/reset"]
    )
    @pytest.mark.parametrize("token", ["", "guessed"])
    def test_a_form_without_the_pages_token_does_nothing(
        self, deployment: Deployment, somebody: Visitor, path: str, token: str
    ) -> None:
        before = version(deployment)
        form = {"do": "publish", "text-ask": "Not mine.", "instead_of": str(before)}
        assert somebody.post(path, token=token, **form).status_code == 403
        assert version(deployment) == before

    def test_a_form_from_another_site_does_nothing(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        before = version(deployment)
        somebody.get(REMINDER)
        form = {"csrf": somebody.token, "do": "publish", "text-ask": "x", "instead_of": str(before)}
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            sent = somebody.session.post(
                deployment.gateway + REMINDER, data=form, headers=headers, timeout=60
            )
            assert sent.status_code == 403
        assert version(deployment) == before

    def test_what_is_too_large_is_refused_before_it_is_read(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        for path in (REMINDER, f"{REMINDER}/frame", f"{HOME}/brand"):
            somebody.get(REMINDER)
            begun = time.monotonic()
            answer = somebody.post(path, **{"text-ask": "x" * 1_000_000, "instead_of": "0"})
            assert answer.status_code == 413
            assert time.monotonic() - begun < 5

        somebody.get(REMINDER)
        blocks = {f"text-{name}": "x" * 50_000 for name in ("subject", "ask", "button", "footer")}
        answer = somebody.post(
            REMINDER, instead_of=str(version(deployment)), do="publish", **blocks
        )
        assert answer.status_code == 422
        assert "16" in somebody.text
        assert answer.text.count("x" * 50_000) == 4, "what was typed is still there"

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ("{% for a in items %}" * 40, "cannot be read"),
            ("{% for a in items %}{% for b in items %}{% for c in items %}x{% endfor %}{% endfor %}{% endfor %}", "more than 2 `for`"),
            ("{% for a in items %}{% for b in items %}" + "{{ a.what }}{{ b.who }}" * 300 + "{% endfor %}{% endfor %}", "more than 1,000 parts"),
            ("{% for a in items %}{% for b in items %}{{ campaign }}{{ campaign }}{% endfor %}{% endfor %}", "writes more than may stand there"),
            ("{{ range(10**9) }}", "a call cannot stand here"),
            ("{{ ''.__class__.__mro__ }}", "cannot stand here"),
            ("{{ 9**9**9**9 }}", "arithmetic"),
            ("{" * 15_000, ""),
            ("{{" + "(" * 7_000, "too much stands in one another"),
            ("a\u202eb\x00", "a character that nobody sees"),
        ],
    )  # fmt: skip
    def test_no_words_keep_the_gateway_busy(self, somebody: Visitor, words: str, said: str) -> None:
        begun = time.monotonic()
        answer = write(somebody, text_ask=words, do="check")
        assert answer.ok
        assert time.monotonic() - begun < 10
        assert said in somebody.text

    def test_a_thousand_previews_are_refused_and_nobody_else_notices(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        other = operator(deployment)
        somebody.get(REMINDER)
        form = {"csrf": somebody.token, "text-ask": "x {{ campaign }}", "instead_of": "0"}
        url = f"{deployment.gateway}{REMINDER}/frame"
        cookies = somebody.session.cookies

        def ask(_: int) -> int:
            return requests.post(url, data=form, cookies=cookies, timeout=60).status_code

        begun = time.monotonic()
        with ThreadPoolExecutor(16) as pool:
            answers = pool.map(ask, range(1000))
            slowest = 0.0
            for _ in range(5):
                at = time.monotonic()
                assert write(other, text_ask="Mine.", do="check").ok
                slowest = max(slowest, time.monotonic() - at)
            counts = list(answers)

        minutes = (time.monotonic() - begun) // 60 + 2
        assert set(counts) == {200, 429}
        assert counts.count(200) <= FORMS_PER_MINUTE * minutes
        assert slowest < 10
        assert somebody.get(HOME).ok, "its other pages are there"
        refused = requests.post(url, data=form, cookies=cookies, timeout=60)
        assert "That is too often." in refused.text
        assert refused.headers["X-Frame-Options"] == "SAMEORIGIN"

    def test_the_frame_can_do_nothing_whatever_is_written(
        self, deployment: Deployment, somebody: Visitor
    ) -> None:
        blocks = ("subject", "preheader", "headline", "ask", "button", "footer")
        written = {f"text_{name}": ESCAPE for name in blocks}
        page = write(somebody, **written, do="check").text
        assert page.count("<script") == 3, "the page's own"

        form = {f"text-{name}": ESCAPE for name in blocks} | {"csrf": somebody.token}
        for show in ("mail", "text", "source"):
            answer = somebody.session.post(
                f"{deployment.gateway}{REMINDER}/frame", data=form | {"show": show}, timeout=60
            )
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "img-src https://static.example.com;" in policy
            assert policy.endswith("sandbox")
            assert "script" not in policy
            assert "<script" not in answer.text
            assert "<img" not in answer.text
            assert answer.text.lower().count("</style>") == 1

        editor = somebody.get(REMINDER)
        assert (
            "frame-src 'self'; frame-ancestors 'none'" in editor.headers["Content-Security-Policy"]
        )
        assert editor.headers["X-Frame-Options"] == "DENY"
        assert re.search(r"<iframe[^>]* sandbox ", editor.text)
        assert "'unsafe" not in editor.headers["Content-Security-Policy"]
        assert "frame-src" not in somebody.get(HOME).headers["Content-Security-Policy"]

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"--b\r\nContent-Disposition: form-data; name=csrf\r\n\r\nx", "multipart/form-data; boundary=b"),
            (b"no boundary at all", "multipart/form-data; boundary=b"),
            (b"x", "multipart/form-data"),
            (b"--b\r\n" * 20_000, "multipart/form-data; boundary=b"),
            (b"\xff\xfe=\xff", "application/x-www-form-urlencoded"),
            (b'{"do": "publish"}', "application/json"),
        ],
    )  # fmt: skip
    def test_a_form_that_is_none_is_refused(
        self, deployment: Deployment, somebody: Visitor, body: bytes, kind: str
    ) -> None:
        sent = somebody.session.post(
            deployment.gateway + REMINDER, data=body, headers={"Content-Type": kind}, timeout=60
        )
        assert sent.status_code in {400, 403, 415}

    @pytest.mark.parametrize("since", ["", "-1", "x", "1e3", "9" * 40, "٣"])
    def test_a_form_says_what_it_follows(
        self, deployment: Deployment, somebody: Visitor, since: str
    ) -> None:
        before = version(deployment)
        somebody.get(REMINDER)
        form = {"instead_of": since, "text-ask": "x", "do": "publish"}
        assert somebody.post(REMINDER, **form).status_code == 400
        assert version(deployment) == before

    @pytest.mark.parametrize(
        "path",
        [
            "/console/tenants/nobody/templates",
            "/console/tenants/nobody/templates/brand",
            f"{HOME}/texts/tlh/reminder",
            f"{HOME}/texts/en/nothing",
            f"{HOME}/texts/en%2Freminder/ask",
            f"{HOME}/texts/{'e' * 500}/reminder",
            f"{HOME}/texts/%3Cscript%3E/reminder",
            f"{HOME}/samples/nothing",
        ],
    )
    def test_an_address_of_nothing_says_so(self, somebody: Visitor, path: str) -> None:
        assert somebody.get(path).status_code == 404
        assert "<script>" not in somebody.page.text
