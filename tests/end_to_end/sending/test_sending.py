"""`certmail send`: columns by any name, and a look before anything is enqueued.

Rejected rows are kept; it can be interrupted and run again.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from certmail_config.base import redis_keys
from support.deployment.deployment import Deployment, new_deployment, wait_for

FOREIGN = (
    "E-Mail;Company Id;Open items;Shoe size\n"
    "ann@acme.example;acme;3;41\n"
    "bob;acme;1;42\n"
    "eve@acme.example;nobody;1;43\n"
)
MAPPED = [
    "--map",
    "E-Mail=to",
    "--map",
    "Company Id=tenant",
    "--map",
    "Open items=pending",
    "--map",
    "Shoe size=",
]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with new_deployment(Path(tmp_path_factory.mktemp("sending"))) as made:
        made.admin.add_tenant("acme")
        yield made


def waiting(deployment: Deployment) -> int:
    found = deployment.admin.redis.zcard(redis_keys.DUE)
    assert isinstance(found, int)
    return found


class TestColumns:
    def test_a_dry_run_says_what_is_wrong_and_enqueues_nothing(
        self, deployment: Deployment
    ) -> None:
        before = waiting(deployment)
        ran = deployment.run("send", "-", "--dry-run", "--json", *MAPPED, stdin=FOREIGN)

        assert ran.status == 1, ran
        assert (ran.json["dry_run"], ran.json["good"]) == (True, 1)
        assert [(each["row"], each["field"], each["code"]) for each in ran.json["rejected"]] == [
            (3, "to", "invalid_address"),
            (4, "tenant", "unknown_tenant"),
        ]
        assert waiting(deployment) == before

    def test_it_is_said_which_mails_will_be_in_another_language_than_was_asked_for(
        self, deployment: Deployment
    ) -> None:
        text = (
            "tenant,to,locale\n"
            "acme,l1@acme.example,sv\n"
            "acme,l2@acme.example,de-CH\n"
            "acme,l3@acme.example,sv\n"
        )
        dry = deployment.run("send", "-", "--dry-run", stdin=text)
        assert dry.status == 0, dry
        assert "2 of them: certmail writes no mail in 'sv', so it will be in 'en'" in " ".join(
            dry.err.split()
        )

        ran = deployment.run("send", "-", "--json", stdin=text)
        [note] = ran.json["language_notes"]
        assert note["reminders"] == 2
        assert [each["language"] for each in ran.json["receipts"]] == ["en", "de", "en"]

    def test_columns_are_mapped_and_left_out_and_what_all_share_is_set(
        self, deployment: Deployment
    ) -> None:
        text = "address,pending\nsue@acme.example,1\nzoe@acme.example,0\n"
        ran = deployment.run(
            "send",
            "-",
            "--json",
            "--map",
            "address=to",
            "--set",
            "tenant=acme",
            "--set",
            "campaign=q9",
            stdin=text,
        )

        assert (ran.status, ran.json["enqueued"]) == (0, 2), ran

        lines = '{"mail": "sue@acme.example", "pending": 1, "noise": 7}\n'
        mapped = [
            "--map",
            "mail=to",
            "--map",
            "noise=",
            "--set",
            "tenant=acme",
            "--set",
            "campaign=q9",
        ]

        assert deployment.ask("send", "-", *mapped, stdin=lines)["duplicates"] == 1

    @pytest.mark.parametrize(
        ("options", "code"),
        [
            (["--map", "E-Mail"], "wrong_use"),
            (["--map", "=to"], "wrong_use"),
            (["--map", "E-Mail=recipient"], "unknown_field"),
            (["--set", "shoe=41"], "unknown_field"),
            (["--map", "Mail=to"], "missing_column"),
            (["--map", "E-Mail=to", "--set", "tenant=acme"], "unknown_column"),
            ([*MAPPED, "--map", "Shoe size=to"], "doubled_column"),
        ],
    )
    def test_what_cannot_be_meant_is_said_and_nothing_is_enqueued(
        self, deployment: Deployment, options: list[str], code: str
    ) -> None:
        before = waiting(deployment)
        ran = deployment.run("send", "-", "--json", *options, stdin=FOREIGN)
        assert (ran.status, ran.json["error"]["code"]) == (2, code), ran
        assert waiting(deployment) == before


class TestRejectedRows:
    def test_they_are_kept_with_the_reason_and_once_corrected_that_file_is_sent(
        self, deployment: Deployment
    ) -> None:
        file = deployment.data_dir / "rejected.csv"
        rows = [
            "tenant,to,name,pending",
            "acme,one@acme.example,Ann,1",
            'acme,"two at acme",Béa,1',
            "acme,three@acme.example",
            'acme,four@acme.example,"open',
        ]

        ran = deployment.run(
            "send", "-", "--json", "--rejected", str(file), stdin="\n".join(rows) + "\n"
        )
        assert (ran.status, ran.json["enqueued"], len(ran.json["rejected"])) == (1, 1, 3), ran

        kept = file.read_text("utf-8").splitlines()
        assert kept[0] == "\ufeffrejected_because,tenant,to,name,pending", (
            "spreadsheets want a mark"
        )
        assert kept[1].startswith('"line 3: to: ')
        assert kept[1].endswith('",acme,"two at acme",Béa,1')
        assert (
            kept[2]
            == '"line 4: 2 columns, but the header names 4 (wrong_columns)",acme,three@acme.example'
        )

        file.write_text(
            "\n".join([kept[0], kept[1].replace("two at acme", "two@acme.example")]) + "\n", "utf-8"
        )
        assert deployment.ask("send", str(file))["enqueued"] == 1

    def test_of_json_lines_too_and_bytes_that_are_no_text_stay_as_they_came(
        self, deployment: Deployment
    ) -> None:
        file = deployment.data_dir / "rejected.jsonl"
        given = (
            b'{"tenant": "acme", "to": 7}\n'
            b'{"tenant": "acme", "to": "a@acme.example", "name": "\xff"}\n'
            b'{"tenant": "acme", "to": "b@acme.example", "name": "J\xc3\xb6rg"}\n'
        )
        ran = deployment.run("send", "-", "--rejected", str(file), stdin=given)

        assert ran.status == 1
        assert "correct them there" in ran.err

        first, second = file.read_bytes().splitlines()
        assert json.loads(first)["to"] == 7
        assert json.loads(first)["rejected_because"].startswith("line 1: to: ")
        assert b'"name": "\xff"' in second

    def test_a_file_that_cannot_be_written_is_said_before_anything_is_enqueued(
        self, deployment: Deployment
    ) -> None:
        before = waiting(deployment)
        ran = deployment.run(
            "send",
            "-",
            "--json",
            "--rejected",
            "/no/such/folder/x",
            stdin="tenant,to\nacme,q@acme.example\n",
        )

        assert (ran.status, ran.json["error"]["code"]) == (2, "unwritable_file")
        assert waiting(deployment) == before


class TestInterrupted:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
    def test_and_run_again_everything_is_in_once(
        self, deployment: Deployment, number: signal.Signals
    ) -> None:
        before, rows, campaign = waiting(deployment), 4000, f"stop{number}"
        file = deployment.data_dir / "many.csv"
        lines = [f"acme,r{n}@acme.example,{campaign}" for n in range(rows)]
        file.write_text("\n".join(["tenant,to,campaign", *lines]) + "\n")
        log = f"{campaign}.log"
        process = deployment.start("certmail_worker", "send", str(file), "--json", log=log)
        wait_for("some are in", lambda: waiting(deployment) > before)
        process.send_signal(number)
        status = process.wait(60)

        done = waiting(deployment) - before

        if number is signal.SIGINT:
            assert status == 130
            said = (deployment.data_dir / log).read_text()
            assert "run the same command again" in said.lower()

        again = deployment.ask("send", str(file))
        assert (again["enqueued"], again["duplicates"]) == (rows - done, done)
        assert waiting(deployment) - before == rows
        assert 0 < done < rows, "it was interrupted midway"
