"""The instrument works: its mix is what it says, and each part of the code is named once."""

from __future__ import annotations

from itertools import islice

import pytest

from bench.compose import KINDS, ROWS, campaign, campaigns, cost, letters, locales, memory, shares
from bench.mail.report import composing
from certmail_worker.delivery.shelf import MOST_BYTES


def test_the_mix_has_every_kind_in_every_language_and_each_reviewer_once() -> None:
    mix = list(islice(letters(0), 500))
    assert {each.kind for each in mix} == set(KINDS)
    assert {each.locale for each in mix} == set(locales()) >= {"de", "de-CH", "en", "ja"}
    assert len({each.to for each in mix}) == len({each.job_id for each in mix}) == 500


def test_a_campaign_is_of_one_tenant_and_each_reviewer_once() -> None:
    mix = list(islice(campaign(7), 50))
    assert len({(each.sender, each.organisation, each.locale, each.kind) for each in mix}) == 1
    assert len({each.to for each in mix}) == len({each.link for each in mix}) == 50


def test_campaigns_are_of_each_tenant_in_turn() -> None:
    mix = list(islice(campaigns(0), 300))
    assert len({each.sender for each in mix}) == 100
    assert [each.sender for each in mix[:100]] == [each.sender for each in mix[100:200]]
    assert len({each.to for each in mix}) == 300


def test_ten_thousand_tenants_in_their_own_words_fit_into_a_worker() -> None:
    held = memory(300)
    assert held.taken > 0
    assert MOST_BYTES // held.reckoned >= 10_000


def test_a_run_of_all_says_what_composing_takes_by_row() -> None:
    assert composing(mails=5).keys() == ROWS.keys()


def test_a_mail_costs_something_and_its_shares_are_the_whole() -> None:
    for kind, writes in ROWS.values():
        assert all(microseconds > 0 for microseconds in cost(kind, 20, writes()))

    found = dict(shares(20))
    assert sum(found.values()) == pytest.approx(1)
    assert {"content.py", "wire/frames.py", "wire/message.py"} <= set(found)
