"""Files: what is read, and what is said of what cannot be, with its line."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from certmail_config.base.errors import WrongUse
from certmail_config.campaigns.cadence import CadenceRule
from certmail_config.campaigns.presets import PRESETS, about, preset
from certmail_config.campaigns.reading.reviewers import read_reviewers
from certmail_config.campaigns.reading.sent import read_sent
from certmail_config.campaigns.reading.toml import read_campaign, read_rules
from support.campaigns.written import campaign

TOP = """\
tenant = "acme"
id = "2026-q4"
start = 2026-11-02T09:00:00+01:00
due = 2026-12-11T17:00:00+01:00
"""
RULE = """
[[rule]]
id = "start"
on = "start"
"""


def refused(text: str) -> WrongUse:
    with pytest.raises(WrongUse) as caught:
        read_campaign(text, "q4.toml")
    return caught.value


class TestACampaign:
    def test_needs_tenant_id_start_due_and_a_cadence(self) -> None:
        read = read_campaign(TOP + RULE, "q4.toml")
        assert (read.time_zone, str(read.calendar.window)) == ("UTC", "09:00-17:00")
        assert [each.sends for each in read.rules] == ["notice"]

    def test_may_have_a_preset_in_place_of_rules(self) -> None:
        read = read_campaign(f'{TOP}preset = "gentle"\n', "q4.toml")
        assert read.rules == preset("gentle")

    def test_a_link_may_hold_the_reviewer(self) -> None:
        text = TOP + 'link = "https://iga.acme.example/c/{reviewer}"\n' + RULE
        assert read_campaign(text, "q4.toml").link == "https://iga.acme.example/c/{reviewer}"

    @pytest.mark.parametrize(
        ("text", "code", "words"),
        [
            ("tenant = \n", "invalid_toml", "line 1 cannot be read as TOML"),
            (TOP, "no_rules", "it has no rules"),
            (f'{TOP}preset = "strict"\n{RULE}', "two_cadences", "in place of rules"),
            (f'{TOP}preset = "harsh"\n', "unknown_value", "line 5, preset: must be one of"),
            (TOP.replace("+01:00", "") + RULE, "time_without_zone", "line 3, start: a time needs"),
            (TOP.replace("12-11", "10-11") + RULE, "due_before_start", "later than start"),
            (TOP.replace("2026-12", "2036-12") + RULE, "too_long_a_campaign", "three years"),
            (TOP.replace('"acme"', '"Acme!"') + RULE, "invalid_name", "line 1, tenant"),
            (TOP + 'zone = "x"\n' + RULE, "unknown_field", "line 5, zone"),
            (TOP + 'time_zone = "x"\n' + RULE, "unknown_time_zone", "line 5, time_zone"),
            (TOP + "cap_per_week = 0\n" + RULE, "invalid_number", "line 5, cap_per_week"),
            (TOP + 'link = "ftp://x"\n' + RULE, "invalid_link", "line 5, link"),
            (TOP + '[calendar]\nwindow = "9-5"\n' + RULE, "invalid_window", "line 6, calendar.window"),
            (TOP + '[calendar]\n\ncountry = "XX"\n' + RULE, "unknown_country", "line 7, calendar.country"),
            (TOP + '[calendar]\nsubdivision = "BE"\n' + RULE, "subdivision_without_country", "line 5, calendar"),
            (TOP + RULE + RULE, "doubled_rule", "two rules have the id 'start'"),
            (TOP + RULE + 'kind = "digest"\n', "unclear_rule", "line 6, rule 'start'"),
            (TOP + RULE + 'kind = "custom"\n', "unknown_value", "line 9, rule 'start' kind"),
            (TOP + RULE + 'every = "3 days"\n', "unclear_rule", "this one has on and every"),
            (TOP + RULE + "at_most = 3\n", "unclear_rule", "at_most is for every and overdue"),
            (TOP + RULE + 'to = "owner"\n', "unclear_rule", "to is for escalate_after"),
            (TOP + '[[rule]]\nid = "x"\n', "unclear_rule", "this one has none"),
            (TOP + '[[rule]]\nid = "x"\nevery = "3 weeks"\n', "invalid_interval", "line 7, rule 'x' every"),
            (TOP + '[[rule]]\nid = "x"\nevery = "0 days"\n', "invalid_interval", "1 to 366"),
            (TOP + '[[rule]]\nid = "x"\noverdue = "1 day"\n', "endless_rule", "for ever"),
            (TOP + '[[rule]]\nid = "x"\nbefore_due = []\n', "wrong_length", "fewer than 1"),
            (TOP + '[[rule]]\nid = "x"\nbefore_due = [-1]\n', "invalid_number", "at least 0"),
            (TOP + '[[rule]]\nid = "x"\noverdue_by = "3 days"\nto = "owner"\n', "no_owner", "add owner"),
            (TOP + '[[rule]]\nid = "x"\noverdue_by = "3 days"\nkind = "final"\n', "unclear_rule", "send escalation"),
            (TOP + 'rule = "x"\n', "invalid_value", "line 5, rule"),
        ],
    )  # fmt: skip
    def test_says_what_is_wrong_in_which_line(self, text: str, code: str, words: str) -> None:
        error = refused(text)
        assert error.code == code
        assert "q4.toml, " in error.message
        assert words in error.message
        assert error.remedy

    def test_says_all_that_is_wrong(self) -> None:
        error = refused(TOP.replace("+01:00", "") + 'time_zone = "x"\n' + RULE)
        assert [f"line {n}, " in error.message for n in (3, 4, 5)] == [True] * 3

    def test_of_rules_that_are_wrong_it_is_not_said_that_there_are_none(self) -> None:
        error = refused(TOP + '[[rule]]\nid = "x"\noverdue = "1 day"\n')
        assert error.message.endswith("overdue needs at_most: it would go on for ever.")
        assert "fewer than 1" in refused(TOP + "rule = []\n").message

    def test_finds_the_second_rule(self) -> None:
        error = refused(TOP + RULE + '[[rule]]\nid = "x"\non = "end"\n')
        assert "line 11, rule 'x' on: must be one of" in error.message

    def test_rules_alone_may_be_read(self) -> None:
        assert [each.id for each in read_rules(RULE, "rules.toml")] == ["start"]
        with pytest.raises(WrongUse, match="has no rules"):
            read_rules(TOP, "rules.toml")
        with pytest.raises(WrongUse, match="line 3, rule 'x' on"):
            read_rules('[[rule]]\nid = "x"\non = "end"\n', "rules.toml")


class TestPresets:
    @pytest.mark.parametrize("name", PRESETS)
    def test_are_rules_as_a_customer_writes_them(self, name: str) -> None:
        assert read_rules(PRESETS[name], name) == preset(name)
        assert about(name).endswith(".")
        written = tomllib.loads(PRESETS[name])["rule"]
        dumped = [each.model_dump(mode="json", exclude_none=True) for each in preset(name)]
        assert dumped == [{**each, **({"to": "manager"} if each.get("to") == "manager" else {})} for each in written]  # fmt: skip

    def test_a_rule_may_leave_its_kind_to_its_form(self) -> None:
        forms: list[tuple[dict[str, Any], str]] = [
            ({"on": "start"}, "notice"),
            ({"on": "due"}, "final"),
            ({"every": "1 day"}, "reminder"),
            ({"before_due": [1]}, "reminder"),
            ({"overdue": "1 day", "at_most": 1}, "overdue"),
            ({"overdue_by": "1 day"}, "escalation"),
        ]
        for written, kind in forms:
            assert CadenceRule.model_validate({"id": "x", **written}).sends == kind


class TestReviewers:
    def read(self, text: str) -> tuple[list[str], list[tuple[int, str | None, str]]]:
        found = read_reviewers(text.encode(), "people.csv", campaign())
        return [each.id for each in found.reviewers], [each[:3] for each in found.bad]

    def test_are_read_from_csv_in_three_forms(self) -> None:
        for mark in (",", ";", "\t"):
            text = f"\ufeffTo{mark} ID {mark}name\r\na@acme.example{mark}a{mark}\r\n"
            assert self.read(text) == (["a"], [])

    def test_and_from_json_lines(self) -> None:
        row = {"id": "a", "to": "a@acme.example", "pending": 3, "manager": None}
        assert self.read(json.dumps(row) + "\n\n") == (["a"], [])

    def test_every_bad_row_is_named_and_the_others_are_taken(self) -> None:
        assert self.read(
            "id,to,time_zone,country,subdivision,deputy,deputy_from,deputy_until,pending,link\n"
            "a,a@acme.example,,,,,,,,\n"
            "b,nobody,,,,,,,,\n"
            '"c\nd",c@acme.example,,,,,,,,\n'
            "\n"
            "e,e@acme.example,Mars/Base,,,,,,,\n"
            "f,f@acme.example,,XX,,,,,,\n"
            "g,g@acme.example,,DE,XX,,,,,\n"
            "h,h@acme.example,,,BE,,,,,\n"
            "i,i@acme.example,,,,,2026-11-05,,,\n"
            "j,j@acme.example,,,,k@acme.example,2026-11-05,2026-11-04,,\n"
            "k,k@acme.example,,,,,,,many,\n"
            "l,l@acme.example,,,,,,,,javascript:x\n"
            "a,a@acme.example,,,,,,,,\n"
            "m,m@acme.example\n"
            ",n@acme.example,,,,,,,,\n"
            "o,o@acme.example,,DE,BE,,,,2,https://acme.example\n"
        ) == (
            ["a", "o"],
            [
                (3, "to", "invalid_address"),
                (4, "id", "invalid_name"),
                (7, "time_zone", "unknown_time_zone"),
                (8, "country", "unknown_country"),
                (9, "subdivision", "unknown_subdivision"),
                (10, "subdivision", "subdivision_without_country"),
                (11, None, "no_deputy"),
                (12, None, "deputy_ends_early"),
                (13, "pending", "invalid_number"),
                (14, "link", "invalid_link"),
                (15, "id", "doubled_reviewer"),
                (16, None, "wrong_columns"),
                (17, "id", "missing"),
            ],
        )

    def test_of_json_lines_too(self) -> None:
        lines = ['{"id": "a"}', "{", '{"id": "b", "to": "b@acme.example", "x": 1}', '{"id": 7, "to": "c@acme.example"}']  # fmt: skip
        assert self.read("\n".join(lines)) == (
            [],
            [
                (1, "to", "missing"),
                (2, None, "invalid_json"),
                (3, "x", "unknown_field"),
                (4, "id", "invalid_value"),
            ],
        )

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"", "missing_column"),
            (b"id,name\n", "missing_column"),
            (b"id,to,shoe size\n", "unknown_column"),
            (b"id,to,to\n", "doubled_column"),
            (b"[{}]", "wrong_form"),
            (b"id,to\nM\xfcller,x\n", "other_encoding"),
            (b"id,to\n\0,x\n", "wrong_form"),
            (b"PK\x03\x04\x14\0\x06\0\xe9", "wrong_form"),
            (b'id,to\n"a,b\n', "invalid_csv"),
        ],
    )
    def test_a_file_that_is_none_is_refused(self, data: bytes, code: str) -> None:
        with pytest.raises(WrongUse) as caught:
            read_reviewers(data, "people.csv", campaign())
        assert caught.value.code == code
        assert "people.csv" in caught.value.message

    def test_the_columns_that_are_there_are_named(self) -> None:
        with pytest.raises(WrongUse) as caught:
            read_reviewers(b"Nr;E-Mail\n", "people.csv", campaign())
        assert "no column id, to; its columns are 'nr', 'e-mail'." in caught.value.message
        assert "Rename columns" in str(caught.value.remedy)


class TestWhatWasSent:
    ROW = '{"reviewer": "r", "rule": "x", "ordinal": 1, "at": "2026-11-05T08:00:00Z", "kind": "final"}'

    def test_is_an_object_a_line(self) -> None:
        [one, _] = read_sent(f"{self.ROW}\n\n{self.ROW}\n", "sent.jsonl")
        assert (one.rule, one.ordinal, one.accepted) == ("x", 1, True)

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("x", "line 2: not one JSON object"),
            (ROW.replace("final", "last"), "line 2: kind: must be one of"),
            (ROW.replace("Z", ""), "line 2: at: a time needs a zone"),
        ],
    )
    def test_the_first_line_that_is_none_is_named(self, line: str, words: str) -> None:
        with pytest.raises(WrongUse, match=words):
            read_sent(f"{self.ROW}\n{line}\n", "sent.jsonl")
