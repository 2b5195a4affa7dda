"""Every move of the table of transitions really happens: one small scenario for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from redis import Redis

from certmail_config.jobs.states import TRANSITIONS, UPKEEP, AttemptOutcome, Move, State
from support.machine.clocked_ledger import LEASE
from support.machine.one_job import CLOSED, LIFE, OneJob

_S, _O = State, AttemptOutcome
MOVES: Final = sorted(
    (
        (script, move)
        for script, moves in TRANSITIONS.items()
        if script not in UPKEEP  # tests/end_to_end/stores/test_restore.py has those
        for move in moves
    ),
    key=str,
)
Scenario = Callable[[OneJob], object]


def _called_off(scene: OneJob) -> None:
    scene.cancel()
    scene.settle(_O.REJECTED, _S.READY)


def _withdrawn(scene: OneJob) -> None:
    scene.withdraw()
    scene.settle(_O.REJECTED, _S.READY)


def _settled(outcome: AttemptOutcome, to: State) -> Scenario:
    return lambda scene: scene.settle(outcome, to, at=scene.ledger.now + 10)


_SETTLED: Final[dict[State, Scenario]] = {
    _S.ACCEPTED: _settled(_O.ACCEPTED, _S.ACCEPTED),
    _S.FAILED: _settled(_O.REJECTED, _S.FAILED),
    _S.READY: _settled(_O.REJECTED, _S.READY),
    _S.SCHEDULED: _settled(_O.NOT_SENT, _S.SCHEDULED),
    _S.UNCERTAIN: _settled(_O.UNKNOWN, _S.UNCERTAIN),
    _S.CANCELLED: _called_off,
    _S.SUPPRESSED: _withdrawn,
    _S.EXPIRED: OneJob.not_sent_after_all,
}

_WAITING: Final = (_S.SCHEDULED, _S.READY, _S.DISPATCHED)
_ENDS: Final = (_S.FAILED, _S.SUPPRESSED, _S.EXPIRED)

SCENARIOS: Final[dict[tuple[str, Move], Scenario]] = {
    **{
        ("enqueue", (None, to)): lambda scene, to=to: scene.enqueue(to)  # type: ignore[misc]
        for to in (_S.READY, _S.SCHEDULED, _S.SUPPRESSED)
    },
    ("dispatch", (_S.READY, _S.DISPATCHED)): lambda scene: scene.ledger.dispatch(),
    ("dispatch", (_S.READY, _S.EXPIRED)): OneJob.dispatch_after_its_time,
    ("dispatch", (_S.READY, _S.UNCERTAIN)): OneJob.dispatch_after_its_time,
    ("claim", (_S.DISPATCHED, _S.READY)): OneJob.late_claim,
    ("begin", (_S.DISPATCHED, _S.SENDING)): OneJob.begin,
    ("begin", (_S.DISPATCHED, _S.READY)): lambda scene: scene.refused_begin(scene.ledger.now - 1),
    ("begin", (_S.DISPATCHED, _S.SCHEDULED)): lambda scene: scene.unwanted_begin("paused"),
    ("begin", (_S.DISPATCHED, _S.SUPPRESSED)): lambda scene: scene.unwanted_begin("complete"),
    ("begin", (_S.DISPATCHED, _S.EXPIRED)): OneJob.begin_after_its_time,
    ("begin", (_S.DISPATCHED, _S.UNCERTAIN)): OneJob.begin_after_its_time,
    **{
        ("release", (_S.DISPATCHED, to)): lambda scene, to=to: scene.release(to)  # type: ignore[misc]
        for to in (_S.READY, _S.SCHEDULED, *_ENDS)
    },
    ("release", (_S.DISPATCHED, _S.UNCERTAIN)): lambda scene: scene.release(_S.FAILED),
    **{
        ("settle", (before, to)): scenario
        for before in (_S.SENDING, _S.UNCERTAIN)
        for to, scenario in _SETTLED.items()
        if (before, to) in TRANSITIONS["settle"]
    },
    **{("settle", (before, _S.ACCEPTED)): OneJob.earlier_news for before in (*_WAITING, *CLOSED)},
    **{
        ("cancel", (before, to)): OneJob.cancel
        for before in _WAITING
        for to in (_S.CANCELLED, _S.UNCERTAIN)
    },
    **{
        ("withdraw", (before, to)): OneJob.withdraw
        for before in _WAITING
        for to in (_S.SUPPRESSED, _S.UNCERTAIN)
    },
    ("reap", (_S.SCHEDULED, _S.READY)): lambda scene: scene.reap_after(11),
    **{
        ("reap", (before, to)): lambda scene: scene.reap_after(LIFE + 1)
        for before in (_S.SCHEDULED, _S.READY)
        for to in (_S.EXPIRED, _S.UNCERTAIN)
    },
    ("reap", (_S.DISPATCHED, _S.READY)): lambda scene: scene.reap_after(LEASE + 1),
    ("reap", (_S.DISPATCHED, _S.FAILED)): OneJob.stop_workers,
    ("reap", (_S.DISPATCHED, _S.UNCERTAIN)): OneJob.stop_workers,
    ("settle", (_S.UNCERTAIN, _S.SUPPRESSED)): OneJob.suppressed_after_all,
    ("reap", (_S.SENDING, _S.ACCEPTED)): OneJob.lost_after_earlier_news,
    ("reap", (_S.SENDING, _S.UNCERTAIN)): lambda scene: scene.reap_after(LEASE + 1),
    ("reap", (_S.UNCERTAIN, _S.READY)): lambda scene: scene.reap_after(11),
}

DOUBTED: Final = {
    (script, move)
    for script, move in SCENARIOS
    if move[0] in _WAITING and (move[1] is _S.UNCERTAIN or script == "settle")
} | {("reap", (_S.SENDING, _S.ACCEPTED))}
"""Where an earlier request of the job is needed, of which nobody knows what became."""


@pytest.mark.parametrize(
    ("script", "move"), MOVES, ids=[f"{s}-{a or 'new'}-{b}" for s, (a, b) in MOVES]
)
def test_the_move_happens(engine: Redis, script: str, move: Move) -> None:
    engine.flushall()
    scene = OneJob(engine, doubted=(script, move) in DOUBTED)
    before, after = move
    scene.reach(before)
    assert before is None or scene.ledger.state("j") is before
    SCENARIOS[script, move](scene)
    assert scene.ledger.state("j") is after


def test_every_move_has_a_scenario() -> None:
    assert SCENARIOS.keys() == set(MOVES)
