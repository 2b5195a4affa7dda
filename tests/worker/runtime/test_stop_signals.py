"""A signal that stops a worker only sets a flag.

Nothing waits for whatever lock the interrupted thread holds.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from celery.worker import state

from certmail_worker.runtime import stop_signals


@pytest.fixture
def _installed() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGQUIT)}
    stop_signals.install()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    state.should_stop = state.should_terminate = None


@pytest.mark.usefixtures("_installed")
class TestSignals:
    def test_sigquit_hurries(self) -> None:
        assert not stop_signals.is_cold_shutdown()
        signal.raise_signal(signal.SIGQUIT)
        assert stop_signals.is_cold_shutdown()
        assert state.should_stop is None

    def test_ctrl_c_finishes_and_a_second_one_hurries(
        self, capfd: pytest.CaptureFixture[str]
    ) -> None:
        signal.raise_signal(signal.SIGINT)
        assert state.should_stop == 1
        assert not stop_signals.is_cold_shutdown()

        signal.raise_signal(signal.SIGINT)
        assert stop_signals.is_cold_shutdown()
        assert capfd.readouterr().err.splitlines() == [
            "certmail: Finishing what is under way. Ctrl-C again cancels it.",
            "certmail: Cancelling what is under way.",
        ]
