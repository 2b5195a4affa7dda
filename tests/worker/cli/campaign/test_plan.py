"""`certmail campaign plan` and `presets`, as they are typed, without a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pytest

from certmail_worker.cli import run_command

CAMPAIGN: Final = """\
tenant = "acme"
id = "2026-q4"
name = "Quarterly access review"
start = 2026-11-02T09:00:00+01:00
due = 2026-11-13T17:00:00+01:00
owner = "grc@acme.example"
time_zone = "Europe/Berlin"
[[rule]]
id = "start"
on = "start"
[[rule]]
id = "before"
before_due = [3, 1]
[[rule]]
id = "boss"
overdue_by = "3 days"
"""
REVIEWERS: Final = """\
id,to,time_zone,manager,pending
anna,anna@acme.example,,boss@acme.example,3
bob,bob@acme.example,America/New_York,,1
cleo,cleo@acme.example,Europe/Paris,,0
"""
NOW: Final = "2026-11-02T08:00:00Z"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Type a command in a folder with a campaign and its reviewers; no store is to be found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CERTMAIL_REDIS_URL", "redis://127.0.0.1:1/0")
    Path("q4.toml").write_text(CAMPAIGN, "utf-8")
    Path("people.csv").write_text(REVIEWERS, "utf-8")

    def typed(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run_command([*arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return typed


def planned(run: Run, *more: str) -> tuple[int, dict[str, Any]]:
    status, output, _ = run(
        "campaign", "plan", "q4.toml", "--reviewers", "people.csv", "--now", NOW, "--json", *more
    )
    return status, json.loads(output)


class TestJson:
    def test_has_what_goes_what_not_and_with_which_versions(self, run: Run) -> None:
        status, document = planned(run)
        assert status == 0
        assert [*document] == ["moments", "not", "versions"]
        assert [*document["moments"][0]] == [
            "reviewer", "rule", "ordinal", "at", "kind", "to", "why",
        ]  # fmt: skip
        assert [*document["not"][0]] == ["reviewer", "rule", "ordinal", "date", "why"]
        assert document["versions"] == {
            "holidays": version("holidays"),
            "tzdata": version("tzdata"),
            "certmail": version("certmail"),
        }

    def test_is_in_order_of_time_and_reviewers(self, run: Run) -> None:
        _, document = planned(run)
        assert [(e["at"], e["reviewer"], e["kind"]) for e in document["moments"]] == [
            ("2026-11-02T08:00:00Z", "anna", "notice"),
            ("2026-11-02T14:00:00Z", "bob", "notice"),
            ("2026-11-10T08:00:00Z", "anna", "reminder"),
            ("2026-11-10T14:00:00Z", "bob", "reminder"),
            ("2026-11-12T08:00:00Z", "anna", "final"),
            ("2026-11-12T14:00:00Z", "bob", "final"),
            ("2026-11-16T08:00:00Z", "anna", "escalation"),
        ]
        assert [(e["date"], e["reviewer"], e["why"]) for e in document["not"]] == [
            ("2026-11-02", "cleo", "complete"),
            ("2026-11-10", "cleo", "complete"),
            ("2026-11-12", "cleo", "complete"),
            ("2026-11-16", "bob", "no_manager"),
            ("2026-11-16", "cleo", "complete"),
        ]

    def test_of_several_campaigns_says_which_and_what_a_digest_is_of(self, run: Run) -> None:
        Path("sox.toml").write_text(CAMPAIGN.replace("2026-q4", "sox"), "utf-8")
        status, document = planned(run, "sox.toml", "--reviewers", "people.csv")
        first = document["moments"][0]
        assert (status, first["campaign"], first["kind"]) == (0, "2026-q4", "digest")
        assert [each["campaign"] for each in first["parts"]] == ["2026-q4", "sox"]
        assert document["not"][0]["campaign"]

    def test_may_be_of_one_reviewer(self, run: Run) -> None:
        _, document = planned(run, "--reviewer", "bob")
        assert {each["reviewer"] for each in document["moments"] + document["not"]} == {"bob"}

    def test_knows_what_was_sent(self, run: Run) -> None:
        row = {"reviewer": "anna", "rule": "start", "ordinal": 1, "at": NOW, "kind": "notice"}
        Path("sent.jsonl").write_text(json.dumps(row), "utf-8")
        _, document = planned(run, "--sent", "sent.jsonl", "--reviewer", "anna")
        assert [each["rule"] for each in document["moments"]] == ["before", "before", "boss"]

    def test_what_if(self, run: Run) -> None:
        _, document = planned(run, "--due", "2026-11-20T17:00:00+01:00", "--reviewer", "anna")
        assert document["moments"][-1]["at"] == "2026-11-23T08:00:00Z"
        _, document = planned(run, "--cadence", "gentle", "--reviewer", "anna")
        assert {each["rule"] for each in document["moments"]} == {"start", "before", "late"}

    def test_bad_rows_are_named_and_the_others_planned(self, run: Run) -> None:
        Path("people.csv").write_text(f"{REVIEWERS}dan,nobody,,,\n", "utf-8")
        status, document = planned(run)
        assert status == 1
        assert len(document["moments"]) == 7
        [bad] = document["rejected"]
        assert (bad["file"], bad["row"], bad["field"], bad["code"]) == (
            "people.csv", 5, "to", "invalid_address",
        )  # fmt: skip


class TestForPeople:
    def plan(self, run: Run, *more: str) -> tuple[int, str, str]:
        return run("campaign", "plan", "q4.toml", "--reviewers", "people.csv", "--now", NOW, *more)

    def test_says_who_gets_what_when_and_why_and_what_not(self, run: Run) -> None:
        status, output, errors = self.plan(run)
        assert (status, errors) == (0, "")
        lines = [" ".join(line.split()) for line in output.splitlines()]
        assert lines[0].startswith("Quarterly access review (acme, 2026-q4): Mon 2 Nov 2026, 09:00")
        assert "Mon 2 Nov 2026 █ 2 · · · · · · start Mon" in lines
        assert "Mon 9 Nov 2026 · █ 2 · █ 2 · · · due Fri" in lines
        assert "Mon 2 Nov 2026, 09:00 bob notice bob@acme.example start 1 the campaign starts on Mon 2 Nov 2026" in lines  # fmt: skip
        assert "Mon 16 Nov 2026 bob boss 1 no_manager: the reviewer has no manager" in lines
        assert "1 reviewer names no time zone: Europe/Berlin is assumed." in lines

    def test_a_long_plan_ends_after_some_rows(self, run: Run) -> None:
        rows = "".join(f"r{n},r{n}@acme.example,,,\n" for n in range(50))
        Path("people.csv").write_text(REVIEWERS + rows, "utf-8")
        _, output, _ = self.plan(run)
        assert "and 117 more: --all, --reviewer ID, or --json" in output
        _, output, _ = self.plan(run, "--all")
        assert " more: " not in output
        assert output.count("r49@acme.example") == 3

    def test_says_what_would_change(self, run: Run) -> None:
        _, output, _ = self.plan(run, "--due", "2026-11-20T17:00:00+01:00")
        told = output.partition("What changes:")[2]
        assert "before 1  Tue 10 Nov 2026  Tue 17 Nov 2026  2" in told
        _, output, _ = self.plan(run, "--due", "2026-11-13T17:00:00+01:00")
        assert "Nothing changes." in output

    def test_bad_rows_are_said_on_stderr(self, run: Run) -> None:
        Path("people.csv").write_text(f"{REVIEWERS}dan,nobody,,,\n", "utf-8")
        status, _, errors = self.plan(run)
        assert status == 1
        assert "people.csv, line 5, to: not an address that Gmail can send to" in errors

    def test_what_rests_on_an_estimate_is_said(self, run: Run) -> None:
        text = (
            CAMPAIGN.replace("2026-11-13", "2028-02-28")
            .replace("2026-11", "2028-02")
            .replace("[[rule]]", '[calendar]\ncountry = "EG"\n[[rule]]', 1)
        )
        Path("q4.toml").write_text(text, "utf-8")
        _, output, _ = run("campaign", "plan", "q4.toml", "--reviewers", "people.csv", "--now", NOW)
        assert "is an estimate: Eid al-Fitr" in output


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["none.toml", "--reviewers", "people.csv"], "unreadable_file"),
            (["q4.toml", "--reviewers", "none.csv"], "unreadable_file"),
            (["q4.toml", "q4.toml", "--reviewers", "people.csv"], "wrong_use"),
            (["q4.toml", "q4.toml", *(["--reviewers", "people.csv"] * 2)], "doubled_campaign"),
            (["q4.toml", "--reviewers", "people.csv", "--now", "today"], "invalid_time"),
            (["q4.toml", "--reviewers", "people.csv", "--cadence", "harsh"], "unknown_preset"),
            (
                ["q4.toml", "--reviewers", "people.csv", "--due", "2026-01-01T00:00:00Z"],
                "wrong_use",
            ),
            (["q4.toml", "--reviewers", "people.csv", "--reviewer", "zoe"], "unknown_reviewer"),
            (["q4.toml", "--reviewers", "q4.toml"], "missing_column"),
            (["people.csv", "--reviewers", "people.csv"], "invalid_toml"),
            (["q4.toml"], "wrong_use"),
        ],
    )
    def test_with_a_sentence_and_status_2(self, run: Run, arguments: list[str], code: str) -> None:
        status, output, _ = run("campaign", "plan", *arguments, "--json")
        assert status == 2
        assert json.loads(output)["error"]["code"] == code
        status, output, errors = run("campaign", "plan", *arguments)
        assert (status, output) == (2, "")
        assert errors.startswith("certmail: ")

    def test_a_reviewer_may_be_in_a_row_that_is_wrong(self, run: Run) -> None:
        Path("people.csv").write_text("id,to\nanna,anna@acme.example\nzoe,nowhere\n", "utf-8")
        status, _, errors = run(
            "campaign", "plan", "q4.toml", "--reviewers", "people.csv", "--reviewer", "zoe"
        )
        assert status == 2
        assert "'zoe', or it is in one of 1 rows that are wrong" in " ".join(errors.split())


class TestPresets:
    def test_are_told_in_words(self, run: Run) -> None:
        status, output, _ = run("campaign", "presets")
        assert status == 0
        assert "every 5 working days until it is due, at most 5" in output

    def test_one_is_printed_as_it_is_written_and_can_be_used(self, run: Run) -> None:
        _, output, _ = run("campaign", "presets", "strict")
        Path("mine.toml").write_text(output, "utf-8")
        _, by_file = planned(run, "--cadence", "mine.toml")
        _, by_name = planned(run, "--cadence", "strict")
        assert by_file == by_name

    def test_json_has_their_rules(self, run: Run) -> None:
        _, output, _ = run("campaign", "presets", "--json")
        assert [each["name"] for each in json.loads(output)["presets"]] == [
            "gentle", "standard", "strict",
        ]  # fmt: skip
        assert run("campaign", "presets", "harsh")[0] == 2


class TestTooMany:
    def test_it_says_what_the_mailbox_cannot_send_in_time(self, run: Run) -> None:
        status, said, _ = run(
            *("campaign", "plan", "q4.toml", "--reviewers", "people.csv", "--now", NOW),
            *("--per-day", "1"),
        )
        assert status == 0
        assert "Too many for the mailbox (60 a minute, 1 in 24 hours" in said
        assert "leave on a later day than planned" in said

    def test_so_does_the_document(self, run: Run) -> None:
        status, found = planned(run, "--per-day", "1")
        assert status == 0
        assert {"reviewer", "rule", "ordinal", "at", "leaves", "after_due"} == set(found["late"][0])
        assert found["late"] == sorted(found["late"], key=lambda each: each["leaves"])

    def test_where_all_can_neither_does(self, run: Run) -> None:
        _, said, _ = run("campaign", "plan", "q4.toml", "--reviewers", "people.csv", "--now", NOW)
        assert "Too many" not in said
        assert "late" not in planned(run)[1]
