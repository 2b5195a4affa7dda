"""The ledger and its simple model, side by side: every call goes to both.

Afterwards nothing may differ. Start reading here: the other modules of this folder are the rules of
the machine that calls them (`actors.py` first), or ledgers under a clock of their own for single
tests (`clocked_ledger.py`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

from redis import Redis

from certmail_config import ledger
from certmail_config.base import redis_keys
from certmail_config.jobs.states import TRANSITIONS, AttemptOutcome, Move, State
from certmail_config.ledger import Call, run, upkeep
from support.contents.contents import Contents, Reader, as_of, differences, expected
from support.contents.invariants import replayed, violations, waiting
from support.contents.pacing_invariants import PacingHistory, paced
from support.model.model import Model

START = 4_000_000_000_000
"""Later than any real time, so that what the scripts let Redis forget at a time stays; ms."""


@dataclass
class Tally:
    """What was run: `steps` are calls that were made of both and compared in full."""

    steps: int = 0
    examples: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    moves: set[tuple[str, Move]] = field(default_factory=set)


@dataclass(frozen=True)
class MadeCall:
    """A call that was made, and what was answered."""

    name: str
    call: Call[Any]
    given: tuple[tuple[Any, ...], dict[str, Any]]
    answer: Any
    at: int


class SideBySide:
    """A ledger on an emptied server, and its model.

    `ms` is the clock that both are given.
    """

    def __init__(self, redis: Redis, tally: Tally) -> None:
        self.redis, self.tally, self.model, self.ms = redis, tally, Model(), START
        self.cursor = "0-0"
        self.told: dict[str, tuple[State, bool]] = {}
        self.history = PacingHistory(START)
        self.run_id: str = cast("Any", redis.info("server"))["run_id"]
        redis.flushall()
        self.check_run()
        self.reader = Reader(redis)
        self.contents: Contents
        self.contents, _ = self.reader.read(self.cursor)
        tally.examples += 1

    @property
    def now(self) -> float:
        return self.ms / 1000

    def check_run(self) -> None:
        self.redis.delete(redis_keys.HELD_BACK)
        self.redis.set(redis_keys.CHECKED_RUN, self.run_id)
        self.model.held_back.clear()
        self.model.checked = True

    def uncheck_run(self) -> None:
        self.redis.delete(redis_keys.CHECKED_RUN)
        self.model.checked = False

    def take_wake_up(self) -> None:
        """As the pacer does before it looks."""
        found: Any = self.redis.lpop(redis_keys.PACER_WOKEN)
        assert (found is not None) is self.model.woken
        self.model.woken = False

    def do(self, name: str, *args: Any, **named: Any) -> MadeCall:
        """Make a call of both, under the clock of now, and compare everything."""
        if name not in {"set_lane", "mark_unwanted", "forget"}:
            named["clock"] = self.now
        call: Call[Any] = getattr(upkeep if name == "restore" else ledger, name)(*args, **named)
        return self.repeat(MadeCall(name, call, (args, named), None, self.ms))

    def tick(self) -> None:
        """Workers note the time each second; everything is compared after the next call."""
        given: dict[str, Any] = {"seconds": 0, "believe": True, "clock": self.now}
        answer = run(self.redis, ledger.advertise("ticker", 0, **given))
        assert answer == self.model.advertise("ticker", 0, **given)

    def repeat(self, asked: MadeCall, *, again: bool = False) -> MadeCall:
        """Make a call of both; with `again` as redis-py's retry does.

        That is verbatim but for the clock, which is the server's.
        """
        args, named = asked.given
        call = asked.call

        if again and "clock" in named:
            named = {**named, "clock": self.now}
            call = getattr(ledger, asked.name)(*args, **named)

        now, leapt = self.model.time(self.now)
        answer = run(self.redis, call)
        should = getattr(self.model, asked.name)(*args, **named)
        if self._is_late_news(asked):
            self.history.excuse(self.contents)
        before = self.contents
        self._compare(asked.name, max(self.model.noted, 0 if leapt else now))
        assert answer == should, f"answered {answer}, expected {should}"
        assert self.contents.noted >= before.noted, "the ledger's time went back"
        self._check_moves(
            call.script.name, {id_: entry.state for id_, entry in before.entries.items()}
        )
        self.tally.steps += 1
        self.tally.calls[asked.name] += 1

        return MadeCall(asked.name, call, (args, named), answer, self.ms)

    def _is_late_news(self, asked: MadeCall) -> bool:
        """That a request which was taken for unknown never left."""
        if asked.name != "settle" or asked.given[1]["then"].outcome is not AttemptOutcome.NOT_SENT:
            return False
        id_, attempt = asked.given[0]
        entry = self.contents.entries.get(id_)
        return entry is not None and attempt in entry.outcomes

    def forget(self, id_: str) -> None:
        """As Redis does with a finished job when its time is over."""
        entry = self.model.entries.pop(id_)
        del self.model.keys[entry.dedupe]
        self.told.pop(id_, None)
        self.redis.delete(redis_keys.JOB + id_, redis_keys.DEDUPE + entry.dedupe)
        self._compare("forget", self.model.noted)

    def _compare(self, name: str, latest: int) -> None:
        """Everything, and all that must hold; `latest` is the latest time that may be believed."""
        before, (self.contents, events) = self.contents, self.reader.read(self.cursor)
        told = [fields for _, fields in events]
        assert told == self.model.events, f"{name}: events {told}, expected {self.model.events}"
        self.model.events.clear()
        self.history.note(self.contents, latest)
        counted = self.history.latest
        wrong = differences(as_of(self.contents, counted), as_of(expected(self.model), counted))
        wrong += violations(self.contents)
        wrong += paced(self.contents, self.history)
        wrong += self.history.begun(before, self.contents)

        for id_, fields in events:
            self.cursor = id_
            if after := replayed(fields):
                self.told[fields["job"]] = after

        for id_, entry in self.contents.entries.items():
            if self.told.get(id_) != (waiting(entry.state), entry.held):
                wrong.append(
                    f"events say {self.told.get(id_)} of {id_}: {entry.state}, held {entry.held}"
                )

        assert not wrong, "\n".join([f"after {name}:", *wrong])

    def _check_moves(self, script: str, before: dict[str, State]) -> None:
        table = TRANSITIONS.get("cancel" if script == "cancel_matching" else script, frozenset())
        for id_, entry in self.contents.entries.items():
            move = (before.get(id_), entry.state)
            if move[0] is not move[1]:
                assert move in table, f"{script} may not move a job {move[0]} → {move[1]}"
                self.tally.moves.add((script, move))
