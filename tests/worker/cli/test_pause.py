"""`certmail pause` and `resume`; what is suspended, shown and removed.

What the commands print, ask and exit with.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from redis import Redis

from certmail import Mailer, Reminder
from certmail_config.base import redis_keys
from certmail_config.tenants.models import TenantState
from certmail_worker.cli import run_command
from certmail_worker.doctor.pause_findings import disagreements, in_force

Run = Callable[..., tuple[int, Any]]
ACCOUNT = ["--service-account", "sa@acme-it.iam.gserviceaccount.com", "--mailbox", "r@acme.example"]
OWNED = ["connections", "add", "acme", "--kind", "customer_owned_app", *ACCOUNT]


@pytest.fixture
def certmail(commands: Run) -> Run:
    """Commands, with two tenants."""
    for tenant in ("acme", "globex"):
        assert commands("tenants", "add", tenant)[0] == 0
    return commands


def remind(redis: Redis, tenant: str = "acme") -> str:
    with Mailer(redis) as mailer:
        return str(mailer.send(Reminder(tenant=tenant, to="ann@people.example")).id)


class TestPause:
    def test_it_says_what_is_paused_now_and_whether_that_is_new(self, certmail: Run) -> None:
        everything = {"changed": True, "everything": True, "tenants": []}
        assert certmail("pause", "--reason", "audit") == (0, everything)
        assert certmail("pause") == (0, everything | {"changed": False})
        assert certmail("pause", "--tenant", "acme")[1]["tenants"] == [
            {"id": "acme", "state": "paused"}
        ]

        after = {
            "changed": True,
            "everything": False,
            "tenants": [{"id": "acme", "state": "paused"}],
        }
        assert certmail("resume") == (0, after)
        assert certmail("resume", "--tenant", "acme")[1]["tenants"] == []

    def test_the_event_says_who_did_it_whatever_reason_was_given(
        self, certmail: Run, redis: Redis
    ) -> None:
        certmail("pause", "--tenant", "acme", "--reason", "audit")
        [(_, fields)] = cast("Any", redis.xrevrange(redis_keys.EVENTS, count=1))
        assert (fields[b"type"], fields[b"reason"]) == (b"paused", b"audit")
        assert fields[b"by"].decode().endswith(" on the command line")

    def test_status_says_why_and_there_is_no_forecast(self, certmail: Run, redis: Redis) -> None:
        certmail("pause")
        job = remind(redis)
        view = certmail("status", job)[1]
        words = "paused: An operator lets nothing leave: all reminders wait. certmail resume"
        assert (view["reason"], view["forecast_at"], view["state"]) == (words, None, "ready")

    def test_a_person_reads_how_it_goes_on(
        self, certmail: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        certmail("tenants", "suspend", "globex")
        assert run_command(["pause"]) == 0
        output = capsys.readouterr().out
        assert "certmail resume" in output
        assert "certmail tenants resume globex" in output
        certmail("tenants", "resume", "globex")
        assert run_command(["resume"]) == 0
        assert "Reminders leave." in capsys.readouterr().out

    @pytest.mark.parametrize(
        "command", [["pause", "--tenant", "nobody"], ["resume", "--tenant", "nobody"]]
    )
    def test_an_unknown_tenant_is_exit_1(self, certmail: Run, command: list[str]) -> None:
        status, output = certmail(*command)
        assert (status, output["error"]["code"]) == (1, "unknown_tenant")

    def test_without_redis_it_is_exit_3_and_holds_once_redis_is_back(
        self, certmail: Run, redis_url: str, monkeypatch: pytest.MonkeyPatch, redis: Redis
    ) -> None:
        monkeypatch.setenv("CERTMAIL_REDIS_URL", "redis://127.0.0.1:1/0")
        status, output = certmail("pause")
        assert (status, output["error"]["code"]) == (3, "redis_unreachable")
        monkeypatch.setenv("CERTMAIL_REDIS_URL", redis_url)
        assert redis.smembers(redis_keys.PAUSED) == set()

    def test_doctor_warns_of_each_and_says_how_it_goes_on(self, certmail: Run) -> None:
        certmail("pause")
        certmail("pause", "--tenant", "acme")
        certmail("tenants", "suspend", "globex")
        found = {each["check"]: each for each in certmail("doctor")[1]["findings"]}
        remedies = {
            "paused": "certmail resume",
            "tenant acme": "certmail resume --tenant acme",
            "tenant globex": "certmail tenants resume globex",
        }

        assert {
            check: (found[check]["severity"], found[check]["remedy"]) for check in remedies
        } == {check: ("warning", remedy) for check, remedy in remedies.items()}

    def test_doctor_says_where_the_stores_disagree(self, certmail: Run, redis: Redis) -> None:
        certmail("pause")
        redis.delete(redis_keys.PAUSED)
        status, report = certmail("doctor")
        [finding] = [each for each in report["findings"] if each["check"] == "paused"]
        assert (status, finding["severity"]) == (1, "error")
        assert finding["remedy"].endswith("certmail pause")


def test_halts_name_whose_reminders_they_are_about() -> None:
    assert [halt.check for halt in in_force(["b", "*", "a"], ["a"])] == [
        "paused",
        "tenant a",
        "tenant b",
    ]
    wanted = {"*": TenantState.PAUSED, "a": TenantState.SUSPENDED, "b": TenantState.PAUSED}
    found = list(disagreements(["c"], wanted))
    assert [(halt.check, halt.broken) for halt in found] == [
        ("paused", True),
        ("tenant a", True),
        ("tenant b", True),
        ("tenant c", False),
    ]

    assert [halt.remedy.rpartition("certmail ")[2] for halt in found[:3]] == [
        "pause",
        "tenants suspend a",
        "pause --tenant b",
    ]
    assert list(disagreements(wanted, wanted)) == []


class TestTenants:
    def test_suspending_and_going_on(self, certmail: Run, redis: Redis) -> None:
        shown = {"id": "acme", "name": "acme", "state": "suspended", "changed": True}
        assert certmail("tenants", "suspend", "acme") == (0, shown)
        assert certmail("tenants", "suspend", "acme") == (0, shown | {"changed": False})
        assert certmail("tenants", "list")[1]["tenants"][0]["state"] == "suspended"
        assert certmail("resume", "--tenant", "acme")[1]["error"]["code"] == "tenant_suspended"
        assert certmail("tenants", "resume", "acme")[1]["state"] == "active"
        assert remind(redis)

    def test_show_says_what_there_is_what_waits_and_what_needs_attention(
        self, certmail: Run, redis: Redis
    ) -> None:
        certmail("tenants", "set", "acme", "--name", "ACME", "--uncertain", "resend")
        made = certmail(*OWNED)[1]
        remind(redis)
        certmail("pause", "--tenant", "acme")
        shown = certmail("tenants", "show", "acme")[1]
        assert shown["connections"] == [made | {"waiting": 1}]

        whole = {
            name: shown[name]
            for name in ("id", "name", "state", "uncertain", "waiting", "unsettled")
        }
        assert whole == {
            "id": "acme", "name": "ACME", "state": "paused", "uncertain": "resend", "waiting": 1, "unsettled": 0,
        }  # fmt: skip
        assert [(each["about"], each["remedy"]) for each in shown["attention"]] == [
            ("tenant", "certmail resume --tenant acme"),
            ("default", f"certmail connections probe {made['id']}"),
        ]
        assert certmail("tenants", "show", "nobody")[1]["error"]["code"] == "unknown_tenant"

    def test_show_for_a_person(self, certmail: Run, capsys: pytest.CaptureFixture[str]) -> None:
        certmail("tenants", "suspend", "acme")
        assert run_command(["tenants", "show", "acme"]) == 0
        output = capsys.readouterr().out
        assert "suspended" in output
        assert "certmail tenants resume acme" in output
        assert "certmail connections add acme" in output

    def test_one_that_never_did_anything_is_removed_without_a_worker(
        self, certmail: Run, redis: Redis
    ) -> None:
        made = certmail(*OWNED)[1]
        for _ in range(2):
            remind(redis, "globex")
        status, output = certmail("tenants", "remove", "acme", "--yes")
        assert status == 0
        assert (output["id"], output["removed"], output["cancelled"], output["uncertain"]) == (
            "acme",
            True,
            0,
            0,
        )

        [access] = output["connections"]
        assert (access["connection"], access["access"]) == (made["id"], "none")
        assert "sa@acme-it.iam.gserviceaccount.com" in access["remedy"]
        assert certmail("tenants", "show", "acme")[1]["error"]["code"] == "unknown_tenant"
        assert certmail("tenants", "show", "globex")[1]["waiting"] == 1
        assert certmail("tenants", "remove", "acme", "--yes")[0] == 1


class TestConnections:
    def test_suspend_and_resume_of_one_that_was_never_probed(self, certmail: Run) -> None:
        made = certmail(*OWNED)[1]
        stopped = certmail("connections", "suspend", "acme/default")[1]
        assert (stopped["state"], stopped["code"]) == ("disabled", "connection_disabled")
        assert certmail("connections", "resume", made["id"]) == (0, made)
        assert certmail("connections", "resume", made["id"]) == (0, made), "it is not suspended"

    def test_one_that_is_suspended_is_not_probed_back_to_life(self, certmail: Run) -> None:
        certmail(*OWNED)
        certmail("connections", "suspend", "acme/default")
        status, output = certmail("connections", "probe", "acme/default")
        assert (status, output["error"]["code"]) == (1, "connection_disabled")
        assert certmail("connections", "show", "acme/default")[1]["state"] == "disabled"

    def test_doctor_says_how_a_suspended_one_goes_on(self, certmail: Run) -> None:
        made = certmail(*OWNED)[1]
        certmail("connections", "suspend", made["id"])
        found = {each["check"]: each for each in certmail("doctor")[1]["findings"]}
        finding = found["connection acme/default"]
        assert (finding["severity"], finding["remedy"]) == (
            "warning",
            f"certmail connections resume {made['id']}",
        )

    def test_a_removed_default_is_replaced_by_a_draft(self, certmail: Run, redis: Redis) -> None:
        made = certmail(*OWNED)[1]
        remind(redis)
        status, output = certmail("connections", "remove", "acme/default", "--yes")
        assert status == 0
        assert output["remedy"]
        assert {name: output[name] for name in ("id", "cancelled", "uncertain", "access", "removed")} == {
            "id": made["id"], "cancelled": 1, "uncertain": 0, "access": "none", "removed": True,
        }  # fmt: skip

        [draft] = certmail("connections", "list")[1]["connections"][:1]
        assert (draft["tenant"], draft["name"], draft["state"]) == ("acme", "default", "draft")
        assert (
            certmail("connections", "show", made["id"])[1]["error"]["code"] == "unknown_connection"
        )
        assert certmail("connections", "remove", made["id"], "--yes")[0] == 1


class TestAsking:
    """What is removed for good is asked for first."""

    @pytest.mark.parametrize(
        "what", [["tenants", "remove", "acme"], ["connections", "remove", "acme/default"]]
    )
    def test_where_nobody_can_be_asked_it_is_exit_2_and_says_what_to_add(
        self, certmail: Run, what: list[str]
    ) -> None:
        status, output = certmail(*what)
        assert (status, output["error"]["code"]) == (2, "confirmation_missing")
        assert "--yes" in output["error"]["remedy"]
        assert certmail("tenants", "show", "acme")[1]["state"] == "active"

    @pytest.mark.parametrize(("answer", "status"), [("n", 1), ("y", 0)])
    def test_at_a_terminal_a_person_is_asked(
        self, certmail: Run, redis_url: str, tmp_path: Path, answer: str, status: int
    ) -> None:
        assert certmail("tenants", "list")[0] == 0  # the tenant is there
        person, terminal = pty.openpty()
        os.write(person, f"{answer}\n".encode())
        environment = os.environ | {
            "CERTMAIL_REDIS_URL": redis_url,
            "CERTMAIL_DATA_DIR": str(tmp_path),
        }
        done = subprocess.run(
            [sys.executable, "-m", "certmail_worker", "tenants", "remove", "acme", "--json"],
            env=environment,
            stdin=terminal,
            capture_output=True,
            timeout=60,
            check=False,
        )

        os.close(person)
        os.close(terminal)
        assert done.returncode == status
        assert b"for good?" in done.stderr
        if answer == "y":
            assert json.loads(done.stdout)["removed"] is True
        assert certmail("tenants", "show", "acme")[0] == 1 - status
