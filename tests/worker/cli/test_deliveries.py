"""What `certmail deliveries` and `certmail status` print of the record.

On SQLite and on PostgreSQL.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from certmail import Mailer, Reminder
from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_config.sql.engine import open_database
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.cli import run_command
from certmail_worker.recording.writer import read_cursor, write
from support.data.events import begun, enqueued, happened, settled

Run = Callable[..., tuple[int, str, str]]
EVENTS = [
    enqueued(1, "j1", to="ann@people.example"),
    enqueued(2, "j2", to="bob@people.example", campaign="=q5"),
    begun(3, job="j1"),
    settled(
        4,
        "accepted",
        "accepted",
        job="j1",
        reason="",
        http_status=200,
        gmail_id="g1",
        latency_ms=120,
    ),
    happened(5, "cancelled", "cancelled", "cancelled: by ann", "j2"),
]


@pytest.fixture
def certmail(
    redis: Redis,
    redis_url: str,
    ready_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run a command as a program does; gives its exit status and what it wrote.

    Two deliveries are on record.
    """
    monkeypatch.setenv("CERTMAIL_REDIS_URL", redis_url)
    monkeypatch.setenv("CERTMAIL_DATABASE_URL", ready_database)
    monkeypatch.setenv("CERTMAIL_DATA_DIR", str(tmp_path))
    engine = open_database(ready_database)
    write(engine, read_cursor(engine), EVENTS)
    engine.dispose()

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run_command(list(arguments))
        output = capsys.readouterr()
        return status, output.out, output.err

    return run


def jobs(answer: tuple[int, str, str]) -> list[str]:
    assert answer[0] == 0, answer
    return [row["job"] for row in json.loads(answer[1])["deliveries"]]


class TestList:
    def test_the_newest_come_first_with_all_that_the_record_says(self, certmail: Run) -> None:
        status, out, _ = certmail("deliveries", "list", "--json")
        assert status == 0
        [second, first] = json.loads(out)["deliveries"]
        assert (first["job"], first["recipient"], first["mailbox"]) == (
            "j1", "ann@people.example", "reviews@acme.example",
        )  # fmt: skip
        assert first["enqueued_at"] == "2026-11-23T09:00:01.000Z"
        assert (second["state"], second["decided_by"]) == ("cancelled", "by ann")

    @pytest.mark.parametrize(
        ("options", "found"),
        [
            (["--tenant", "acme"], ["j2", "j1"]),
            (["--tenant", "globex"], []),
            (["--campaign", "q4"], ["j1"]),
            (["--to", "BOB@people.example"], ["j2"]),
            (["--state", "accepted"], ["j1"]),
            (["--state", "not-sent"], ["j2"]),
            (["--state", "waiting"], []),
            (["--since", "2026-11-23T10:00:02+01:00"], ["j2"]),
            (["--until", "2026-11-23T09:00:02Z"], ["j1"]),
        ],
    )
    def test_by_what_is_asked_for(
        self, certmail: Run, options: list[str], found: list[str]
    ) -> None:
        assert jobs(certmail("deliveries", "list", "--json", *options)) == found

    def test_a_page_says_how_to_go_on(self, certmail: Run) -> None:
        status, out, err = certmail("deliveries", "list", "--limit", "1")
        assert status == 0
        assert ("bob@people.example" in out, "ann@people.example" in out) == (True, False)
        cursor = err.split("--after ")[1].strip()
        assert jobs(certmail("deliveries", "list", "--json", "--after", cursor)) == ["j1"]

    def test_wrong_times_and_cursors_are_wrong_use(self, certmail: Run) -> None:
        assert certmail("deliveries", "list", "--since", "yesterday")[0] == 2
        assert certmail("deliveries", "list", "--after", "nonsense")[0] == 2
        assert certmail("deliveries", "hours", "--day", "yesterday")[0] == 2
        status, _, err = certmail("deliveries", "list", "--state", "lost")
        assert (status, "not-sent" in err) == (2, True), "it says which there are"


class TestExport:
    def test_csv_has_a_header_and_no_cell_that_a_spreadsheet_would_carry_out(
        self, certmail: Run
    ) -> None:
        status, out, err = certmail("deliveries", "export", "-")
        rows = list(csv.DictReader(io.StringIO(out)))
        assert (status, [row["job"] for row in rows]) == (0, ["j2", "j1"])
        assert rows[0]["campaign"] == "'=q5"
        assert "2 deliveries written" in err

    def test_each_says_when_it_left_and_what_google_answered(self, certmail: Run) -> None:
        _, out, _ = certmail("deliveries", "export", "-")
        cancelled, accepted = list(csv.DictReader(io.StringIO(out)))
        names = ("attempts", "left_at", "http_status", "gmail_id", "latency_ms")
        assert [accepted[name] for name in names] == [
            "1",
            "2026-11-23T09:00:03.000Z",
            "200",
            "g1",
            "120",
        ]

        assert [cancelled[name] for name in names] == ["0", "", "", "", ""]

    def test_a_csv_file_has_the_mark_by_which_spreadsheets_know_utf_8_and_what_is_piped_has_none(
        self, certmail: Run, tmp_path: Path
    ) -> None:
        file = tmp_path / "record.csv"
        assert certmail("deliveries", "export", str(file))[0] == 0
        _, out, _ = certmail("deliveries", "export", "-")
        assert file.read_bytes().decode("utf-8") == "\ufeff" + out
        assert certmail("deliveries", "export", str(file), "--format", "jsonl")[0] == 0
        assert file.read_bytes().startswith(b"{")

    def test_jsonl_is_what_the_files_name_asks_for(self, certmail: Run, tmp_path: Path) -> None:
        file = tmp_path / "record.jsonl"
        status, out, _ = certmail("deliveries", "export", str(file), "--campaign", "q4", "--json")
        assert (status, json.loads(out)["deliveries"]) == (0, 1)
        [row] = [json.loads(line) for line in file.read_text().splitlines()]
        assert (row["job"], row["held"], row["send_at"]) == ("j1", False, None)

    def test_a_file_that_cannot_be_written_is_named(self, certmail: Run, tmp_path: Path) -> None:
        status, _, err = certmail("deliveries", "export", str(tmp_path))
        assert (status, str(tmp_path) in err) == (1, True)


class TestTotals:
    def test_deliveries_are_counted_by_state(self, certmail: Run) -> None:
        status, out, _ = certmail("deliveries", "totals", "--json")
        counted = {
            "total": 2,
            "states": {"accepted": 1, "cancelled": 1},
            "groups": {"accepted": 1, "not-sent": 1},
            "held": 0,
            "possible_duplicates": 0,
        }

        assert (status, json.loads(out)) == (0, counted)
        assert (
            json.loads(certmail("deliveries", "totals", "--campaign", "q4", "--json")[1])["total"]
            == 1
        )
        assert "accepted" in certmail("deliveries", "totals")[1]

    def test_a_group_of_states_is_counted_as_one(self, certmail: Run) -> None:
        _, out, _ = certmail("deliveries", "totals", "--state", "not-sent", "--json")
        assert json.loads(out)["states"] == {"cancelled": 1}

    def test_why_some_were_not_sent(self, certmail: Run) -> None:
        _, out, _ = certmail("deliveries", "reasons", "--json")
        reason = {"state": "cancelled", "code": "cancelled", "words": "by ann", "count": 1}
        assert json.loads(out) == {"reasons": [reason], "capped": False}
        assert "by ann" in certmail("deliveries", "reasons", "--campaign", "=q5")[1]
        assert json.loads(certmail("deliveries", "reasons", "--campaign", "q4", "--json")[1]) == {
            "reasons": [],
            "capped": False,
        }

    def test_how_a_day_went_by_the_hour(self, certmail: Run) -> None:
        status, out, _ = certmail("deliveries", "hours", "--json")
        states = {"accepted": 1, "cancelled": 1}
        hour = {"at": "2026-11-23T09:00:00.000Z", "total": 2, "states": states}
        assert (status, json.loads(out)) == (
            0, {"day": "2026-11-23", "hours": [hour], "capped": False},
        )  # fmt: skip

        _, shown, err = certmail("deliveries", "hours")
        assert ("09:00" in shown, "2026-11-23" in err) == (True, True)
        _, out, _ = certmail("deliveries", "hours", "--day", "2026-11-24", "--json")
        assert json.loads(out) == {"day": "2026-11-24", "hours": [], "capped": False}

    def test_campaigns_are_counted_page_by_page(self, certmail: Run) -> None:
        status, out, err = certmail("campaigns", "list", "--limit", "1")
        assert status == 0
        assert "=q5" in out
        assert "cancelled" in out
        assert "--after acme '=q5'" in err
        _, out, _ = certmail("campaigns", "list", "--json", "--after", "acme", "=q5")
        found = json.loads(out)
        [q4] = found["campaigns"]
        assert (q4["campaign"], q4["states"], found["more"]) == ("q4", {"accepted": 1}, False)


class TestStatus:
    def test_what_redis_has_forgotten_the_record_still_tells(self, certmail: Run) -> None:
        status, out, _ = certmail("status", "j1", "--json")
        assert status == 0
        story = json.loads(out)
        assert (story["id"], story["state"], story["recipient"]) == (
            "j1",
            "accepted",
            "ann@people.example",
        )

        [attempt] = story["attempts"]
        assert (attempt["outcome"], attempt["latency_ms"], attempt["gmail_id"]) == (
            "accepted",
            120,
            "g1",
        )
        assert [event["type"] for event in story["history"]] == ["enqueued", "begun", "settled"]

        shown = certmail("status", "j2")[1]
        assert "What happened" in shown
        assert "by ann" in shown

    def test_without_the_database_it_says_what_redis_knows_and_that_this_is_not_all(
        self,
        certmail: Run,
        redis_url: str,
        ready_database: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        job = self.remind(redis_url, ready_database, tmp_path)
        status, out, _ = certmail("status", job, "--json")
        assert (status, json.loads(out)["history"]) == (0, None), "not recorded yet"

        nowhere = "postgresql+psycopg://certmail@127.0.0.1:9/certmail"
        monkeypatch.setenv("CERTMAIL_DATABASE_URL", nowhere)
        status, out, err = certmail("status", job, "--json")
        assert (status, json.loads(out)["state"], json.loads(out)["history"]) == (0, "ready", None)
        assert "Without the record: The database" in err

        status, _, err = certmail("status", "j1")
        assert (status, "The record could not be asked" in err) == (1, True)

    def remind(self, redis_url: str, database: str, data_dir: Path) -> str:
        settings = Settings(redis_url=redis_url, database_url=database, data_dir=data_dir)
        with open_admin(settings, make_key=True) as admin:
            admin.add_tenant("acme")
            admin.add_customer_owned_app(
                "acme",
                "default",
                service_account="sa@acme-it.iam.gserviceaccount.com",
                mailbox="reviews@acme.example",
                limits=GoogleLimits(),
                valid_days=30,
            )

            with Mailer(admin.redis) as mailer:
                return str(mailer.send(Reminder(tenant="acme", to="ann@people.example")).id)
