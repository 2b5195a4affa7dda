"""Log lines that are said again and again, or hold what nobody should read."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest

from certmail_worker.runtime.log_repeats import (
    ALIKE_SECONDS,
    KNOWN,
    MAX_LINES,
    WINDOW_SECONDS,
    CollapsingHandler,
)
from certmail_worker.runtime.logs import set_up


class Log:
    """A handler with a clock of its own, and what it has written."""

    def __init__(self) -> None:
        self.now = 0.0
        self.written = io.StringIO()
        self.handler = CollapsingHandler(self.written, monotonic=lambda: self.now)
        self.handler.setFormatter(
            logging.Formatter("%(message)s %(repeated)s", defaults={"repeated": ""})
        )

    def say(self, message: str, level: int = logging.WARNING, **more: object) -> None:
        record = logging.LogRecord("certmail", level, "", 0, message, (), None)
        record.__dict__.update(more)
        self.handler.handle(record)

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in self.written.getvalue().splitlines()]


def test_the_same_warning_is_said_a_few_times_and_then_counted() -> None:
    log = Log()
    for _ in range(100_000):
        log.say("Too many open files")
    assert log.lines == ["Too many open files"] * MAX_LINES
    log.now += WINDOW_SECONDS
    log.say("something else")
    assert log.lines[MAX_LINES:] == [
        f"Too many open files {100_000 - MAX_LINES}",
        "something else",
    ]


def test_what_differs_in_anything_is_said() -> None:
    log = Log()
    for number in range(50):
        log.say("lost", job=number)
        log.say("settled", logging.INFO)
    assert len(log.lines) == 100


def test_lines_that_say_whom_they_are_alike_are_said_once_a_minute_with_their_number() -> None:
    log = Log()
    for number in range(1_000):
        log.say("dropped", logging.INFO, alike="one kind", job=number)
    log.say("dropped", logging.INFO, alike="another")
    assert log.lines == ["dropped", "dropped"]
    log.now += ALIKE_SECONDS
    log.say("dropped", logging.INFO, alike="one kind")
    assert log.lines[2:] == ["dropped 999", "dropped"]


def test_kinds_that_somebody_makes_up_do_not_fill_the_memory_nor_the_disk() -> None:
    log = Log()
    for number in range(10 * KNOWN):
        log.say("dropped", alike=f"kind {number}")
    assert len(log.lines) == len(log.handler._seen) == KNOWN + 1


def test_what_was_counted_is_said_at_the_end_and_begins_anew_after_a_while() -> None:
    log = Log()
    for _ in range(2):
        for _ in range(MAX_LINES + 1):
            log.say("away")
        log.now += WINDOW_SECONDS
    log.handler.close()
    assert log.lines == [*["away"] * MAX_LINES, "away 1"] * 2


def test_many_kinds_of_warnings_are_not_remembered_without_end() -> None:
    log = Log()
    for number in range(5_000):
        log.say(f"kind {number}")
    assert len(log.lines) == 5_000
    assert len(log.handler._seen) < 1_000


SECRETS = [
    "Authorization: Bearer cm_abcdefgh_" + "S" * 43,
    "key cm_abcdefgh_" + "S" * 43 + " is unknown",
    "GET /oauth/google/callback?code=4/0A" + "S" * 40 + "&state=" + "S" * 43,
    "Cookie: __Host-certmail-console=" + "S" * 43 + "; certmail-setup=" + "S" * 43,
    "/connect/acme." + "S" * 32 + "." + "S" * 43,
    "token ya29." + "S" * 60,
    "refresh 1//" + "S" * 60,
    "secret GOCSPX-" + "S" * 28,
    "assertion eyJhbGciOiJSUzI1NiJ9.eyJ" + "S" * 30 + "." + "S" * 60,
    "-----BEGIN PRIVATE KEY-----\n" + "S" * 60 + "\n-----END PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\n" + "S" * 60,
    "password=" + "S" * 20,
]


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_of_known_forms_never_get_into_a_line(
    form: str, secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = root.handlers, root.level

    try:
        set_up("json" if form == "json" else "console", process="test")
        log = logging.getLogger("aiohttp.server")
        log.warning("quoted %s", secret, extra={"given": secret, "deep": {"list": [secret]}})
        try:
            raise ValueError(secret)
        except ValueError:
            log.exception("failed")
    finally:
        root.handlers, root.level = before

    output = capsys.readouterr().err
    assert "quoted" in output
    assert "(secret)" in output
    assert "SSSS" not in output
    if form == "json":
        assert [json.loads(line)["level"] for line in output.splitlines()] == ["warning", "error"]
    assert sys.stderr is not None
