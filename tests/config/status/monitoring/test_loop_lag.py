"""How long a loop was held up, within the last minute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from certmail_config.status.monitoring.loop_lag import HALF_SECONDS, TICK_SECONDS, LoopLag


class Loop:
    """A loop whose turns the test makes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.planned: list[tuple[float, Callable[..., None], tuple[Any, ...]]] = []

    def call_later(self, seconds: float, call: Callable[..., None], *args: Any) -> None:
        self.planned = [(self.now + seconds, call, args)]

    def turn(self, late: float = 0.0) -> None:
        """The next tick comes, so late."""
        [(at, call, args)] = self.planned
        self.now = at + late
        call(*args)


def lag_of(loop: Loop) -> LoopLag:
    lag = LoopLag(monotonic=lambda: loop.now)
    lag.start(cast("Any", loop))
    return lag


def test_the_longest_of_the_last_minute_is_told_and_then_forgotten() -> None:
    loop = Loop()
    lag = lag_of(loop)
    loop.turn(late=0.7)
    assert lag.seconds() == 0.7

    while loop.now < HALF_SECONDS + 1:
        loop.turn()
    assert lag.seconds() == 0.7
    while loop.now < 2 * HALF_SECONDS + 2:
        loop.turn()
    assert lag.seconds() < 0.001


def test_a_loop_that_is_held_up_just_now_is_seen_from_outside() -> None:
    loop = Loop()
    lag = lag_of(loop)
    loop.turn()
    loop.now += TICK_SECONDS + 5
    assert lag.seconds() == 5


def test_one_that_does_not_tick_yet_or_any_more_lags_by_nothing() -> None:
    loop = Loop()
    assert LoopLag(monotonic=lambda: loop.now).seconds() == 0
    lag = lag_of(loop)
    loop.planned = []
    loop.call_later = lambda *_: None  # type: ignore[method-assign]
    lag.stop()
    loop.now += 100
    assert lag.seconds() == 0
