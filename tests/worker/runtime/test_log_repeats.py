"""Log lines that are said again and again, or hold what nobody should read."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certmail_config.base.redaction import scrub_lines, unsuspicious
from certmail_worker.runtime.log_lines import JsonLines
from certmail_worker.runtime.log_repeats import (
    EACH,
    KNOWN,
    MAX_LINES,
    MINUTE,
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
        record.exc_info = more.pop("raised", None)  # type: ignore[assignment]
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
    log.now += MINUTE
    log.say("something else")
    assert log.lines[MAX_LINES:] == [
        f"Too many open files {100_000 - MAX_LINES}",
        "something else",
    ]


def test_while_it_goes_on_it_is_one_line_a_minute_and_after_a_minute_without_it_is_new() -> None:
    log = Log()
    for _ in range(4):
        for _ in range(MAX_LINES + 10):
            log.say("away")
        log.now += MINUTE
    log.say("back", logging.INFO)
    first = MAX_LINES + 10
    assert log.lines[MAX_LINES:] == ["away 10", *[f"away {first}"] * 3, "back"]

    log.now += MINUTE
    log.say("back", logging.INFO)
    log.say("away")
    assert log.lines[-2:] == ["back", "away"]


def test_whichever_job_or_request_it_was_the_kind_is_the_same_and_whosever_it_was_it_is_not() -> (
    None
):
    log = Log()
    for number in range(50):
        log.say("lost", job=number, tries=number, tenant="acme")
        log.say("lost", job=number, tenant="globex", code="a")
        log.say("lost", job=number, tenant="globex", code="b")
        log.say("settled", logging.INFO)
        log.say("failed", job=number, alike=EACH)
    assert log.lines.count("lost") == 3 * MAX_LINES
    assert log.lines.count("settled") == log.lines.count("failed") == 50


def test_another_error_is_another_kind() -> None:
    log = Log()
    for kind in (ValueError, KeyError):
        for _ in range(10):
            try:
                raise kind
            except kind:
                log.say("failed", raised=sys.exc_info())
    assert sum(line.startswith("failed") for line in log.lines) == 2 * MAX_LINES


def test_lines_that_say_whom_they_are_alike_are_said_once_a_minute_with_their_number() -> None:
    log = Log()
    for number in range(1_000):
        log.say("dropped", logging.INFO, alike="one kind", job=number)
    log.say("dropped", logging.INFO, alike="another")
    assert log.lines == ["dropped", "dropped"]
    log.now += MINUTE
    log.say("dropped", logging.INFO, alike="one kind")
    assert log.lines[2:] == ["dropped 999"]
    log.now += MINUTE
    log.say("other", logging.INFO)
    assert log.lines[3:] == ["dropped 1", "other"]


def test_kinds_that_somebody_makes_up_do_not_fill_the_memory_nor_the_disk() -> None:
    log = Log()
    for number in range(10 * KNOWN):
        log.say("dropped", alike=f"kind {number}")
    assert len(log.lines) == len(log.handler._kinds) == KNOWN + 1


def test_what_was_counted_is_said_at_the_end() -> None:
    log = Log()
    for _ in range(MAX_LINES + 1):
        log.say("away")
    log.handler.close()
    assert log.lines == [*["away"] * MAX_LINES, "away 1"]


def test_of_too_many_kinds_those_of_one_event_are_counted_together_and_a_new_event_is_said() -> (
    None
):
    log = Log()
    for number in range(10 * KNOWN):
        log.say("failed", error=f"kind {number}")
    assert len(log.lines) == KNOWN + MAX_LINES
    log.say("something new")
    assert log.lines[-1] == "something new"
    assert len(log.handler._kinds) <= KNOWN + 2


def test_what_cannot_be_made_a_line_of_is_said_to_be_lost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = Log()
    log.handler.setFormatter(JsonLines("worker"))
    record = logging.LogRecord("other", logging.WARNING, "", 0, "%d of them", ("two",), None)
    log.handler.handle(record)
    [line] = log.lines
    assert (json.loads(line)["event"], json.loads(line)["lost"]) == ("line_lost", "%d of them")
    assert capsys.readouterr().err == ""


SECRETS = [
    "Authorization: Negotiate " + "S" * 40,
    "{'authorization': 'Digest " + "S" * 40 + "'}",
    "redis://certmail:" + "S" * 12 + "@redis.example:6379/0",
    "postgresql+psycopg://certmail:SSSS%40@db/certmail",
    '{"refresh_token": "' + "S" * 12 + '", "password":"' + "S" * 12 + '"}',
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
        extra = {"given": secret, "deep": {"list": [secret]}, "odd": Odd(secret), secret: 1}
        log.warning("quoted %s", secret, extra=extra | {"password": "SSSS", "token": b"SSSS"})
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


class Odd:
    """What no JSON has a form for."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __repr__(self) -> str:
        return f"<{self.words}>"


PIECES = [
    "@",
    "a",
    ".",
    "=",
    "cm_abcdefgh_",
    "Bearer ",
    "state",
    '"',
    ":",
    "//",
    "eyJabcdefghij",
    "4/",
]


@given(st.lists(st.sampled_from([*PIECES, *SECRETS, "ann@acme.example", "S" * 32, "\n"])))
def test_only_what_has_nothing_to_hide_is_written_without_being_looked_through(
    pieces: list[str],
) -> None:
    text = "".join(pieces)
    if scrub_lines(text) != text:
        assert not unsuspicious(json.dumps({"event": text}))


def test_most_deliveries_are_not_suspicious() -> None:
    assert unsuspicious('{"job":"01939f5e-7c4a-7b53-9d5e-2f6d8a1b0c11","tenant":"acme","ms":1.5}')
