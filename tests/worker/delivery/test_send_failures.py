"""The failure table of `messages.send`, row by row as google.md §1.5 has it.

In every dialect that Google answers in.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.jobs.states import AttemptOutcome
from certmail_worker.delivery.failure_table import MEANINGS, TABLE
from certmail_worker.delivery.send_failures import FailureClass, Verdict, find_row, judge
from certmail_worker.google.google_errors import read_error
from certmail_worker.google.responses import Answer, Answered, Lost, NotSent

C = FailureClass
DATE = "Mon, 23 Nov 2026 18:03:00 GMT"
PER_USER = "Quota exceeded for quota metric '{}' and limit '{} per minute per user' of service 'gmail.googleapis.com' for consumer 'project_number:1'."
PER_PROJECT = "Quota exceeded for quota metric '{}' and limit '{} per minute{}' of service 'gmail.googleapis.com' for consumer 'project_number:1'."
NOT_USED = "Gmail API has not been used in project 1 before or it is disabled. Enable it by visiting https://console.developers.google.com/ then retry. If you enabled this API recently, wait a few minutes for the action to propagate."
PAGE = b"<!DOCTYPE html><html lang=en><title>Error (Server Error)!!1</title>"


def legacy(status: int, reason: str, message: str) -> bytes:
    """As Google answered for years."""
    item = {"domain": "global", "reason": reason, "message": message}
    return json.dumps({"error": {"errors": [item], "code": status, "message": message}}).encode()


def current(status: int, reason: str, message: str, canonical: str = "", info: str = "") -> bytes:
    """Both dialects at once, as on the wire today."""
    error: dict[str, Any] = json.loads(legacy(status, reason, message))["error"] | {
        "status": canonical
    }
    if info:
        error["details"] = [
            {"@type": "type.googleapis.com/google.rpc.Help"},
            {"@type": "x/google.rpc.ErrorInfo", "reason": info},
        ]
    return json.dumps({"error": error}).encode()


def newest(status: int, canonical: str, message: str, info: str = "") -> bytes:
    """Without the old dialect, as `$.xgafv=2` asks for."""
    details = [{"@type": "x/google.rpc.ErrorInfo", "reason": info}] if info else []
    return json.dumps(
        {"error": {"code": status, "message": message, "status": canonical, "details": details}}
    ).encode()


def verdict(status: int, body: bytes, **headers: str) -> Verdict:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge(Answered(status, {"date": DATE} | given, body))


ROWS = [
    # 400: this message
    (400, legacy(400, "invalidArgument", "Invalid To header"), C.MESSAGE, "message_rejected"),
    (400, legacy(400, "invalidArgument", "Recipient address required"), C.MESSAGE, "message_rejected"),
    (400, legacy(400, "badRequest", "Bad Request"), C.MESSAGE, "message_rejected"),
    (400, newest(400, "INVALID_ARGUMENT", "'raw' RFC822 payload message string or uploading message via /upload/* URL required"), C.MESSAGE, "message_rejected"),
    # 400: the whole mailbox
    (400, legacy(400, "failedPrecondition", "Mail service not enabled"), C.CONNECTION, "mailbox_without_gmail"),
    (400, current(400, "failedPrecondition", "Precondition check failed.", "FAILED_PRECONDITION"), C.CONNECTION, "mailbox_without_gmail"),
    (400, newest(400, "FAILED_PRECONDITION", "Precondition check failed."), C.CONNECTION, "mailbox_without_gmail"),
    (400, newest(400, "FAILED_PRECONDITION", "Of other words."), C.CONNECTION, "mailbox_without_gmail"),
    (400, legacy(400, "badRequest", "Mail service not enabled"), C.CONNECTION, "mailbox_without_gmail"),
    (400, legacy(400, "badRequest", "Precondition check failed."), C.CONNECTION, "mailbox_without_gmail"),
    # 401
    (401, legacy(401, "authError", "Invalid Credentials"), C.TOKEN_EXPIRED, "token_expired"),
    (401, newest(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."), C.TOKEN_EXPIRED, "token_expired"),
    # 403: somebody must do something
    (403, current(403, "insufficientPermissions", "Request had insufficient authentication scopes.", "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), C.CONNECTION, "scope_missing"),
    (403, newest(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), C.CONNECTION, "scope_missing"),
    (403, legacy(403, "insufficientPermissions", "Insufficient Permission"), C.CONNECTION, "scope_missing"),
    (403, newest(403, "PERMISSION_DENIED", "Of other words.", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), C.CONNECTION, "scope_missing"),
    (403, legacy(403, "forbidden", "Request had insufficient authentication scopes."), C.CONNECTION, "scope_missing"),
    (403, legacy(403, "accessNotConfigured", NOT_USED), C.CONNECTION, "api_disabled"),
    (403, newest(403, "PERMISSION_DENIED", NOT_USED, "SERVICE_DISABLED"), C.CONNECTION, "api_disabled"),
    (403, current(403, "forbidden", NOT_USED, "PERMISSION_DENIED", "SERVICE_DISABLED"), C.CONNECTION, "api_disabled"),
    (403, legacy(403, "domainPolicy", "The domain administrators have disabled Gmail apps."), C.CONNECTION, "domain_policy"),
    (403, legacy(403, "forbidden", "Delegation denied for ann@acme.example"), C.OPERATOR, "delegation_denied"),
    (403, legacy(403, "forbidden", "Forbidden"), C.CONNECTION, "forbidden"),
    # 403 and 429: the mailbox
    (403, legacy(403, "userRateLimitExceeded", "User Rate Limit Exceeded"), C.MAILBOX_WAIT, "mailbox_busy"),
    (403, legacy(403, "rateLimitExceeded", "Rate Limit Exceeded"), C.MAILBOX_WAIT, "mailbox_busy"),
    (403, current(403, "rateLimitExceeded", PER_USER.format("Queries", "Queries"), "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED"), C.MAILBOX_WAIT, "mailbox_busy"),
    (403, current(403, "rateLimitExceeded", PER_USER.format("Total Query Cost", "Units"), "PERMISSION_DENIED"), C.MAILBOX_WAIT, "mailbox_busy"),
    (429, current(429, "rateLimitExceeded", "Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED"), C.MAILBOX_WAIT, "mailbox_busy"),
    (429, newest(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."), C.MAILBOX_WAIT, "mailbox_busy"),
    (429, legacy(429, "rateLimitExceeded", "Too many concurrent requests for user"), C.MAILBOX_CROWDED, "mailbox_crowded"),
    (429, legacy(429, "userRateLimitExceeded", "User-rate limit exceeded.  Retry after 2026-11-23T18:18:15.961Z"), C.MAILBOX_WAIT, "mailbox_busy"),
    (429, legacy(429, "userRateLimitExceeded", "User-rate limit exceeded.  Retry after 2026-11-23T18:18:15.961Z (Forwarding rules)"), C.MAILBOX_WAIT, "mailbox_busy"),
    (429, newest(429, "", "Of words that nobody knows."), C.MAILBOX_WAIT, "mailbox_busy"),
    (403, legacy(403, "servingLimitExceeded", "The overall rate limit specified for the API has already been reached."), C.MAILBOX_WAIT, "mailbox_busy"),
    (403, legacy(403, "limitExceeded", "The request cannot be completed."), C.MAILBOX_WAIT, "mailbox_busy"),
    (403, legacy(403, "quotaExceeded", "The requested operation requires more than allowed."), C.MAILBOX_WAIT, "mailbox_busy"),
    (403, newest(403, "PERMISSION_DENIED", "Of other words.", "RESOURCE_QUOTA_EXCEEDED"), C.MAILBOX_WAIT, "mailbox_busy"),
    (429, newest(429, "RESOURCE_EXHAUSTED", "Of other words."), C.MAILBOX_WAIT, "mailbox_busy"),
    (429, newest(429, "", "Of other words.", "RATE_LIMIT_EXCEEDED"), C.MAILBOX_WAIT, "mailbox_busy"),
    (429, newest(429, "", "User-rate limit exceeded."), C.MAILBOX_WAIT, "mailbox_busy"),
    (403, legacy(403, "forbidden", "The overall rate limit has already been reached."), C.MAILBOX_WAIT, "mailbox_busy"),
    (403, legacy(403, "concurrentLimitExceeded", "A concurrent usage limit has been reached."), C.MAILBOX_CROWDED, "mailbox_crowded"),
    # the mailbox, for hours
    (429, legacy(429, "rateLimitExceeded", "Too many requests: User-rate limit exceeded (Mail sending)"), C.DAY_FULL, "day_full"),
    (429, legacy(429, "userRateLimitExceeded", "User-rate limit exceeded.  Retry after 2026-11-23T18:18:15.961Z (Mail sending)"), C.DAY_FULL, "day_full"),
    (403, legacy(403, "userRateLimitExceeded", "User-rate limit exceeded (Mail sending)"), C.DAY_FULL, "day_full"),
    # the project
    (403, legacy(403, "rateLimitExceeded", PER_PROJECT.format("Queries", "Queries", "")), C.PROJECT_WAIT, "project_minute_full"),
    (403, legacy(403, "rateLimitExceeded", PER_PROJECT.format("Queries", "Queries", " per project")), C.PROJECT_WAIT, "project_minute_full"),
    (429, legacy(429, "rateLimitExceeded", PER_PROJECT.format("Total Query Cost", "Units", "")), C.PROJECT_WAIT, "project_minute_full"),
    (429, legacy(429, "rateLimitExceeded", PER_PROJECT.format("Total Query Cost", "Units", " per project")), C.PROJECT_WAIT, "project_minute_full"),
    (403, legacy(403, "dailyLimitExceeded", "Daily Limit Exceeded"), C.PROJECT_DAY_FULL, "project_day_full"),
    (429, legacy(429, "dailyLimitExceeded", "Daily Limit Exceeded"), C.PROJECT_DAY_FULL, "project_day_full"),
    (403, legacy(403, "variableTermExpiredDailyExceeded", "The grant has expired, and the daily limit."), C.PROJECT_DAY_FULL, "project_day_full"),
    # nothing but this moment: carried out by nobody
    (409, legacy(409, "aborted", "The operation was aborted."), C.TRANSIENT, "aborted"),
    (409, current(409, "conflict", "The operation was aborted.", "ABORTED"), C.TRANSIENT, "aborted"),
    (409, newest(409, "ABORTED", "The operation was aborted."), C.TRANSIENT, "aborted"),
    (421, newest(421, "UNAVAILABLE", "Misdirected Request"), C.TRANSIENT, "aborted"),
    (423, newest(423, "UNAVAILABLE", "Locked"), C.TRANSIENT, "aborted"),
    (425, newest(425, "UNAVAILABLE", "Too Early"), C.TRANSIENT, "aborted"),
    # the size
    (413, legacy(413, "uploadTooLarge", "Request is too large."), C.MESSAGE, "message_too_large"),
    (413, PAGE, C.MESSAGE, "message_too_large"),
    # our own settings
    (404, legacy(404, "notFound", "Not Found"), C.OPERATOR, "wrong_address"),
    (404, PAGE, C.OPERATOR, "wrong_address"),
    # something between us and Google
    (403, PAGE, C.OPERATOR, "not_gmail"), (400, PAGE, C.OPERATOR, "not_gmail"), (302, b"", C.OPERATOR, "not_gmail"),
    (407, b"Proxy Authentication Required", C.OPERATOR, "not_gmail"), (405, PAGE, C.OPERATOR, "not_gmail"),
    (409, PAGE, C.OPERATOR, "not_gmail"),
    (429, b"Too many requests", C.MAILBOX_WAIT, "mailbox_busy"), (429, PAGE, C.MAILBOX_WAIT, "mailbox_busy"),
    # nobody knows
    (418, legacy(418, "teapot", "I'm a teapot"), C.MESSAGE, "unexpected_answer"),
]  # fmt: skip
UNKNOWN = [
    (500, legacy(500, "backendError", "Backend Error")), (503, newest(503, "UNAVAILABLE", "The service is currently unavailable.")),
    (502, PAGE), (502, b""), (503, b"upstream connect error"), (504, PAGE), (500, b"\xff\x00"), (599, b""), (408, b""),
    (408, legacy(408, "requestTimeout", "Request Timeout")), (499, newest(499, "CANCELLED", "The operation was cancelled.")), (499, b""), (500, legacy(500, "rateLimitExceeded", "Rate Limit Exceeded")),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "failure", "code"), ROWS)
def test_each_refusal_is_of_its_class_and_nothing_was_sent(
    status: int, body: bytes, failure: FailureClass, code: str
) -> None:
    found = verdict(status, body)
    assert (found.failure, found.code) == (failure, code)
    assert found.outcome is AttemptOutcome.REJECTED
    assert found.http_status == status
    assert found.gmail_id is None
    assert found.message


def test_every_row_of_the_table_decides_and_each_of_its_statuses() -> None:
    found = [
        (find_row(read_error(Answered(status, {"date": DATE}, body))), status)
        for status, body, *_ in ROWS
    ]
    assert {row for row, _ in found if row} == set(TABLE)
    decided = {(status, row.meaning) for row, status in found if row}
    assert {
        (int(each), row.meaning) for row in TABLE for each in row.statuses.split()
    } - decided == set()


def test_every_row_has_a_meaning_and_every_meaning_a_row() -> None:
    assert {row.meaning for row in TABLE} == set(MEANINGS)


@pytest.mark.parametrize("failure", [C.CONNECTION, C.OPERATOR])
def test_whoever_must_do_something_is_told_what(failure: FailureClass) -> None:
    for status, body, of, _ in ROWS:
        if of is failure:
            assert verdict(status, body).remedy


@pytest.mark.parametrize(("status", "body"), UNKNOWN)
def test_an_error_of_the_server_leaves_open_whether_it_was_sent(status: int, body: bytes) -> None:
    found = verdict(status, body)
    assert (found.failure, found.outcome, found.code) == (
        C.UNKNOWN,
        AttemptOutcome.UNKNOWN,
        "answer_unclear",
    )
    assert found.structured is body.startswith(b'{"error"')


class TestAccepted:
    @pytest.mark.parametrize("status", [200, 201, 202])
    def test_a_message_that_gmail_took_has_its_id(self, status: int) -> None:
        found = verdict(status, b'{"id": "18c0ffee", "threadId": "18c0fe00", "labelIds": ["SENT"]}')
        assert (found.failure, found.outcome) == (C.NONE, AttemptOutcome.ACCEPTED)
        assert (found.gmail_id, found.thread_id, found.http_status) == (
            "18c0ffee",
            "18c0fe00",
            status,
        )

    def test_the_thread_may_be_missing(self) -> None:
        assert verdict(200, b'{"id": "18c0ffee"}').thread_id is None

    @pytest.mark.parametrize(
        "body",
        [
            b"", PAGE, b"null", b"[]", b"{}", b'{"id": ""}', b'{"id": 5}', b'{"id": null}', b'{"id": "a b"}', b'{"id": "\\ud83d"}',
            b'{"id": "\\u0000"}', b'{"threadId": "18c0fe00"}', b"\xff", pytest.param(b"[" * 100_000, id="deep"),
            pytest.param(b'{"id": "' + b"x" * 65 + b'"}', id="long"),
        ],
    )  # fmt: skip
    def test_a_200_without_an_id_may_be_anybodys_and_so_proves_nothing(self, body: bytes) -> None:
        found = verdict(200, body)
        assert (found.failure, found.outcome, found.gmail_id) == (
            C.UNKNOWN,
            AttemptOutcome.UNKNOWN,
            None,
        )


class TestWithoutAnAnswer:
    def test_what_never_left_may_be_tried_again(self) -> None:
        found = judge(NotSent("Cannot connect to host"))
        assert (found.failure, found.outcome, found.code) == (
            C.TRANSIENT,
            AttemptOutcome.NOT_SENT,
            "not_sent",
        )
        assert "Cannot connect to host" in found.message

    def test_what_may_have_left_is_unknown(self) -> None:
        found = judge(Lost("no answer in time"))
        assert (found.failure, found.outcome, found.code) == (
            C.UNKNOWN,
            AttemptOutcome.UNKNOWN,
            "answer_lost",
        )
        assert "no answer in time" in found.message


def broken(status: int, body: bytes = b"", **more: Any) -> Verdict:
    return judge(Answered(status, {"date": DATE, **more}, body, broken="ClientPayloadError"))


class TestAnswersThatBrokeOff:
    @pytest.mark.parametrize(
        "body", [b"", legacy(400, "badRequest", "Bad Request")[:30], b"\x1f\x8b\xff"]
    )
    @pytest.mark.parametrize("status", [400, 403, 405, 407, 409, 412, 418])
    def test_what_was_refused_was_not_sent_and_is_tried_again_without_blaming_anybody(
        self, status: int, body: bytes
    ) -> None:
        found = broken(status, body)
        assert (found.failure, found.outcome, found.code) == (
            C.TRANSIENT,
            AttemptOutcome.REJECTED,
            "answer_cut",
        )
        assert found.http_status == status

    def test_an_expired_token_and_a_limit_are_told_by_the_status(self) -> None:
        assert broken(401).failure is C.TOKEN_EXPIRED
        limited = broken(429, b'{"error": {"mess', **{"retry-after": "30"})
        assert (limited.failure, limited.wait) == (C.MAILBOX_WAIT, 30)
        assert broken(429, b"User-rate limit exceeded (Mail sending)").failure is C.DAY_FULL
        assert broken(413).failure is C.MESSAGE

    def test_json_that_is_none_counts_as_broken(self) -> None:
        found = verdict(400, b'{"error": {"mess', content_type="application/json; charset=UTF-8")
        assert (found.failure, found.code) == (C.TRANSIENT, "answer_cut")

    @pytest.mark.parametrize("status", [408, 500, 502, 503])
    def test_an_error_of_the_server_leaves_it_open_as_ever(self, status: int) -> None:
        found = broken(status, legacy(status, "backendError", "Backend Error")[:30])
        assert (found.failure, found.code, found.structured) == (C.UNKNOWN, "answer_unclear", False)

    def test_a_message_that_gmail_took_is_on_record_as_such_and_no_rule_sends_it_again(
        self,
    ) -> None:
        found = broken(200, b'{"id": "18c0ff')
        assert (found.failure, found.outcome, found.code, found.taken) == (
            C.UNKNOWN,
            AttemptOutcome.UNKNOWN,
            "answer_cut",
            True,
        )
        assert "Gmail answered 200" in found.message

    def test_an_id_that_arrived_whole_is_believed_although_the_connection_broke(self) -> None:
        assert broken(200, b'{"id": "18c0ffee"}').gmail_id == "18c0ffee"

    @pytest.mark.parametrize(
        ("headers", "body", "taken"),
        [
            ({"content_type": "text/html"}, PAGE, False), ({"content_type": "text/plain"}, b"Welcome to the hotel", False),
            ({"content_type": "application/json"}, b"{}", True), ({}, b"", True), ({"content_type": "application/json"}, b"", True),
        ],
    )  # fmt: skip
    def test_only_of_a_page_that_is_none_of_gmails_may_a_rule_decide(
        self, headers: dict[str, str], body: bytes, taken: bool
    ) -> None:
        assert verdict(200, body, **headers).taken is taken


class TestDetails:
    def test_googles_reason_and_words_are_on_record(self) -> None:
        found = verdict(
            403, legacy(403, "domainPolicy", "The domain administrators have disabled Gmail apps.")
        )
        assert found.google_reason == "domainPolicy"
        assert found.message.endswith(
            "Google says: The domain administrators have disabled Gmail apps."
        )

    def test_a_page_is_not_quoted_as_googles_words(self) -> None:
        found = verdict(403, PAGE)
        assert found.google_reason is None
        assert "Google says" not in found.message

    def test_addresses_are_left_out(self) -> None:
        found = verdict(403, legacy(403, "forbidden", "Delegation denied for ann@acme.example"))
        assert "acme" not in f"{found}"

    def test_a_wait_that_google_asks_for_is_kept_with_any_class(self) -> None:
        named = "User-rate limit exceeded.  Retry after 2026-11-23T18:18:00Z"
        assert verdict(429, legacy(429, "userRateLimitExceeded", named)).wait == 900
        assert verdict(429, legacy(429, "rateLimitExceeded", f"{named} (Mail sending)")).wait == 900
        assert verdict(503, PAGE, retry_after="30").wait == 30
        assert verdict(403, legacy(403, "rateLimitExceeded", "Rate Limit Exceeded")).wait is None

    def test_a_plain_429_with_a_deadline_is_understood_too(self) -> None:
        found = verdict(
            429, b"User-rate limit exceeded.  Retry after 2026-11-23T18:18:00Z (Mail sending)"
        )
        assert (found.failure, found.wait) == (C.DAY_FULL, 900)


REASONS = st.sampled_from(
    ["", "authError", "badRequest", "failedPrecondition", "insufficientPermissions", "accessNotConfigured", "domainPolicy", "forbidden",
     "dailyLimitExceeded", "rateLimitExceeded", "userRateLimitExceeded", "backendError", "Mail sending", "Delegation denied", "quota"]
)  # fmt: skip
ANSWERS: st.SearchStrategy[Answer] = st.one_of(
    st.builds(NotSent, st.text()),
    st.builds(Lost, st.text()),
    st.builds(
        Answered,
        st.integers(100, 999),
        st.dictionaries(st.sampled_from(["date", "retry-after"]), st.text(max_size=30)),
        st.binary(max_size=200) | st.builds(legacy, st.integers(), REASONS, st.text()) | st.builds(newest, st.integers(), REASONS, st.text(), REASONS),
        st.sampled_from(["", "ClientPayloadError"]),
    ),
)  # fmt: skip


@settings(deadline=None)
@given(ANSWERS)
def test_every_answer_has_a_verdict_and_what_it_says_of_the_sending_is_never_too_much(
    answer: Answer,
) -> None:
    found = judge(answer)
    assert found.failure in FailureClass
    assert found.code
    assert found.message

    match found.outcome:
        case AttemptOutcome.NOT_SENT:
            assert isinstance(answer, NotSent)
        case AttemptOutcome.REJECTED:
            assert isinstance(answer, Answered)
            assert answer.status < 500
            assert answer.status != 408
        case AttemptOutcome.ACCEPTED:
            assert isinstance(answer, Answered)
            assert 200 <= answer.status < 300
            assert found.gmail_id

    assert (found.outcome is AttemptOutcome.UNKNOWN) == (found.failure is C.UNKNOWN)
    assert (found.outcome is AttemptOutcome.ACCEPTED) == (found.failure is C.NONE)
    if isinstance(answer, Answered):
        assert found.message.encode(), "Redis and SQL take it"
