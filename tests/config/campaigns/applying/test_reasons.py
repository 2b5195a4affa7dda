"""Why a job is called off: the same words, whoever calls it off."""

from __future__ import annotations

from certmail_config.campaigns.applying import reasons
from certmail_config.campaigns.applying.outcomes import ended_as
from certmail_config.campaigns.running.states import MomentState
from certmail_config.jobs.states import State
from certmail_config.ledger.script import lua_files

WORDS = {value for name, value in vars(reasons).items() if name.isupper()}
ONLY_PLANNED = {reasons.MOVED, reasons.NOT_PLANNED}


def test_the_begin_script_says_the_same() -> None:
    script = lua_files()["moves"].read_text("utf-8")
    assert len(WORDS) == 6
    assert {each for each in WORDS if each in script} == WORDS - ONLY_PLANNED


def test_whatever_was_called_off_so_may_come_again() -> None:
    for each in WORDS:
        assert ended_as(State.SUPPRESSED, each) is MomentState.WITHDRAWN, each
