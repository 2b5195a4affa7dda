"""An application with an API key, from `certmail keys create` to the mail in the mailbox.

And the end of the key.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
import requests

from certmail_config.base import redis_keys
from support.deployment.deployment import QUICK, Deployment, new_deployment, wait_for


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with new_deployment(Path(tmp_path_factory.mktemp("api")), **QUICK) as made:
        made.link()
        made.open_gateway()
        made.worker()
        yield made


def test_what_an_application_enqueues_arrives_and_it_sees_so(deployment: Deployment) -> None:
    made = deployment.ask("keys", "create", "the IGA suite", "--tenant", "acme", "--days", "30")
    headers = {"Authorization": f"Bearer {made['key']}", "Idempotency-Key": "1"}
    reminder: dict[str, str | int] = {
        "tenant": "acme",
        "to": "anna@people.example",
        "campaign": "q4",
        "pending": 3,
        "locale": "sv",
        "due_at": "2099-12-31",
        "time_zone": "America/Los_Angeles",
    }

    sent = requests.post(
        f"{deployment.gateway}/v1/reminders", json=reminder, headers=headers, timeout=60
    )
    assert sent.status_code == 202, sent.text
    assert sent.json()["forecast_at"]
    assert sent.json()["language"] == "en"
    assert "'sv'" in sent.json()["language_note"]

    job = sent.json()["id"]
    deployment.wait_recorded([job], {"accepted"})
    shown = requests.get(
        f"{deployment.gateway}/v1/reminders/{job}", headers=headers, timeout=60
    ).json()

    assert (shown["state"], shown["mailbox"]) == ("accepted", "reviews@acme.example")
    assert [each["outcome"] for each in shown["attempts"]] == ["accepted"]

    record = requests.get(
        f"{deployment.gateway}/v1/deliveries?campaign=q4", headers=headers, timeout=60
    ).json()
    assert [(each["id"], each["recipient"]) for each in record["items"]] == [
        (job, "anna@people.example")
    ]
    assert deployment.copies() == {job: 1}

    [mail] = deployment.messages()
    assert "Thursday, December 31, 2099, end of day (Pacific Time)" in text_of(mail["raw"])


def text_of(raw: str) -> str:
    part = message_from_bytes(base64.urlsafe_b64decode(raw), policy=default).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


class TestKeys:
    def test_the_key_is_shown_once_and_ends_when_it_is_revoked(
        self, deployment: Deployment
    ) -> None:
        made = deployment.ask(
            "keys", "create", "short", "--tenant", "acme", "--scope", "tenants:read"
        )
        listed = deployment.ask("keys", "list")["keys"]
        [found] = [each for each in listed if each["id"] == made["id"]]

        assert (found["state"], found["scopes"], found["tenants"]) == (
            "active",
            ["tenants:read"],
            ["acme"],
        )
        assert made["key"] not in deployment.run("keys", "list").out

        headers = {"Authorization": f"Bearer {made['key']}"}
        assert requests.get(f"{deployment.gateway}/v1/tenants", headers=headers, timeout=60).ok
        assert deployment.ask("keys", "revoke", made["id"])["state"] == "revoked"
        assert (
            requests.get(
                f"{deployment.gateway}/v1/tenants", headers=headers, timeout=60
            ).status_code
            == 401
        )

    def test_for_a_person_only_the_key_is_on_stdout(self, deployment: Deployment) -> None:
        ran = deployment.run("keys", "create", "piped", "--every-tenant")
        assert ran.status == 0
        assert ran.out.startswith("cm_")
        assert len(ran.out.split()) == 1
        assert "once" in ran.err

    @pytest.mark.parametrize(
        ("options", "status", "code"),
        [
            ([], 2, "wrong_use"),
            (["--tenant", "acme", "--every-tenant"], 2, "wrong_use"),
            (["--tenant", "nobody"], 1, "unknown_tenant"),
            (["--tenant", "acme", "--scope", "everything"], 2, "wrong_use"),
        ],
    )
    def test_what_makes_no_key_is_said(
        self, deployment: Deployment, options: list[str], status: int, code: str
    ) -> None:
        ran = deployment.run("keys", "create", "x", *options, "--json")
        assert (ran.status, ran.json["error"]["code"]) == (status, code)

    def test_a_redis_that_lost_them_is_given_them_again_by_the_keeper(
        self, deployment: Deployment
    ) -> None:
        deployment.ask("keys", "create", "kept", "--tenant", "acme")
        deployment.admin.redis.delete(redis_keys.API_KEYS)
        wait_for("they are back", lambda: deployment.admin.redis.exists(redis_keys.API_KEYS) == 1)
