"""Reading Google's error answers (google.md §1.3, §1.4).

Every dialect, every deadline, and whatever a proxy says instead.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_worker.google.google_errors import GoogleError, read_error
from certmail_worker.google.responses import Answered

DATE = datetime(2026, 11, 23, 18, 3, 0, tzinfo=UTC)
SENT_AT = {"date": "Mon, 23 Nov 2026 18:03:00 GMT"}

LEGACY = """{"error":{"errors":[{"domain":"usageLimits","reason":"userRateLimitExceeded","message":"User Rate Limit Exceeded"}],
"code":403,"message":"User Rate Limit Exceeded"}}"""
LEGACY_AUTH = """{"error":{"errors":[{"domain":"global","reason":"authError","message":"Invalid Credentials",
"locationType":"header","location":"Authorization"}],"code":401,"message":"Invalid Credentials"}}"""
LEGACY_BACKEND = """{"error":{"errors":[{"domain":"global","reason":"backendError","message":"Backend Error"}],"code":500,"message":"Backend Error"}}"""
BOTH_AT_ONCE = """{"error":{"code":403,"message":"Request had insufficient authentication scopes.",
 "errors":[{"message":"Insufficient Permission","domain":"global","reason":"insufficientPermissions"}],"status":"PERMISSION_DENIED",
 "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT","domain":"googleapis.com",
  "metadata":{"service":"gmail.googleapis.com","method":"caribou.api.proto.MailboxService.SendMessage"}}]}}"""
EXHAUSTED = """{"error":{"code":429,"message":"Resource has been exhausted (e.g. check quota).",
"errors":[{"message":"Resource has been exhausted (e.g. check quota).","domain":"global","reason":"rateLimitExceeded"}],"status":"RESOURCE_EXHAUSTED"}}"""
NEW_ONLY = """{"error":{"code":403,"message":"Gmail API has not been used in project 1 before or it is disabled.","status":"PERMISSION_DENIED",
"details":[{"@type":"type.googleapis.com/google.rpc.Help","links":[]},{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED"}]}}"""
STATUS_ONLY = """{"error":{"code":401,"message":"Request had invalid authentication credentials.","status":"UNAUTHENTICATED"}}"""
TOKEN_ENDPOINT = (
    """{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"""
)
BAD_GATEWAY = b"<!DOCTYPE html><html lang=en><title>Error 502 (Server Error)!!1</title><p><b>502.</b> Try again in 30 seconds."


def read(body: str | bytes | dict[str, Any], status: int = 429, /, **headers: str) -> GoogleError:
    raw = (
        body
        if isinstance(body, bytes)
        else (body if isinstance(body, str) else json.dumps(body)).encode()
    )
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_error(Answered(status, SENT_AT | given, raw))


def saying(message: str, **headers: str) -> GoogleError:
    return read(
        {
            "error": {
                "code": 429,
                "message": message,
                "errors": [{"reason": "userRateLimitExceeded"}],
            }
        },
        **headers,
    )


class TestDialects:
    @pytest.mark.parametrize(
        ("body", "status", "reason", "message"),
        [
            (LEGACY, 403, "userRateLimitExceeded", "User Rate Limit Exceeded"),
            (LEGACY_AUTH, 401, "authError", "Invalid Credentials"),
            (LEGACY_BACKEND, 500, "backendError", "Backend Error"),
            (BOTH_AT_ONCE, 403, "insufficientPermissions", "Request had insufficient authentication scopes."),
            (EXHAUSTED, 429, "rateLimitExceeded", "Resource has been exhausted (e.g. check quota)."),
            (NEW_ONLY, 403, "SERVICE_DISABLED", "Gmail API has not been used in project 1 before or it is disabled."),
            (STATUS_ONLY, 401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
            (TOKEN_ENDPOINT, 400, "invalid_grant", "Token has been expired or revoked."),
        ],
    )  # fmt: skip
    def test_each_gives_its_reason_and_googles_words(
        self, body: str, status: int, reason: str, message: str
    ) -> None:
        error = read(body, status)
        assert (error.status, error.reason, error.message, error.structured) == (
            status,
            reason,
            message,
            True,
        )

    def test_every_reason_can_be_looked_for_whichever_dialect_has_it(self) -> None:
        words = read(BOTH_AT_ONCE, 403).words
        for word in (
            "insufficientPermissions",
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "PERMISSION_DENIED",
            "Request had insufficient",
        ):
            assert word in words

    @pytest.mark.parametrize(
        "body",
        [
            b"", BAD_GATEWAY, b"upstream connect error or disconnect/reset before headers", b"\xff\xfe\x00\x80", b"null", b"[]", b"5", b'"x"',
            b"{}", b'{"error": null}', b'{"error": []}', b'{"error": {}}', b'{"error": 5}', b'{"message": "of somebody else"}', b'{"error": {',
            pytest.param(b"[" * 100_000, id="deep"), pytest.param(b"1" * 5000, id="long number"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("status", [400, 403, 429, 502])
    def test_whatever_else_comes_is_not_taken_for_googles_words(
        self, body: bytes, status: int
    ) -> None:
        error = read(body, status)
        assert (error.status, error.reason, error.structured) == (status, "", False)
        assert f"HTTP {status}" in error.message
        assert "<" not in error.message

    @pytest.mark.parametrize(
        "error",
        [
            {"message": 5, "errors": [{"reason": "r"}]}, {"errors": ["x", 5, None, {"reason": "r"}]}, {"errors": [{"reason": 5}, {"reason": "r"}]},
            {"details": "x", "errors": [{}, {"reason": "r"}]}, {"errors": {"reason": "x"}, "details": [{"reason": "r"}]},
            {"errors": [], "details": [{"reason": ""}], "status": "r"}, {"errors": None, "details": [None], "status": "r"},
        ],
    )  # fmt: skip
    def test_what_is_of_another_type_than_documented_is_passed_over(
        self, error: dict[str, Any]
    ) -> None:
        assert read({"error": error}).reason == "r"


class TestWords:
    @pytest.mark.parametrize(
        "words",
        [
            "Delegation denied for ann.lee@acme.example", "Invalid To header: <ann.lee@acme.example>", "ann.lee@acme.example is over quota",
            'user "ann.lee@acme.example", (ann.lee@acme.example); ann.lee@acme.example.', "mailto:ann.lee@acme.example",
            "Invalid address: ann.lee@acme.example\r\n", "ann.lee@emea.acme.example,ann.lee@acme.example",
        ],
    )  # fmt: skip
    def test_addresses_are_left_out_since_these_words_end_up_in_redis_and_in_logs(
        self, words: str
    ) -> None:
        error = saying(words)
        assert "ann" not in error.message
        assert "acme" not in error.message
        assert "(address)" in error.message
        assert "acme" not in error.words

    def test_nor_do_reasons_carry_any(self) -> None:
        error = read(
            {"error": {"errors": [{"reason": "denied for ann@acme.example"}], "message": "m"}}
        )
        assert "acme" not in f"{error.reason} {error.words}"

    @pytest.mark.parametrize("nasty", ["\0", "\r\nX-Injected: 1", "\ud83d", "\x1b[31m", "\x85"])
    def test_they_fit_into_any_store_and_one_line_of_a_log(self, nasty: str) -> None:
        error = read(
            {"error": {"errors": [{"reason": f"r{nasty}"}], "message": f"before{nasty}after"}}
        )
        for text in (error.message, error.reason, error.words):
            assert text.isprintable()
            assert text.encode()

    def test_they_are_not_endless(self) -> None:
        error = read(
            {"error": {"errors": [{"reason": "r" * 100_000}], "message": "word " * 100_000}}
        )
        assert len(error.message) <= 500
        assert len(error.reason) <= 100

    def test_a_megabyte_without_a_space_is_read_in_no_time(self) -> None:
        start = datetime.now(UTC)
        read({"error": {"message": "@" + "a" * 900_000}})
        read({"error": {"message": "a@b" * 300_000}})
        assert datetime.now(UTC) - start < timedelta(seconds=2)


class TestDeadlines:
    @pytest.mark.parametrize(
        ("words", "wait"),
        [
            ("User-rate limit exceeded.  Retry after 2026-11-23T18:18:15.961Z", 915.961),
            ("User-rate limit exceeded.  Retry after 2026-11-23T18:18:15.961Z (Mail sending)", 915.961),
            ("User-rate limit exceeded.  Retry after 2026-11-23T18:18:15Z (Forwarding rules)", 915.0),
            ("Too many requests: retry AFTER 2026-11-23T18:03:01Z.", 1.0),
            ("Retry after 2026-11-23T18:04:00Z, or rather: Retry after 2026-11-23T18:05:00Z", 120.0),
            ("Retry after 2026-11-24T18:03:00Z", 86400.0),
            ("User-rate limit exceeded.", None), ("Retry after a while", None), ("Retry after 2026-11-23", None),
            ("Retry after 2026-11-23T18:18:15+01:00", None),
            ("Retry after 2026-13-45T99:99:99Z", None), ("Retry after 0000-00-00T00:00:00Z", None),
            ("Retry after ٢٠٢٦-11-23T18:18:15Z", None),
        ],
    )  # fmt: skip
    def test_one_in_the_message_counts_from_the_answers_own_date(
        self, words: str, wait: float | None
    ) -> None:
        assert saying(words).wait == (None if wait is None else pytest.approx(wait))

    @pytest.mark.parametrize(
        ("header", "wait"),
        [
            ("120", 120.0), (" 7 ", 7.0), ("Mon, 23 Nov 2026 18:05:00 GMT", 120.0), ("Monday, 23-Nov-26 18:05:00 GMT", 120.0),
            ("Mon Nov 23 18:05:00 2026", 120.0), ("Mon, 23 Nov 2026 18:05:00 -0000", 120.0),
            ("", None), ("soon", None), ("-5", None), ("1.5", None), ("²", None), ("٣", None), ("Mon, 99 Nov 2026 18:05:00 GMT", None),
            ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None), ("Mon, 01 Jan 2026 00:00:00 +99999999999999999999", None), (",", None),
        ],
    )  # fmt: skip
    def test_one_in_the_header_is_seconds_or_a_date(self, header: str, wait: float | None) -> None:
        assert saying("User-rate limit exceeded.", retry_after=header).wait == wait

    def test_of_several_the_latest_counts(self) -> None:
        words = "Retry after 2026-11-23T18:04:00Z"
        assert saying(words, retry_after="30").wait == 60
        assert saying(words, retry_after="90").wait == 90
        assert saying(words, retry_after="Mon, 23 Nov 2026 18:33:00 GMT").wait == 1800

    @pytest.mark.parametrize("hours", [-3, 5])
    def test_our_own_clock_does_not_matter(self, hours: int) -> None:
        there = datetime.now(UTC) + timedelta(hours=hours)
        words = f"Retry after {there + timedelta(minutes=15):%Y-%m-%dT%H:%M:%SZ}"
        assert saying(words, date=format_datetime(there, usegmt=True)).wait == 900

    @pytest.mark.parametrize(
        "date", ["", "nonsense", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"]
    )
    def test_without_a_usable_date_it_is_the_best_that_there_is(self, date: str) -> None:
        words = f"Retry after {datetime.now(UTC) + timedelta(minutes=15):%Y-%m-%dT%H:%M:%SZ}"
        assert saying(words, date=date).wait == pytest.approx(900, abs=10)

    @pytest.mark.parametrize(
        "words", ["Retry after 2026-11-23T17:00:00Z", "Retry after 1970-01-01T00:00:00Z"]
    )
    def test_one_that_has_passed_says_nothing(self, words: str) -> None:
        assert saying(words).wait is None
        assert saying("", retry_after="Mon, 23 Nov 2026 17:00:00 GMT").wait is None

    @pytest.mark.parametrize(
        "header",
        [
            "99999999",
            pytest.param("9" * 400, id="400 digits"),
            pytest.param("9" * 5000, id="5000 digits"),
        ],
    )
    def test_one_beyond_googles_own_day_is_cut_to_it(self, header: str) -> None:
        assert saying("", retry_after=header).wait == 86400
        assert saying("Retry after 9999-12-31T23:59:59Z").wait == 86400

    def test_a_page_of_text_may_name_one_too(self) -> None:
        error = read(b"Too many requests. Retry after 2026-11-23T18:04:00Z", 429)
        assert (error.structured, error.wait) == (False, 60)
        assert read(BAD_GATEWAY, 502, retry_after="30").wait == 30


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("Retry after 2026-11-23T18:04:00Z"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["error", "errors", "details", "reason", "message", "status", "error_description"]), inner)
    ),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)
@given(
    st.integers(100, 599),
    st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()) | JSON.map(lambda value: json.dumps({"error": value}).encode()),
    st.dictionaries(st.sampled_from(["date", "retry-after"]), st.text(max_size=40)),
)  # fmt: skip
def test_whatever_comes_is_read_without_an_error(
    status: int, body: bytes, headers: dict[str, str]
) -> None:
    error = read_error(Answered(status, headers, body))
    assert error.status == status
    assert f"{error.reason} {error.message} {error.words}".encode(), "any store takes it"
    assert error.wait is None or 0 < error.wait <= 86400
