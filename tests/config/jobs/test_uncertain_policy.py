"""The rule for unknown outcomes: the nearest counts."""

from __future__ import annotations

from typing import get_args

import pytest

from certmail_config.base.errors import WrongUse
from certmail_config.jobs.kinds import Kind
from certmail_config.jobs.uncertain_policy import Policy, Rule, decide

HOLD, RESEND = Rule.HOLD, Rule.RESEND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hold", {"reminder": HOLD, "notice": HOLD, "final": HOLD}),
        ("resend", {"reminder": RESEND, "notice": RESEND, "final": RESEND}),
        ("hold,final=resend", {"reminder": HOLD, "notice": HOLD, "final": RESEND}),
        ("resend,notice=hold,final=hold", {"reminder": RESEND, "notice": HOLD, "final": HOLD}),
    ],
)
def test_kinds_may_have_another_rule(text: str, expected: dict[str, Rule]) -> None:
    policy = Policy.parse(text)
    assert {kind: policy.of(kind) for kind in expected} == expected


@pytest.mark.parametrize(
    "text", ["", "keep", "hold,", "hold,other=resend", "hold,final", "Hold", "hold;final=resend"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(WrongUse) as raised:
        Policy.parse(text)
    assert raised.value.code == "invalid_rule"


def test_every_kind_of_reminder_can_have_one() -> None:
    for kind in get_args(Kind):
        assert Policy.parse(f"hold,{kind}=resend").of(kind) is RESEND


def test_the_reminders_own_rule_counts_before_its_tenants_and_that_before_the_deployments() -> None:
    deployment, tenant = Policy(RESEND), Policy.parse("hold,final=resend")
    assert decide("notice", own=None, tenant=None, deployment=deployment) is RESEND
    assert decide("notice", own=None, tenant=tenant, deployment=deployment) is HOLD
    assert decide("final", own=None, tenant=tenant, deployment=Policy()) is RESEND
    assert decide("final", own=HOLD, tenant=tenant, deployment=deployment) is HOLD
