"""Bad input gets a clear error, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.deployment.deployment import Deployment, Ran, campaign, new_deployment, wait_for


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with new_deployment(Path(tmp_path_factory.mktemp("bad"))) as made:
        made.ask("tenants", "add", "acme")
        yield made


class TestSettings:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("CERTMAIL_LEASE_SECONDS", "10"),
            ("CERTMAIL_CONCURRENCY", "many"),
            ("CERTMAIL_VAULT_KEYS", "k1:c2hvcnQ="),
            ("CERTMAIL_GMAIL_URL", "gmail.googleapis.com"),
            ("CERTMAIL_UNCERTAIN_5XX", "sometimes"),
            ("CERTMAIL_DATABASE_URL", "no-such-database://x"),
            ("CERTMAIL_REDIS_URL", "nonsense"),
        ],
    )
    def test_a_wrong_setting_is_named_and_its_value_is_not_repeated(
        self, deployment: Deployment, name: str, value: str
    ) -> None:
        ran = deployment.run("tenants", "list", "--json", **{name: value})
        assert ran.status == 2, ran
        assert name in ran.json["error"]["message"]
        assert "c2hvcnQ" not in ran.out + ran.err
        assert "Traceback" not in ran.err

    def test_a_missing_vault_key_is_named(self, deployment: Deployment) -> None:
        elsewhere = {
            "CERTMAIL_DATA_DIR": f"{deployment.data_dir}/other",
            "CERTMAIL_DATABASE_URL": f"sqlite:///{deployment.data_dir}/x.sqlite",
        }
        ran = deployment.run("tenants", "list", "--json", **elsewhere)
        assert (ran.status, ran.json["error"]["code"]) == (2, "vault_keys_missing")

    def test_a_redis_that_refuses_the_connection_is_exit_3(self, deployment: Deployment) -> None:
        ran = deployment.run(
            "tenants", "list", "--json", CERTMAIL_REDIS_URL="redis://:secret@127.0.0.1:1/0"
        )
        assert (ran.status, ran.json["error"]["code"]) == (3, "redis_unreachable")
        assert "secret" not in ran.out

    def test_a_database_that_cannot_be_opened_is_exit_3(self, deployment: Deployment) -> None:
        url = "postgresql+psycopg://me:secret@127.0.0.1:1/none"
        ran = deployment.run("deliveries", "list", "--json", CERTMAIL_DATABASE_URL=url)
        assert (ran.status, ran.json["error"]["code"]) == (3, "database_unreachable")
        assert "secret" not in ran.out

    def test_a_person_gets_a_sentence_and_what_to_do(self, deployment: Deployment) -> None:
        ran = deployment.run("tenants", "list", CERTMAIL_REDIS_URL="redis://127.0.0.1:1/0")
        assert ran.out == ""
        assert ran.err.startswith("certmail: Redis at redis://127.0.0.1:1/0 cannot be reached")
        assert "CERTMAIL_REDIS_URL" in ran.err


def run_module(deployment: Deployment, *command: str, **environment: str) -> Ran:
    """Run a program of Python's to its end; certmail's own is forked, but for the worker."""
    if command[0] == "certmail_worker" and command[1] != "worker":
        return deployment.run(*command[1:], **environment)

    given = deployment.environment | environment
    done = subprocess.run(
        [sys.executable, "-m", *command], env=given, capture_output=True, timeout=120, check=False
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


WRONG = {
    "CERTMAIL_LISTEN": "8080",
    "CERTMAIL_FLOWER_LISTEN": "127.0.0.1:99999",
    "CERTMAIL_PUBLIC_URL": "https://iga.example/certmail",
    "CERTMAIL_REDIS_URL": "redis://hunter2/abc",
    "CERTMAIL_DATABASE_URL": "sqlite://",
    "CERTMAIL_GOOGLE_CA_FILE": "/nowhere/hunter2.pem",
    "CERTMAIL_LEASE_SECONDS": "45s",
}
PROCESSES = (
    ("certmail_worker", "worker"),
    ("celery", "-A", "certmail_worker.app", "worker"),
    ("certmail_worker", "gateway"),
    ("certmail_worker", "flower"),
    ("certmail_worker", "up"),
    ("certmail_worker", "status", "0199"),
    ("certmail_worker", "send", "-"),
)


class TestEveryProcess:
    @pytest.mark.parametrize("process", PROCESSES, ids=" ".join)
    def test_it_names_each_setting_that_is_wrong_before_it_does_anything(
        self, deployment: Deployment, process: tuple[str, ...]
    ) -> None:
        ran = run_module(deployment, *process, **WRONG)
        assert ran.status == 2, ran
        assert ran.out == ""
        assert all(name in ran.err for name in WRONG), ran.err
        assert ran.err.startswith("certmail: ")
        assert "Traceback" not in ran.err
        assert "hunter2" not in ran.err

    @pytest.mark.parametrize("process", PROCESSES[:5], ids=" ".join)
    def test_where_json_is_asked_for_that_too_is_a_line_of_json(
        self, deployment: Deployment, process: tuple[str, ...]
    ) -> None:
        ran = run_module(deployment, *process, **WRONG, CERTMAIL_LOG_FORMAT="json")
        assert (ran.status, ran.out) == (2, "")
        *_, line = map(json.loads, ran.err.splitlines())
        assert (line["event"], line["code"]) == ("does_not_run", "invalid_settings")
        assert all(name in line["error"] for name in WRONG)
        assert "hunter2" not in ran.err

    def test_a_misspelt_setting_is_not_a_deployment_of_its_own(
        self, deployment: Deployment
    ) -> None:
        ran = deployment.run("tenants", "list", "--json", CERTMAIL_DATA_DRI="/elsewhere")
        assert ran.status == 2
        assert "did you mean CERTMAIL_DATA_DIR?" in ran.json["error"]["message"]

    @pytest.mark.parametrize("folder", ["~/of-their-own", "{}/relative"])
    def test_a_data_directory_may_be_written_as_in_a_shell(
        self, deployment: Deployment, folder: str
    ) -> None:
        given = folder.format(os.path.relpath(deployment.data_dir))
        assert deployment.run("tenants", "add", "one", CERTMAIL_DATA_DIR=given).status == 0
        assert (deployment.data_dir / folder.rpartition("/")[2] / "certmail.sqlite").exists()


class TestFiles:
    def test_each_bad_row_is_said_with_its_line_and_the_others_are_taken(
        self, deployment: Deployment
    ) -> None:
        rows = [
            "tenant,to,name,due_at,pending",
            "acme,good@people.example,A,2099-12-11T17:00:00+01:00,1",
            "acme,nobody,B,,1",
            "acme,two@people.example,C,tomorrow,1",
            "acme,three@people.example,D,2099-12-11T17:00:00,1",
            "acme,four@people.example,E,,minus",
            "nobody,five@people.example,F,,1",
            "acme,six@people.example,G",
            ",seven@people.example,H,,1",
            'acme,eight@people.example,"I',
            'went on",,1',
            "",
            "acme,done@people.example,J,,0",
        ]

        ran = deployment.run("send", "-", "--json", stdin="\n".join(rows) + "\n")
        assert ran.status == 1

        report = ran.json
        assert (report["enqueued"], report["duplicates"]) == (3, 0)
        assert [(item["row"], item["field"], item["code"]) for item in report["rejected"]] == [
            (3, "to", "invalid_address"),
            (4, "due_at", "invalid_time"),
            (5, "due_at", "time_without_zone"),
            (6, "pending", "invalid_number"),
            (7, "tenant", "unknown_tenant"),
            (8, None, "wrong_columns"),
            (9, "tenant", "missing"),
        ]
        assert all(item["message"] for item in report["rejected"])
        assert [receipt["state"] for receipt in report["receipts"]] == [
            "ready",
            "ready",
            "suppressed",
        ]

    def test_a_missing_column_is_exit_2_and_nothing_is_enqueued(
        self, deployment: Deployment
    ) -> None:
        ran = deployment.run("send", "-", "--json", stdin="tenant,name\nacme,A\n")
        assert (ran.status, ran.json["error"]["code"]) == (2, "missing_column")

    def test_an_unknown_column_is_exit_2_because_a_typo_would_change_what_is_sent(
        self, deployment: Deployment
    ) -> None:
        ran = deployment.run(
            "send", "-", "--json", stdin="tenant,to,pendng\nacme,x@people.example,0\n"
        )
        assert (ran.status, ran.json["error"]["code"]) == (2, "unknown_column")

    def test_a_file_that_is_not_there_is_exit_2(self, deployment: Deployment) -> None:
        ran = deployment.run("send", "nowhere.csv", "--json")
        assert (ran.status, ran.json["error"]["code"]) == (2, "unreadable_file")

    def test_bytes_that_are_no_text_cost_one_row_only(self, deployment: Deployment) -> None:
        ran = deployment.run(
            "send",
            "-",
            "--json",
            stdin=b"tenant,to,name\n"
            b"acme,bytes1@people.example,\xff\xfe\n"
            b"acme,bytes2@people.example,J\xc3\xb6rg\n",
        )

        assert ran.json["enqueued"] == 1
        assert [(item["row"], item["code"]) for item in ran.json["rejected"]] == [
            (2, "invalid_encoding")
        ]

    def test_jsonl_is_understood_and_a_bad_line_is_said(self, deployment: Deployment) -> None:
        lines = [
            json.dumps({"tenant": "acme", "to": "json@people.example", "pending": 2}),
            "{not json",
            "[]",
        ]
        ran = deployment.run("send", "-", "--json", stdin="\n".join(lines))

        assert ran.json["enqueued"] == 1
        assert [(item["row"], item["code"]) for item in ran.json["rejected"]] == [
            (2, "malformed_row"),
            (3, "malformed_row"),
        ]

    def test_the_same_key_with_other_content_is_refused(self, deployment: Deployment) -> None:
        deployment.ask("send", "-", stdin="tenant,to,key,pending\nacme,key@people.example,k1,1\n")
        ran = deployment.run(
            "send", "-", "--json", stdin="tenant,to,key,pending\nacme,key@people.example,k1,2\n"
        )
        assert [item["code"] for item in ran.json["rejected"]] == ["key_reused"]

    def test_a_text_too_long_for_any_mail_is_rejected_before_it_is_stored(
        self, deployment: Deployment
    ) -> None:
        ran = deployment.run(
            "send",
            "-",
            "--json",
            stdin=f"tenant,to,campaign_name\nacme,big@people.example,{'x' * 900_000}\n",
        )

        assert [(item["field"], item["code"]) for item in ran.json["rejected"]] == [
            ("campaign_name", "too_long")
        ]


class TestCommands:
    def test_wrong_use_is_exit_2_in_words_and_in_json(self, deployment: Deployment) -> None:
        assert deployment.run("connections", "add", "acme").status == 2
        ran = deployment.run("send", "--json")
        assert (ran.status, ran.json["error"]["code"]) == (2, "wrong_use")

    def test_what_does_not_exist_is_said(self, deployment: Deployment) -> None:
        for arguments, code in (
            (("status", "0199"), "unknown_job"),
            (("connections", "show", "nope"), "unknown_connection"),
            (("connections", "probe", "acme/nope"), "unknown_connection"),
            (("connections", "certificate", "acme/default"), "no_certificate"),
            (("tenants", "add", "acme"), "tenant_exists"),
        ):
            ran = deployment.run(*arguments, "--json")
            assert (ran.status, ran.json["error"]["code"]) == (1, code)
            assert ran.json["error"]["message"]

    def test_a_tenant_id_that_cannot_be_used_is_exit_2(self, deployment: Deployment) -> None:
        assert deployment.run("tenants", "add", "Acme Inc.", "--json").status == 2

    def test_the_doctor_finds_what_is_wrong_and_says_what_to_do(
        self, deployment: Deployment
    ) -> None:
        ran = deployment.run("doctor", "--json")
        findings = {item["check"]: item for item in ran.json["findings"]}
        assert (ran.status, ran.json["ok"]) == (0, True)
        assert findings["durability"]["severity"] == "ok"
        assert findings["workers"]["severity"] == "warning"
        assert findings["connection acme/default"]["severity"] == "warning"

        broken = deployment.run(
            "doctor",
            "--json",
            CERTMAIL_REDIS_URL="redis://127.0.0.1:1/0",
            CERTMAIL_VAULT_KEYS="k:" + "A" * 43 + "=",
        )

        assert (broken.status, broken.json["ok"]) == (1, False)
        assert (
            next(item for item in broken.json["findings"] if item["check"] == "redis")["severity"]
            == "error"
        )


def test_a_second_up_on_the_same_data_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with new_deployment(tmp_path) as deployment:
        deployment.link()
        first = deployment.start("certmail_worker", "up", log="up.log")
        wait_for("the first is up", lambda: deployment.workers() == 1)
        second = deployment.run("up")

        assert second.status == 1
        assert f"certmail is up already on {tmp_path} (process {first.pid})" in second.err

        [job] = deployment.send(campaign(1))
        deployment.wait_recorded([job], {"accepted"})
        first.send_signal(signal.SIGTERM)
        assert first.wait(60) == 0
        assert deployment.status(job)["state"] == "accepted"
