"""Campaigns from Python, through a gateway that is really there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis import Redis

from certmail import Mailer, SettingsError, StoresUnreachable
from certmail.client.campaigns import PAGE, Campaigns
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.api_keys import create_key
from certmail_config.base.errors import Refused
from certmail_config.settings import Settings
from certmail_config.tenants.api_keys import KeyScope
from support.servers.gateway import gateway_of

Q4: dict[str, Any] = {
    "tenant": "acme",
    "id": "2036/q4",
    "start": datetime(2036, 11, 3, 8, tzinfo=UTC),
    "due": datetime(2036, 12, 12, 16, tzinfo=UTC),
    "calendar": {"country": "DE", "closed": [date(2036, 12, 1)]},
    "preset": "standard",
}
THIS = ("acme", "2036/q4")


@pytest.fixture
def settings(redis: Redis, redis_url: str, data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, redis_url=redis_url, durability="none")


@pytest.fixture
def admin(settings: Settings) -> Iterator[Admin]:
    with open_admin(settings, make_key=True) as made:
        made.add_tenant("acme")
        yield made


@pytest.fixture
def gateway(admin: Admin) -> Iterator[str]:
    with gateway_of(admin) as url:
        yield url


@pytest.fixture
def api_key(admin: Admin) -> str:
    return create_key(admin, "ours", tenants=["acme"], scopes=list(KeyScope))[1]


@pytest.fixture
def campaigns(gateway: str, api_key: str) -> Iterator[Campaigns]:
    with Campaigns(gateway, api_key) as made:
        yield made


def people(number: int) -> list[dict[str, Any]]:
    return [{"id": f"r{n}", "to": f"r{n}@people.example", "pending": 3} for n in range(number)]


def test_a_campaign_runs_with_its_reviewers_and_their_progress(campaigns: Campaigns) -> None:
    made = campaigns.put(Q4)
    assert (made["state"], made["campaign"]["calendar"]["closed"]) == ("running", ["2036-12-01"])

    taken = campaigns.reviewers(*THIS, people(2 * PAGE))
    assert (taken.added, taken.rejected) == (2 * PAGE, [])
    fewer = [*people(PAGE + 1), {"id": "x", "to": "nobody"}]
    taken = campaigns.reviewers(*THIS, (each for each in fewer))
    assert (taken.unchanged, taken.removed) == (PAGE + 1, PAGE - 1)
    assert [(each["index"], each["code"]) for each in taken.rejected] == [
        (PAGE + 1, "invalid_address")
    ]

    news = [{"reviewer": f"r{n}", "pending": 0, "sequence": n} for n in range(PAGE + 2)]
    verdicts = [each["verdict"] or each["code"] for each in campaigns.progress(*THIS, news)]
    assert verdicts == ["taken"] * (PAGE + 1) + ["unknown_reviewer"]
    assert campaigns.show(*THIS)["reviewers"]["complete"] == PAGE + 1
    assert campaigns.plan(*THIS)["first_at"] is None

    assert campaigns.pause(*THIS)["state"] == "paused"
    assert campaigns.resume(*THIS)["state"] == "running"
    assert campaigns.remind(*THIS)["reminded"] == 0
    assert campaigns.stop(*THIS)["state"] == "stopped"


def test_nobody_on_a_list_leaves_nobody(campaigns: Campaigns) -> None:
    campaigns.put(Q4)
    campaigns.reviewers(*THIS, people(3))
    campaigns.reviewers(*THIS, people(1), keep_others=True)
    assert campaigns.show(*THIS)["reviewers"]["reviewers"] == 3
    assert campaigns.reviewers(*THIS, []).removed == 3


def test_what_is_refused_says_why(campaigns: Campaigns) -> None:
    with pytest.raises(Refused) as raised:
        campaigns.show(*THIS)
    assert raised.value.code == "unknown_campaign"
    assert raised.value.remedy

    campaigns.put(Q4)
    with pytest.raises(Refused) as raised:
        campaigns.put(Q4 | {"name": "Other"}, instead_of=7)
    assert raised.value.code == "campaign_changed"


def test_a_mailer_has_them_by_its_settings(gateway: str, api_key: str, settings: Settings) -> None:
    given = settings.model_copy(update={"public_url": gateway, "api_key": SecretStr(api_key)})
    with Mailer.from_env(given) as mailer:
        assert mailer.campaigns.put(Q4)["version"] == 1

    with Mailer.from_env(settings) as mailer, pytest.raises(SettingsError) as raised:
        _ = mailer.campaigns
    assert raised.value.code == "api_key_missing"


def test_a_gateway_that_is_away_is_said() -> None:
    with (
        Campaigns("http://127.0.0.1:1", "cm_key") as away,
        pytest.raises(StoresUnreachable) as raised,
    ):
        away.show(*THIS)
    assert raised.value.code == "gateway_unreachable"


class Busy(BaseHTTPRequestHandler):
    """Is busy twice, hangs up once, and then answers."""

    protocol_version = "HTTP/1.1"
    answers: list[str]
    keys: list[str]

    def do_POST(self) -> None:
        """Answer as it comes, and remember the request's own key."""
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).keys.append(self.headers["Idempotency-Key"])
        self.do_GET()

    def do_GET(self) -> None:
        """Answer as it comes."""
        word = type(self).answers.pop(0)
        if word == "hang up":
            self.close_connection = True
            return
        said = {"busy": 429, "running": 409}
        body = b'{"code": "request_running"}' if word == "running" else b'{"code": "x"}'
        self.send_response(said.get(word, 200))
        self.send_header("Retry-After", "2")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def busy() -> Iterator[str]:
    Busy.keys = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_busy_gateway_is_asked_again_as_it_says(busy: str) -> None:
    Busy.answers = ["busy", "busy", "hang up", "well"]
    slept: list[float] = []
    with Campaigns(busy, "cm_key", sleep=slept.append) as campaigns:
        assert campaigns.show(*THIS) == {"code": "x"}
        assert slept == [2.0, 2.0]

        Busy.answers = ["busy"]
        impatient = Campaigns(busy, "cm_key", seconds=1, sleep=slept.append)
        with impatient, pytest.raises(StoresUnreachable):
            impatient.show(*THIS)


def test_to_remind_whose_answer_was_lost_is_no_second_mail(busy: str) -> None:
    Busy.answers = ["hang up", "running", "well", "well", "well"]
    with Campaigns(busy, "cm_key", sleep=lambda _: None) as campaigns:
        assert campaigns.remind(*THIS) == {"code": "x"}
        [once] = set(Busy.keys)
        assert len(Busy.keys) == 3

        campaigns.remind(*THIS)
        assert Busy.keys.pop() != once, "asked for again, it is another one"
        campaigns.remind(*THIS, key="mine")
        assert Busy.keys.pop() == "mine"
