"""`certmail webhooks …`: from adding one to what it misses, as a person and as a program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from certmail_config.admin.admin import open_admin
from certmail_config.admin.erasing import erase_tenant
from certmail_config.admin.vault_rotation import reseal
from certmail_config.admin.webhooks.secrets import signing_secrets
from certmail_config.settings import Settings
from certmail_config.sql import registry, tables
from certmail_config.sql.webhooks.endpoints import get_endpoint
from certmail_config.stores.vault_file import new_vault_key
from certmail_worker.doctor.checks.webhooks import webhooks
from certmail_worker.recording.writer import read_cursor, write
from support.data.events import NOW, enqueued, settled

Run = Callable[..., tuple[int, Any]]
URL = "https://hooks.example.com/in?key=theirs"


@pytest.fixture
def run(commands: Run) -> Run:
    assert commands("tenants", "add", "acme")[0] == 0
    return commands


def added(run: Run, *options: str) -> dict[str, Any]:
    status, made = run("webhooks", "add", URL, *(options or ("--tenant", "acme")))
    assert status == 0
    return dict(made)


def accepted() -> None:
    with open_admin(Settings.from_env()) as admin:
        events = [enqueued(1), settled(2, "accepted", "accepted")]
        write(admin.engine, read_cursor(admin.engine), events)


def test_a_webhook_misses_nothing_while_it_is_paused(run: Run) -> None:
    made = added(run)
    assert made["secret"].startswith("whsec_")
    assert (made["state"], made["tenants"], made["types"]) == ("active", ["acme"], ["*"])
    assert run("webhooks", "pause", made["id"])[1]["state"] == "paused"
    accepted()

    status, shown = run("webhooks", "show", made["id"])
    assert (status, shown["kept"]["waiting"]) == (0, 1)
    assert "secret" not in shown
    [message] = shown["messages"]
    assert (message["type"], message["attempts"]) == ("reminder.accepted", 0)

    assert run("webhooks", "replay", made["id"], message["id"])[1]["replayed"] == 1
    assert (
        run("webhooks", "replay", made["id"], "--since", "2026-11-23T00:00:00Z")[1]["replayed"] == 0
    )
    assert (
        run("webhooks", "replay", made["id"], "--since", "1970-01-01T00:00:00Z")[1]["replayed"] == 1
    )
    assert run("webhooks", "replay", made["id"], "--failed")[1]["replayed"] == 0
    assert run("webhooks", "resume", made["id"])[1]["state"] == "active"
    assert [each["id"] for each in run("webhooks", "list")[1]["webhooks"]] == [made["id"]]

    assert run("webhooks", "remove", made["id"])[1]["error"]["code"] == "confirmation_missing"
    assert run("webhooks", "remove", made["id"], "--yes")[0] == 0
    assert run("webhooks", "show", made["id"])[1]["error"]["code"] == "unknown_webhook"
    with open_admin(Settings.from_env()) as admin, admin.db() as db:
        assert db.execute(select(tables.webhook_messages)).all() == []


def test_a_webhook_is_changed_and_its_secret_stays(run: Run) -> None:
    made = added(run)
    moved = "https://new.example.com/"
    status, changed = run(
        "webhooks", "change", made["id"], "--url", moved, "--type", "reminder.failed"
    )
    assert (status, changed["url"], changed["types"]) == (0, moved, ["reminder.failed"])
    assert "secret" not in changed
    assert run("webhooks", "change", made["id"], "--every-type")[1]["types"] == ["*"]
    assert run("webhooks", "change", made["id"], "--name", "ours")[1]["name"] == "ours"
    assert run("webhooks", "show", made["id"])[1]["url"] == moved
    with open_admin(Settings.from_env()) as admin, admin.db() as db:
        found = get_endpoint(db, made["id"])
    assert signing_secrets(admin.vault, found, found.created_at) == [made["secret"]]


def test_a_secret_is_kept_under_the_vault_and_two_sign_while_it_is_replaced(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = added(run)
    status, rotated = run("webhooks", "rotate", made["id"], "--hours", "1")
    assert status == 0
    assert rotated["secret"] != made["secret"]

    with open_admin(Settings.from_env()) as admin:
        with admin.db() as db:
            found = get_endpoint(db, made["id"])
        assert signing_secrets(admin.vault, found, found.created_at) == [
            rotated["secret"],
            made["secret"],
        ]
        kept = (found.secret, found.previous_secret or b"")
        assert not [each for each in kept if b"whsec" in each]
        old = Settings.from_env().data_dir / "vault.key"

    keys = f"new:{new_vault_key().partition(':')[2]},{old.read_text().strip()}"
    monkeypatch.setenv("CERTMAIL_VAULT_KEYS", keys)
    with open_admin(Settings.from_env()) as admin:
        assert reseal(admin).unopened == ()
        with admin.db() as db:
            after = get_endpoint(db, made["id"])
        assert after.secret != found.secret
        assert signing_secrets(admin.vault, after, found.created_at) == [
            rotated["secret"],
            made["secret"],
        ]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", URL), "wrong_use"),
        (("add", URL, "--tenant", "acme", "--every-tenant"), "wrong_use"),
        (("add", URL, "--tenant", "nobody"), "unknown_tenant"),
        (("add", "http://hooks.example.com/", "--every-tenant"), "invalid_url"),
        (("add", "https://[::ffff:127.0.0.1]/", "--every-tenant"), "invalid_url"),
        (("add", URL, "--every-tenant", "--type", "reminder.sent"), "unknown_type"),
        (("show", "nothing"), "unknown_webhook"),
        (("test", "nothing"), "unknown_webhook"),
        (("pause", "nothing"), "unknown_webhook"),
        (("rotate", "nothing"), "unknown_webhook"),
        (("replay", "nothing", "--failed"), "unknown_webhook"),
        (("change", "nothing", "--every-type"), "unknown_webhook"),
        (("change", "nothing"), "wrong_use"),
        (("change", "nothing", "--every-type", "--type", "reminder.failed"), "wrong_use"),
        (("change", "nothing", "--type", "reminder.sent"), "unknown_type"),
        (("change", "nothing", "--url", "https://10.0.0.1/"), "invalid_url"),
        (("replay", "nothing"), "wrong_use"),
        (("replay", "nothing", "--since", "yesterday"), "invalid_time"),
    ],
)
def test_what_cannot_be_is_said(run: Run, arguments: tuple[str, ...], code: str) -> None:
    status, said = run("webhooks", *arguments)
    assert status in {1, 2}
    assert said["error"]["code"] == code


def test_a_trial_that_may_not_be_sent_is_not_and_says_why(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The allow-list can have become shorter since the endpoint was added."""
    monkeypatch.setenv("CERTMAIL_WEBHOOK_ALLOW", "127.0.0.1")
    made = run("webhooks", "add", "https://127.0.0.1:8443/", "--every-tenant")[1]
    monkeypatch.delenv("CERTMAIL_WEBHOOK_ALLOW")
    status, said = run("webhooks", "test", made["id"])
    assert (status, said["taken"], said["status"]) == (1, False, None)
    assert said["why"] == "127.0.0.1:8443 leads to 127.0.0.1, and it is this machine itself"


def test_with_a_tenant_goes_what_was_told_of_it(run: Run) -> None:
    assert run("tenants", "add", "globex")[0] == 0
    own = added(run)
    both = added(run, "--tenant", "acme", "--tenant", "globex")
    every = added(run, "--every-tenant")
    accepted()
    with open_admin(Settings.from_env()) as admin:
        with admin.db() as db:
            connections = registry.list_connections(db, "acme")
        erase_tenant(admin, "acme", connections)
        with admin.db() as db:
            assert db.execute(select(tables.webhook_messages)).all() == []

    left = {each["id"]: each["tenants"] for each in run("webhooks", "list")[1]["webhooks"]}
    assert left == {both["id"]: ["globex"], every["id"]: ["*"]}
    assert own["id"] not in left


def test_the_doctor_says_how_each_is(run: Run) -> None:
    made = added(run)
    with open_admin(Settings.from_env()) as admin:

        def said() -> tuple[str, str]:
            [found] = webhooks(admin.engine, admin.vault)
            return str(found.severity), found.message

        assert said() == ("ok", "It takes its messages.")
        run("webhooks", "pause", made["id"])
        assert said()[0] == "warning"
        assert said()[1].startswith("Paused since ")

        for state, severity, words in (
            ("disabled", "error", "Disabled"),
            ("backing_off", "warning", "It has taken nothing"),
        ):
            with admin.db() as db:
                db.execute(
                    tables.webhook_endpoints.update().values(
                        state=state, error="HTTP 500", since=NOW
                    )
                )
            assert said()[0] == severity
            assert said()[1].startswith(words)
            assert "HTTP 500" in said()[1]
