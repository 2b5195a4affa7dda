"""One a day: of several mails on one date one goes, and within seven dates no more than the cap."""

from __future__ import annotations

from typing import Any, Final

import pytest

from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.plan import Enrolment
from support.campaigns.written import (
    REGULAR,
    START,
    at,
    campaign,
    days,
    dropped,
    kinds,
    plan,
    plans,
    reviewer,
    sent,
)


def on_the_due_day(*what: str) -> list[dict[str, Any]]:
    return [{"id": f"{kind}-{n}", "on": "due", "kind": kind} for n, kind in enumerate(what)]


class TestOfOneCampaign:
    @pytest.mark.parametrize(
        "order",
        [("notice", "reminder", "overdue", "final"), ("final", "overdue", "reminder", "notice")],
    )
    def test_the_most_urgent_goes(self, order: tuple[str, ...]) -> None:
        left = list(order)
        for urgent in ("final", "overdue", "reminder", "notice"):
            assert list(kinds(plan(campaign(*on_the_due_day(*left)))).values()) == [urgent]
            left.remove(urgent)

    def test_of_equals_the_rule_that_stands_first(self) -> None:
        made = plan(campaign(*on_the_due_day("final", "final")))
        assert days(made) == {"final-0 1": "2026-12-11"}
        assert dropped(made) == {"final-1 1": "merged"}

    def test_it_says_what_it_stands_for(self) -> None:
        [mail] = plan(campaign(*on_the_due_day("reminder", "final"))).moments
        assert "; stands for reminder-0 1 too" in mail.why

    def test_an_escalation_goes_beside_it(self) -> None:
        made = plan(
            campaign(
                {"id": "late", "overdue": "1 working day", "at_most": 1},
                {"id": "boss", "overdue_by": "1 working day"},
            ),
            reviewer(manager="boss@acme.example"),
        )
        assert days(made) == {"late 1": "2026-12-14", "boss 1": "2026-12-14"}

    def test_of_two_escalations_to_one_person_the_first_goes(self) -> None:
        rules = [{"id": f"e{n}", "overdue_by": "3 days", "to": who} for n, who in enumerate(["manager", "owner"])]  # fmt: skip
        made = plan(campaign(*rules), reviewer(manager="grc@acme.example"))
        assert days(made) == {"e0 1": "2026-12-14"}
        assert dropped(made) == {"e1 1": "merged"}

    def test_what_went_on_a_date_stands_for_all_others(self) -> None:
        gone = [sent("start", 1, "2026-11-05T08:00:00Z", "notice")]
        made = plan(campaign(START, REGULAR), now="2026-11-05T09:00:00Z", sent=gone)
        assert dropped(made) == {"regular 1": "merged"}


def other(**changed: Any) -> Campaign:
    return campaign(START, **{"id": "sox", "calendar": {"window": "08:00-12:00"}, **changed})


class TestOfSeveralCampaigns:
    def test_what_meets_becomes_one_digest_at_the_earliest(self) -> None:
        made = plans(
            Enrolment(campaign(START), [reviewer()]),
            Enrolment(other(start="2026-11-02T08:30:00+01:00"), [reviewer("x", to="R@acme.example")]),
        )  # fmt: skip
        [mail] = made.moments
        assert (mail.kind, at(made, "start 1")) == ("digest", "2026-11-02T07:30:00Z")
        assert [(each.campaign, each.reviewer, each.kind) for each in mail.parts] == [
            ("q4", "r", "notice"),
            ("sox", "x", "notice"),
        ]
        assert [(each.campaign, each.why) for each in made.non_moments] == [("sox", "merged")]
        assert "; one mail for the campaigns q4, sox" in mail.why

    def test_it_has_the_name_of_its_most_urgent_part(self) -> None:
        made = plans(
            Enrolment(campaign(START), [reviewer()]),
            Enrolment(other(rule=[{"id": "z", "before_due": [39]}]), [reviewer()]),
        )
        [mail] = made.moments
        assert (mail.campaign, mail.rule, mail.kind) == ("sox", "z", "digest")

    def test_not_of_several_tenants(self) -> None:
        made = plans(
            Enrolment(campaign(START), [reviewer()]),
            Enrolment(other(tenant="globex"), [reviewer()]),
        )
        assert [each.kind for each in made.moments] == ["notice", "notice"]

    def test_not_what_goes_to_a_deputy_and_what_does_not(self) -> None:
        made = plans(
            Enrolment(campaign(START), [reviewer()]),
            Enrolment(other(), [reviewer(deputy="carl@acme.example")]),
        )
        assert {each.to for each in made.moments} == {"r@acme.example", "carl@acme.example"}

    def test_escalations_stay_by_themselves(self) -> None:
        late = {"id": "boss", "overdue_by": "3 days"}
        made = plans(
            Enrolment(campaign(late), [reviewer(manager="boss@acme.example")]),
            Enrolment(other(rule=[late]), [reviewer(manager="boss@acme.example")]),
        )
        assert [each.kind for each in made.moments] == ["escalation", "escalation"]

    def test_a_part_of_a_digest_counts_for_its_campaigns_escalation(self) -> None:
        once = {"id": "b", "before_due": [39]}
        boss = {"id": "boss", "escalate_after": 1}
        made = plans(
            Enrolment(campaign({**once, "before_due": [39, 1]}), [reviewer()]),
            Enrolment(other(rule=[once, boss]), [reviewer(manager="boss@acme.example")]),
        )
        assert days(made)["boss 1"] == "2026-11-03"

    def test_what_another_campaign_sent_today_leaves_this_one_for_the_next_day(self) -> None:
        made = plans(
            Enrolment(
                campaign(START),
                [reviewer()],
                sent=[sent("start", 1, "2026-11-02T08:00:00Z", "notice")],
            ),
            Enrolment(other(), [reviewer()]),
            now="2026-11-02T09:00:00Z",
        )
        assert days(made) == {"start 1": "2026-11-03"}

    def test_who_is_in_one_campaign_twice_is_two_reviewers(self) -> None:
        twice = [reviewer("a", to="a@acme.example"), reviewer("b", to="a@acme.example")]
        made = plans(Enrolment(campaign(START), twice), Enrolment(other(), twice))
        assert [(each.reviewer, each.kind) for each in made.moments] == [
            ("a", "digest"),
            ("b", "digest"),
        ]


DAILY: Final = {"id": "d", "every": "1 working day", "at_most": 8, "kind": "reminder"}


class TestTheCap:
    def test_what_is_more_within_seven_dates_does_not_go(self) -> None:
        made = plan(campaign(DAILY, cap_per_week=2))
        assert [*days(made).values()] == ["2026-11-03", "2026-11-04", "2026-11-10", "2026-11-11"]
        assert set(dropped(made).values()) == {"cap"}

    def test_final_always_goes_and_counts(self) -> None:
        made = plan(
            campaign(
                DAILY,
                {"id": "b", "before_due": [34]},  # the 7th: Friday the 6th
                cap_per_week=2,
            )
        )
        assert days(made)["b 1"] == "2026-11-06"
        # The 3rd to the 9th has three; from the 11th on there is one again within seven.
        assert [*days(made).values()] == ["2026-11-03", "2026-11-04", "2026-11-06", "2026-11-11"]

    def test_what_was_sent_counts(self) -> None:
        gone = [sent("d", 1, "2026-11-03T08:00:00Z")]
        made = plan(campaign(DAILY, cap_per_week=1), now="2026-11-03T09:00:00Z", sent=gone)
        assert next(iter(days(made).values())) == "2026-11-10"

    def test_escalations_do_not_count_nor_are_they_counted(self) -> None:
        made = plan(
            campaign(
                {"id": "late", "overdue": "1 working day", "at_most": 1},
                {"id": "boss", "overdue_by": "1 working day"},
                cap_per_week=1,
            ),
            reviewer(manager="boss@acme.example"),
        )
        assert dropped(made) == {}

    def test_what_does_not_go_does_not_count_for_an_escalation(self) -> None:
        made = plan(
            campaign(DAILY, {"id": "boss", "escalate_after": 2}, cap_per_week=1),
            reviewer(manager="boss@acme.example"),
        )
        assert days(made)["boss 1"] == "2026-11-11"

    def test_mails_of_all_campaigns_count(self) -> None:
        made = plans(
            Enrolment(campaign(START), [reviewer()]),
            Enrolment(other(rule=[DAILY], cap_per_week=1), [reviewer()]),
        )
        assert days(made) == {"start 1": "2026-11-02", "d 5": "2026-11-09"}

    def test_a_digest_keeps_the_lowest_cap(self) -> None:
        made = plans(
            Enrolment(campaign(DAILY, cap_per_week=5), [reviewer()]),
            Enrolment(other(rule=[DAILY], cap_per_week=1), [reviewer()]),
        )
        assert [each.kind for each in made.moments] == ["digest", "digest"]
