"""What the log says of a service that fails again and again: what to do, and not each second."""

from __future__ import annotations

import io
import json
import logging

import pytest

from certmail_worker.recording.recorder import CursorLostError
from certmail_worker.runtime.log_repeats import CollapsingHandler
from certmail_worker.services import keeper


@pytest.mark.parametrize(
    "error", [CursorLostError("5-0"), ValueError("this or that")], ids=["explained", "not"]
)
async def test_it_is_said_once_a_minute(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "RETRY_SECONDS", 0)
    written, tries = io.StringIO(), 0
    handler = CollapsingHandler(written)
    handler.setFormatter(Lines())
    log = logging.getLogger(keeper.__name__)
    log.addHandler(handler)
    log.propagate = False

    async def run() -> None:
        nonlocal tries
        tries += 1
        if tries == 100:
            raise KeyboardInterrupt
        raise error

    try:
        with pytest.raises(KeyboardInterrupt):
            await keeper._run_forever("recorder", run)
    finally:
        log.removeHandler(handler)
        log.propagate = True
    [line] = written.getvalue().splitlines()
    entry = json.loads(line)
    assert entry["service"] == "recorder"
    if isinstance(error, CursorLostError):
        assert "certmail doctor --repair" in entry["remedy"]
        assert "restored or emptied" in entry["error"]


class Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({name: str(value) for name, value in vars(record).items()})
