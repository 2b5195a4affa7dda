"""A store is asked within a bound, once at a time, and not anew for each who wants to know."""

from __future__ import annotations

import asyncio
import threading

from certmail_config.status.monitoring.asking import Asking


async def test_who_asks_soon_again_has_the_same_answer() -> None:
    now, asked = [0.0], iter(range(10))
    asking = Asking(lambda: next(asked), fresh=1, monotonic=lambda: now[0])
    assert [await asking.answer(60) for _ in range(3)] == [0, 0, 0]
    now[0] = 1.5
    assert await asking.answer(60) == 1


async def test_what_hangs_is_waited_for_no_longer_and_asked_once() -> None:
    hangs, asked = threading.Event(), []

    def ask() -> str:
        asked.append(1)
        hangs.wait()
        return "at last"

    asking = Asking(ask)
    try:
        found = await asyncio.gather(*(asking.answer(0.01) for _ in range(20)))
        assert found == [None] * 20
        assert len(asked) == 1
    finally:
        hangs.set()
    assert await asking.answer(60) == "at last"
    assert len(asked) == 1


async def test_an_error_is_no_answer_and_the_next_asks_anew() -> None:
    answers = iter([ValueError("x"), "fine"])

    def ask() -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    asking = Asking(ask)
    assert await asking.answer(60) is None
    assert await asking.answer(60) == "fine"
