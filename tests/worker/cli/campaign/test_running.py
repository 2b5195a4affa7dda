"""`certmail campaign run` and what follows, as a program and as a person types it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from certmail_worker.cli import run_command

CAMPAIGN: Final = """\
tenant = "acme"
id = "2036-q4"
name = "Quarterly access review"
start = 2036-11-03T09:00:00+01:00
due = 2036-12-12T17:00:00+01:00
time_zone = "Europe/Berlin"
preset = "gentle"
"""
PEOPLE: Final = """\
id,to,pending,completed
anna,anna@acme.example,3,0
bob,bob@acme.example,1,2
cleo,cleo@acme.example,0,4
"""
Run = Callable[..., tuple[int, Any]]
Typed = Callable[..., tuple[int, str, str]]
Q4: Final = "acme/2036-q4"


@pytest.fixture
def run(commands: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    Path("q4.toml").write_text(CAMPAIGN, "utf-8")
    Path("people.csv").write_text(PEOPLE, "utf-8")
    assert commands("tenants", "add", "acme")[0] == 0
    return commands


@pytest.fixture
def typed(run: Run, capsys: pytest.CaptureFixture[str]) -> Typed:
    """The same as a person reads it."""

    def type_(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run_command([*arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return type_


def started(run: Run, *options: str) -> tuple[int, Any]:
    return run("campaign", "run", "q4.toml", "--reviewers", "people.csv", *options)


def test_a_campaign_runs_from_two_files_and_says_what_comes_next(run: Run) -> None:
    status, told = started(run)
    assert (status, told["state"], told["version"]) == (0, "running", 1)
    assert (told["added"], told["removed"], told["rejected"]) == (3, 0, [])
    assert told["reviewers"] == {"reviewers": 3, "complete": 1, "pending": 4, "completed": 6}
    assert told["plan"]["first_at"] == "2036-11-03T08:00:00.000Z"
    assert told["plan"]["not_going"] == {"complete": 5}

    status, again = started(run)
    assert (status, again["version"], again["unchanged"]) == (0, 1, 3)
    status, shown = run("campaign", "show", Q4)
    assert (status, shown["reviewers"]) == (0, told["reviewers"])
    assert [each["id"] for each in run("campaign", "show")[1]["campaigns"]] == ["2036-q4"]


def test_whoever_is_no_longer_in_the_file_goes_unless_all_are_kept(run: Run) -> None:
    started(run)
    Path("people.csv").write_text(PEOPLE.replace("bob,bob@", "dan,dan@"), "utf-8")
    assert started(run, "--add")[1]["reviewers"]["reviewers"] == 4
    status, told = started(run)
    assert (status, told["removed"], told["reviewers"]["reviewers"]) == (0, 1, 3)


def test_with_a_wrong_row_nobody_goes_and_it_is_said(run: Run, typed: Typed) -> None:
    started(run)
    Path("people.csv").write_text("id,to\nanna,anna@acme.example\nbob,nowhere\n", "utf-8")
    status, told = started(run)
    assert (status, told["removed"]) == (1, 0)
    assert [(each["line"], each["code"]) for each in told["rejected"]] == [(3, "invalid_address")]
    status, _, err = typed("campaign", "run", "q4.toml", "--reviewers", "people.csv")
    assert status == 1
    assert "people.csv, line 3, to: " in err
    assert "nobody was removed" in err


def test_progress_comes_from_a_file_or_of_one(run: Run, typed: Typed) -> None:
    started(run)
    rows = ["reviewer,pending,sequence", "anna,0,4", "anna,2,3", "bob,1,", "nobody,0,1", "cleo,x,1"]
    Path("news.csv").write_text("\n".join(rows), "utf-8")
    status, told = run("campaign", "progress", Q4, "news.csv")
    assert status == 1
    assert (told["taken"], told["older"], told["same"]) == (2, 1, 0)
    assert [(each["line"], each["code"]) for each in told["rejected"]] == [
        (5, "unknown_reviewer"),
        (6, "invalid_number"),
    ]
    one = ("--reviewer", "bob", "--pending", "0", "--completed", "3")
    assert run("campaign", "progress", "2036-q4", *one)[1]["taken"] == 1
    assert run("campaign", "show", Q4)[1]["reviewers"]["complete"] == 3
    _, output, _ = typed("campaign", "run", "q4.toml", "--reviewers", "people.csv")
    assert "Of 2 reviewers newer progress is known than the file has; it stays." in output


@pytest.mark.parametrize(
    "options", [(), ("news.csv", "--reviewer", "bob"), ("--reviewer", "bob"), ("--pending", "0")]
)
def test_news_are_a_file_or_one(run: Run, options: tuple[str, ...]) -> None:
    status, told = run("campaign", "progress", Q4, *options)
    assert (status, told["error"]["code"]) == (2, "wrong_use")


def test_it_is_paused_resumed_stopped_and_removed(run: Run) -> None:
    started(run)
    for act, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        status, told = run("campaign", act, Q4)
        assert (status, told["state"]) == (0, state)
    status, told = run("campaign", "resume", Q4)
    assert (status, told["error"]["code"]) == (1, "campaign_stopped")
    assert started(run)[1]["error"]["code"] == "campaign_stopped"
    assert run("campaign", "remove", Q4, "--yes")[0] == 0
    status, told = run("campaign", "show", Q4)
    assert (status, told["error"]["code"]) == (1, "unknown_campaign")


def test_who_is_not_done_can_be_reminded_now(run: Run) -> None:
    started(run)
    named = ("--reviewer", "anna", "--reviewer", "cleo", "--reviewer", "nobody")
    status, told = run("campaign", "remind", Q4, *named)
    assert (status, told["reminded"], told["complete"], told["unknown"]) == (
        1, ["anna"], ["cleo"], ["nobody"],
    )  # fmt: skip
    status, told = run("campaign", "remind", Q4, "--all")
    assert (status, told["reminded"]) == (0, ["anna", "bob"])
    assert run("campaign", "remind", Q4)[0] == 2
    status, told = run("campaign", "remind", Q4, "--all", "--within-hours")
    assert (status, told["reminded"]) == (0, ["anna", "bob"])
    assert set(told["later"]) <= {"anna", "bob"}


def test_an_id_that_two_tenants_have_is_not_enough(run: Run) -> None:
    started(run)
    run("tenants", "add", "zeta")
    Path("q4.toml").write_text(CAMPAIGN.replace('"acme"', '"zeta"'), "utf-8")
    started(run)
    status, told = run("campaign", "pause", "2036-q4")
    assert (status, told["error"]["code"]) == (2, "unclear_campaign")
    assert "acme, zeta" in told["error"]["message"]
    assert run("campaign", "pause", "zeta/2036-q4")[0] == 0


def test_a_person_reads_when_the_first_mails_leave_and_what_keeps_them(
    typed: Typed,
) -> None:
    status, output, _ = typed("campaign", "run", "q4.toml", "--reviewers", "people.csv")
    assert status == 0
    assert "The campaign acme/2036-q4 runs: 3 reviewers (3 added), 1 of them done." in output
    assert "The next mail leaves on Mon 3 Nov 2036 at 09:00 (Europe/Berlin)." in output
    assert "5 mails, for the review is complete" in output
    assert "The connection acme/default is not set up" in output
    assert "certmail connections setup-link acme" in output
    assert "No worker is running" in output

    _, output, _ = typed("connections", "show", "acme/default")
    assert "certmail connections setup-link acme" in output
    _, output, _ = typed("campaign", "show", Q4)
    assert "3, 1 of them done" in output
    assert "The connection acme/default is not set up" in output
    _, output, _ = typed("campaign", "show")
    assert Q4 in output
    assert "2036-12-12 17:00 Europe/Berlin" in output


def test_of_a_paused_one_it_is_said_when_a_mail_would_leave(run: Run, typed: Typed) -> None:
    started(run)
    run("campaign", "pause", Q4)
    _, output, _ = typed("campaign", "show", Q4)
    assert "If it ran, the next mail would leave on Mon 3 Nov 2036" in output
    assert "The next mail leaves" not in output


def test_what_is_another_in_a_changed_campaign_is_said(run: Run, typed: Typed) -> None:
    started(run)
    changed = CAMPAIGN.replace("2036-12-12T17", "2036-12-19T17").replace("gentle", "strict")
    Path("q4.toml").write_text(f'owner = "grc@acme.example"\n{changed}', "utf-8")
    _, output, _ = typed("campaign", "run", "q4.toml", "--reviewers", "people.csv")
    assert "The campaign acme/2036-q4 is changed: 3 reviewers (3 unchanged)" in output
    assert "due: Fri 12 Dec 2036 at 17:00 (Europe/Berlin) → Fri 19 Dec 2036 at 17:00" in output
    assert "preset changed" in output
    assert "name" not in output


def test_another_campaigns_reviewers_by_mistake_remove_nobody(run: Run, typed: Typed) -> None:
    started(run)
    run("campaign", "progress", Q4, "--reviewer", "anna", "--pending", "0")
    Path("other.csv").write_text("id,to\nzoe,zoe@acme.example\n", "utf-8")
    Path("nobody.csv").write_text("id,to\n", "utf-8")

    wrong = ("campaign", "run", "q4.toml", "--reviewers", "other.csv")
    status, _, err = typed(*wrong)
    assert status == 2
    assert "3 of the 3 reviewers of acme/2036-q4 are not in other.csv" in " ".join(err.split())
    assert run(*wrong[:-1], "nobody.csv")[1]["error"]["code"] == "confirmation_missing"
    assert run("campaign", "show", Q4)[1]["reviewers"]["complete"] == 2

    assert run(*wrong, "--add")[1]["reviewers"]["reviewers"] == 4
    status, told = run(*wrong, "--yes")
    assert (status, told["removed"], told["reviewers"]["reviewers"]) == (0, 3, 1)
