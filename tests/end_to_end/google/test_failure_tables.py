"""Every row of the failure table of `messages.send` (google.md §1.3-§1.5, §2.5), over HTTP.

Through one running worker. Each case has a mailbox of its own, in which Gmail answers as the row
says, and a bystander: a second reminder, which leaves at once, or waits with the first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certmail_config.ledger.view import JobView
from support.data.google_answers import DATE, Fault, answer, cut, legacy, newer, page, wire
from support.deployment.deployment import STEADY, new_deployment, wait_for
from support.deployment.many_tenants import ManyTenants, many_tenants

LATE = 180.0
"""Seconds by which a busy machine may come late to a wait that is over."""
EARLY = 0.5
"""Seconds between the decision to wait and the end of the attempt on record.

The machine is at work on both.
"""
DAY = 86_400.0
LIMIT = "Quota exceeded for quota metric '{}' and limit '{}' of service 'gmail.googleapis.com' for consumer 'project_number:123'."
DISABLED = (
    "Gmail API has not been used in project 123 before or it is disabled. Enable it by visiting "
    "https://console.developers.google.com/apis/api/gmail.googleapis.com/overview?project=123 then retry. If you enabled this API "
    "recently, wait a few minutes for the action to propagate to our systems and retry."
)
RATE = "User-rate limit exceeded.  Retry after {}"
MAIL_SENDING = "Too many requests: User-rate limit exceeded (Mail sending)"
CONCURRENT = "Too many concurrent requests for user"
EXHAUSTED = "Resource has been exhausted (e.g. check quota)."
SCOPES = "Request had insufficient authentication scopes."
CREDENTIALS = "Invalid Credentials"
CUTS = ("length", "chunks", "gzip")
SOON = (2.0, 3.0)
QUARTER = (900.0, 960.0)


@dataclass(frozen=True, slots=True)
class Case:
    """A row, and what must come of it.

    `answers` come in this order; `attempts` are each (HTTP status, outcome); `code` and `says` are
    what the record and `certmail status` give as the reason. `wait` is how many seconds, at least
    and at most, pass until the mailbox's next POST. `rule` is the reminder's own for an unknown
    outcome. `lane` is the code it is stopped with, `bystander` what the other reminder does
    meanwhile.
    """

    name: str
    answers: tuple[Fault, ...]
    state: str
    attempts: tuple[tuple[int | None, str], ...]
    code: str
    says: str = ""
    wait: tuple[float, float] | None = None
    lane: str = ""
    bystander: str = "accepted"
    held: bool = False
    resend: bool = False
    counted: int = 0
    rule: str | None = None

    @property
    def tenant(self) -> str:
        """An id made of the name."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.name.lower()).strip(
            "-"
        )


def bad(
    name: str, given: Fault, code: str = "message_rejected", says: str = "Google says: "
) -> Case:
    """This message is bad, and stays so; the next one leaves."""
    return Case(name, (given,), "failed", ((_status(given), "rejected"),), code, says)


def stopped(name: str, given: Fault, code: str, says: str) -> Case:
    """The connection needs a person: the lane stops, with what to do; nothing else is tried."""
    attempts = ((_status(given), "rejected"),)
    return Case(name, (given,), "ready", attempts, code, says, lane=code, bystander="ready")


def slowed(
    name: str, given: Fault, wait: tuple[float, float] = SOON, code: str = "mailbox_busy"
) -> Case:
    """The mailbox waits, and nothing counts; a short wait is seen to its end."""
    refused, late = (_status(given), "rejected"), wait[0] > 10
    attempts = (refused,) if late else (refused, (200, "accepted"))
    state = "ready" if late else "accepted"
    says = "quota" if code == "project_day_full" else ""
    return Case(name, (given,), state, attempts, code, says, wait=wait, bystander=state)


def unknown(
    name: str,
    given: Fault,
    *,
    resend: bool = False,
    status: int | None = -1,
    code: str = "answer_unclear",
    says: str = "",
    **more: Any,
) -> Case:
    """Nobody knows whether it went out.

    It is held for a person, or sent once more by the rule for Google's own 5xx.
    """
    attempts = ((_status(given) if status == -1 else status, "unknown"),)

    return Case(
        name, (given,), "uncertain", attempts, code, says, held=not resend, resend=resend, **more
    )


def cut_off(name: str, given: Fault) -> Case:
    """Refused, and the reason did not arrive: tried again."""
    attempts = ((_status(given), "rejected"),)
    return Case(
        name, (given,), "scheduled", attempts, "answer_cut", "its reason did not arrive", counted=1
    )


def operator(name: str, given: Fault, code: str, says: str) -> Case:
    """Our own configuration is wrong: this reminder waits, the customer's lane goes on."""
    attempts = ((_status(given), "rejected"),)
    return Case(name, (given,), "scheduled", attempts, code, says, wait=(30, 40), counted=1)


def _status(given: Fault) -> int:
    assert isinstance(given, dict)
    return int(given["status"])


CASES = (
    # Ours to mend; first, because half a minute later they are tried again.
    operator("403 delegation denied, older", legacy(403, "forbidden", "Delegation denied for reviews@acme.example"), "delegation_denied", "certmail's mistake"),
    operator("403 delegation denied, today", wire(403, "forbidden", "Delegation denied for reviews@acme.example", "PERMISSION_DENIED"), "delegation_denied", "Report it"),
    operator("404 at that address", page(404), "wrong_address", "CERTMAIL_GMAIL_URL"),
    operator("403 page of a proxy", page(403, "Access to this site is blocked."), "not_gmail", "proxy or firewall"),
    operator("403 of an empty error", answer(403, {"error": {}}), "not_gmail", "proxy or firewall"),
    operator("400 page of a proxy", page(400), "not_gmail", "proxy or firewall"),
    operator("302 to a login", page(302, Location="https://login.example/"), "not_gmail", "CERTMAIL_GMAIL_URL"),
    operator("407 of a proxy", page(407), "not_gmail", "proxy or firewall"),
    # 400: this message, or the mailbox.
    bad("400 invalid To, older", legacy(400, "invalidArgument", "Invalid To header")),
    bad("400 invalid To, today", wire(400, "invalidArgument", "Invalid To header", "INVALID_ARGUMENT"), says="Invalid To header"),
    bad("400 invalid To, newer", newer(400, "Invalid To header", "INVALID_ARGUMENT"), says="Invalid To header"),
    bad("400 no recipient, older", legacy(400, "badRequest", "Recipient address required"), says="Recipient address required"),
    bad("400 no recipient, today", wire(400, "badRequest", "Recipient address required", "INVALID_ARGUMENT")),
    bad("400 with an address in it", wire(400, "invalidArgument", "Invalid To header: x@people.example", "INVALID_ARGUMENT"), says="(address)"),
    stopped("400 no Gmail, older", legacy(400, "failedPrecondition", "Mail service not enabled"), "mailbox_without_gmail", "licence"),
    stopped("400 no Gmail, today", wire(400, "failedPrecondition", "Mail service not enabled", "FAILED_PRECONDITION"), "mailbox_without_gmail", "licence"),
    stopped("400 precondition, today", wire(400, "failedPrecondition", "Precondition check failed.", "FAILED_PRECONDITION"), "mailbox_without_gmail", "licence"),
    stopped("400 precondition, newer", newer(400, "Nothing said.", "FAILED_PRECONDITION"), "mailbox_without_gmail", "licence"),
    # 401: refreshed once; a second one needs a person.
    Case("401 once, a fault by name", ("401_once",), "accepted", ((401, "rejected"), (200, "accepted")), "token_expired"),
    Case("401 once, the token is dead", ("drop_token",), "accepted", ((401, "rejected"), (200, "accepted")), "token_expired"),
    Case("401 once, older", (legacy(401, "authError", CREDENTIALS),), "accepted", ((401, "rejected"), (200, "accepted")), "token_expired"),
    Case("401 once, newer", (newer(401, CREDENTIALS, "UNAUTHENTICATED"),), "accepted", ((401, "rejected"), (200, "accepted")), "token_expired"),
    Case(
        "401 twice", (legacy(401, "authError", CREDENTIALS), wire(401, "authError", CREDENTIALS, "UNAUTHENTICATED")), "ready",
        ((401, "rejected"), (401, "rejected")), "token_expired", "Link the account again", lane="token_refused", bystander="ready",
    ),
    # 403: the connection.
    stopped("403 scope, older", legacy(403, "insufficientPermissions", "Insufficient Permission"), "scope_missing", "domain-wide delegation"),
    stopped("403 scope, today", wire(403, "insufficientPermissions", SCOPES, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), "scope_missing", "gmail.send"),
    stopped("403 scope, newer", newer(403, SCOPES, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), "scope_missing", "linking the account again"),
    stopped("403 API off, older", legacy(403, "accessNotConfigured", DISABLED, "usageLimits"), "api_disabled", "Enable the Gmail API"),
    stopped("403 API off, today", wire(403, "accessNotConfigured", DISABLED, "PERMISSION_DENIED", "SERVICE_DISABLED"), "api_disabled", "wait a few minutes"),
    stopped("403 API off, newer", newer(403, DISABLED, "PERMISSION_DENIED", "SERVICE_DISABLED"), "api_disabled", "probe the connection"),
    stopped("403 API off, forbidden", wire(403, "forbidden", DISABLED, "PERMISSION_DENIED", "SERVICE_DISABLED"), "api_disabled", "Enable the Gmail API"),
    stopped("403 domain policy, older", legacy(403, "domainPolicy", "The domain administrators have disabled Gmail apps."), "domain_policy", "administrator must allow"),
    stopped("403 domain policy, today", wire(403, "domainPolicy", "The domain administrators have disabled Gmail apps.", "PERMISSION_DENIED"), "domain_policy", "administrator"),
    stopped("403 of no known reason", wire(403, "forbidden", "Forbidden", "PERMISSION_DENIED"), "forbidden", "connections probe"),
    Case(
        "403 page with seconds", (page(403, Retry_After="3000"),), "scheduled", ((403, "rejected"),), "not_gmail", "proxy or firewall",
        wait=(3000, 3001), bystander="ready", counted=1,
    ),
    # 403 and 429: limits of the mailbox, rejected before acting.
    slowed("403 rate, older", legacy(403, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits")),
    slowed("403 user rate, older", legacy(403, "userRateLimitExceeded", "User Rate Limit Exceeded", "usageLimits")),
    slowed("403 user rate, today", wire(403, "userRateLimitExceeded", "User Rate Limit Exceeded", "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED")),
    slowed("429 user rate, older", legacy(429, "userRateLimitExceeded", "User Rate Limit Exceeded", "usageLimits")),
    slowed("429 rate, older", legacy(429, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits")),
    slowed("429 exhausted, today", wire(429, "rateLimitExceeded", EXHAUSTED, "RESOURCE_EXHAUSTED")),
    slowed("429 exhausted, newer", newer(429, EXHAUSTED, "RESOURCE_EXHAUSTED")),
    slowed("403 user quota, queries", wire(403, "rateLimitExceeded", LIMIT.format("Queries", "Queries per minute per user"), "PERMISSION_DENIED")),
    slowed("403 user quota, units", wire(403, "rateLimitExceeded", LIMIT.format("Total Query Cost", "Units per minute per user"), "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED")),
    slowed("403 user quota, newer", newer(403, LIMIT.format("Total Query Cost", "Units per minute per user"), "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED")),
    slowed("429 concurrent, older", legacy(429, "rateLimitExceeded", CONCURRENT), code="mailbox_crowded"),
    slowed("429 concurrent, today", wire(429, "rateLimitExceeded", CONCURRENT, "RESOURCE_EXHAUSTED"), code="mailbox_crowded"),
    slowed("429 as a page", page(429)),
    slowed("429 bandwidth, three hours", wire(429, "rateLimitExceeded", RATE.format("2026-11-23T21:00:00.000Z"), "RESOURCE_EXHAUSTED", Date=DATE), (10_800, 10_801)),
    # Broken off by Google before anything was done: tried again.
    Case("409 aborted once", (newer(409, "The operation was aborted.", "ABORTED"),), "accepted", ((409, "rejected"), (200, "accepted")), "aborted", counted=1),
    # The day's sending limit: a quarter of an hour at least, unless a time is named.
    slowed("429 mail sending, older", legacy(429, "rateLimitExceeded", MAIL_SENDING, "usageLimits"), QUARTER, "day_full"),
    slowed("429 mail sending, today", wire(429, "rateLimitExceeded", MAIL_SENDING, "RESOURCE_EXHAUSTED"), QUARTER, "day_full"),
    slowed("429 mail sending, three seconds", legacy(429, "userRateLimitExceeded", RATE.format("2026-11-23T18:00:03.000Z (Mail sending)"), "usageLimits", Date=DATE), (3, 4), "day_full"),
    slowed("429 mail sending, a quarter", wire(429, "rateLimitExceeded", RATE.format("2026-11-23T18:15:15.961Z (Mail sending)"), "RESOURCE_EXHAUSTED", Date=DATE), (915.961, 916.961), "day_full"),
    # The project's limits.
    slowed("403 project quota, queries", wire(403, "rateLimitExceeded", LIMIT.format("Queries", "Queries per minute"), "PERMISSION_DENIED"), SOON, "project_minute_full"),
    slowed("403 project quota, units", wire(403, "rateLimitExceeded", LIMIT.format("Total Query Cost", "Units per minute"), "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED"), SOON, "project_minute_full"),
    slowed("403 daily limit, older", legacy(403, "dailyLimitExceeded", "Daily Limit Exceeded", "usageLimits"), QUARTER, "project_day_full"),
    slowed("403 daily limit, today", wire(403, "dailyLimitExceeded", "Daily Limit Exceeded", "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED"), QUARTER, "project_day_full"),
    # Retry-After, and a deadline in the text; of several the latest; of a clock that is wrong, only
    # the difference.
    slowed("429 seconds", wire(429, "rateLimitExceeded", EXHAUSTED, "RESOURCE_EXHAUSTED", Retry_After="3"), (3, 4)),
    slowed("403 seconds", legacy(403, "userRateLimitExceeded", "User Rate Limit Exceeded", "usageLimits", Retry_After="4"), (4, 5)),
    slowed("429 page with seconds", page(429, Retry_After="3"), (3, 4)),
    slowed("429 HTTP date", wire(429, "rateLimitExceeded", EXHAUSTED, "RESOURCE_EXHAUSTED", Date=DATE, Retry_After="Mon, 23 Nov 2026 18:00:03 GMT"), (3, 4)),
    slowed("429 HTTP date, a clock years behind", legacy(429, "rateLimitExceeded", EXHAUSTED, Date="Sat, 01 Jan 2000 00:00:00 GMT", Retry_After="Sat, 01 Jan 2000 00:00:03 GMT"), (3, 4)),
    slowed("429 HTTP date, a clock years ahead", legacy(429, "rateLimitExceeded", EXHAUSTED, Date="Fri, 01 Jan 2038 00:00:00 GMT", Retry_After="Fri, 01 Jan 2038 02:00:00 GMT"), (7200, 7201)),
    slowed("429 text, a clock an hour ahead", legacy(429, "rateLimitExceeded", RATE.format("2038-01-01T01:00:03.5Z"), Date="Fri, 01 Jan 2038 01:00:00 GMT"), (3.5, 4.5)),
    slowed("429 text before header", legacy(429, "rateLimitExceeded", RATE.format("2026-11-23T18:00:05Z"), Date=DATE, Retry_After="2"), (5, 6)),
    slowed("429 header before text", legacy(429, "rateLimitExceeded", RATE.format("2026-11-23T18:00:01Z"), Date=DATE, Retry_After="4"), (4, 5)),
    slowed("429 text in a page", page(429, RATE.format("2026-11-23T18:00:03Z"), Date=DATE), (3, 4)),
    # Nonsense for a deadline.
    slowed("429 text, in the past", legacy(429, "rateLimitExceeded", RATE.format("2026-11-23T17:59:00.000Z"), Date=DATE)),
    slowed("429 zero seconds", legacy(429, "rateLimitExceeded", EXHAUSTED, Retry_After="0")),
    slowed("429 minus seconds", legacy(429, "rateLimitExceeded", EXHAUSTED, Retry_After="-5")),
    slowed("429 soon", legacy(429, "rateLimitExceeded", EXHAUSTED, Retry_After="soon")),
    slowed("429 raised digit", legacy(429, "rateLimitExceeded", EXHAUSTED, Retry_After="²")),
    slowed("429 thirteenth month", legacy(429, "rateLimitExceeded", RATE.format("2026-13-45T99:99:99.000Z"), Date=DATE)),
    slowed("429 a date of a year beyond all", legacy(429, "rateLimitExceeded", EXHAUSTED, Retry_After="Mon, 23 Nov 99999999999 18:00:00 GMT")),
    slowed("429 a month", legacy(429, "rateLimitExceeded", EXHAUSTED, Retry_After="2592000"), (DAY, DAY + 1)),
    slowed("429 a thousand digits", legacy(429, "rateLimitExceeded", EXHAUSTED, Retry_After="9" * 1000), (DAY, DAY + 1)),
    slowed("429 in thousands of years", legacy(429, "rateLimitExceeded", RATE.format("9999-12-31T23:59:59.999Z (Mail sending)"), Date=DATE), (DAY, DAY + 1), "day_full"),
    # 413.
    bad("413, older", legacy(413, "uploadTooLarge", "Request Entity Too Large"), "message_too_large"),
    bad("413, today", wire(413, "uploadTooLarge", "Request Entity Too Large", "INVALID_ARGUMENT"), "message_too_large"),
    bad("413 as a page", page(413), "message_too_large", "larger than Gmail takes"),
    # The outcome is unknown: never again by itself, but for Google's own 5xx, once, by a rule.
    unknown("408, today", wire(408, "requestTimeout", "Request Timeout", "DEADLINE_EXCEEDED")),
    unknown("408 as a page", page(408)),
    unknown("500, older", legacy(500, "backendError", "Backend Error"), resend=True),
    unknown("500, today", wire(500, "internalError", "Internal error encountered.", "INTERNAL"), resend=True),
    unknown("500 as a page", page(500)),
    unknown("502, older", legacy(502, "backendError", "Bad Gateway"), resend=True),
    unknown("502 as a page", page(502)),
    unknown("503, by name", "503", resend=True, status=503),
    unknown("503, newer", newer(503, "The service is currently unavailable.", "UNAVAILABLE"), resend=True),
    unknown("503 as text", answer(503, "upstream connect error or disconnect/reset before headers")),
    unknown("504, today", wire(504, "backendError", "Deadline exceeded.", "DEADLINE_EXCEEDED"), resend=True),
    unknown("504 as a page", page(504)),
    unknown("503 with seconds", legacy(503, "backendError", "Backend Error", Retry_After="3000"), resend=True, wait=(3000, 3001), bystander="ready"),
    unknown("502 page with seconds", page(502, Retry_After="3000"), wait=(3000, 3001), bystander="ready"),
    unknown("503 of an empty error", answer(503, {"error": {}})),
    unknown("reset before", "reset_before", status=None, code="answer_lost"),
    unknown("reset after", "reset_after", status=None, code="answer_lost"),
    unknown("no answer in time", "hang_after", status=None, code="answer_lost"),
    unknown("accepted late", "accept_late", status=None, code="answer_lost"),
    # Answers that nobody has documented.
    bad("418, newer", newer(418, "a teapot", "UNKNOWN"), "unexpected_answer", "teapot"),
    bad("400 error as a string", answer(400, {"error": "invalidArgument", "error_description": "Invalid To header"}), says="Invalid To header"),
    bad("400 of halves of characters", answer(400, '{"error":{"message":"\\ud800\\u0000 Invalid To","errors":[{"reason":"\\udfff"}]}}'), says="Invalid To"),
    bad("400 of a long reason", legacy(400, "invalid" * 50_000, "@" * 300_000)),
    slowed("403 error as a string", answer(403, {"error": "rateLimitExceeded"})),
    slowed("403 without a message", answer(403, {"error": {"errors": [{"reason": "userRateLimitExceeded"}]}})),
    slowed("429 of other types", answer(429, {"error": {"code": "x", "message": ["a"], "errors": {"reason": 1}, "details": [1], "status": 5}})),
    slowed("429 of a list", answer(429, ["error"])),
    slowed("403 page with the reason", page(403, "User Rate Limit Exceeded")),
    slowed("403 text with the reason", answer(403, "rateLimitExceeded")),
    slowed("403 of many packets", wire(403, "rateLimitExceeded", "x" * 400_000, "PERMISSION_DENIED")),
    slowed("429 nested too deep", answer(429, "[" * 200_000)),
    unknown("200 page of a proxy", page(200, "Welcome to the hotel")),
    unknown("200 without a body", answer(200, "")),
    unknown("200 without an id", answer(200, {"labelIds": ["SENT"]})),
    unknown("200 of another id", answer(200, {"id": {"a": 1}})),
    unknown("200 nested too deep", answer(200, "[" * 200_000)),
    slowed("429 packed wrongly", answer(429, "not gzip", Content_Encoding="gzip")),
    # The body breaks off: the status says what Gmail did.
    *(slowed(f"429 cut, {how}", cut(legacy(429, "rateLimitExceeded", EXHAUSTED, Retry_After="3"), how), (3, 4)) for how in CUTS),
    *(cut_off(f"400 cut, {how}", cut(legacy(400, "invalidArgument", "Invalid To header"), how)) for how in CUTS),
    cut_off("403 cut", cut(wire(403, "domainPolicy", "The domain administrators have disabled Gmail apps.", "PERMISSION_DENIED"))),
    Case("401 cut", (cut(legacy(401, "authError", CREDENTIALS)),), "accepted", ((401, "rejected"), (200, "accepted")), "token_expired"),
    bad("413 cut", cut(legacy(413, "uploadTooLarge", "Request Entity Too Large")), "message_too_large", "larger than Gmail takes"),
    unknown("503 cut", cut(legacy(503, "backendError", "Backend Error"))),
    unknown("200 cut", "cut_after", status=200, code="answer_cut", says="Gmail answered 200, but its answer broke off"),
    unknown("200 cut, resent by a rule", "cut_after", status=200, code="answer_cut", says="no rule sends it again", rule="resend"),
    unknown("200 packed wrongly", cut(answer(200, {"id": "18c0ffee"}), "gzip"), code="answer_cut", rule="resend"),
    unknown("200 without an id, by a rule", answer(200, {"labelIds": ["SENT"]}), rule="resend"),
)  # fmt: skip


TAKEN = frozenset(
    {"reset after", "no answer in time", "accepted late", "200 cut", "200 cut, resent by a rule"}
)
"""Where Gmail took the message although nobody heard of it."""


@dataclass(frozen=True, slots=True)
class Hall:
    """The tenants, with two jobs for each case under way."""

    many_tenants: ManyTenants
    jobs: dict[str, str]
    bystanders: dict[str, str]


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with (
        new_deployment(Path(tmp_path_factory.mktemp("tables")), **STEADY) as deployment,
        many_tenants(deployment) as people,
    ):
        for case in CASES:
            people.add(case.tenant)
            for given in case.answers:
                people.spoil(case.tenant, given, path="/messages/send")

        people.add("calm")
        people.add("probed", in_flight=4)
        deployment.worker()
        people.settled(
            people.remind("calm", "first"), "accepted"
        )  # before anything else is waited for in vain
        jobs = {
            case.name: people.remind(case.tenant, "first", priority=0, uncertain=case.rule)
            for case in CASES
        }
        yield Hall(
            people, jobs, {case.name: people.remind(case.tenant, "second") for case in CASES}
        )


def test_no_two_cases_share_a_mailbox() -> None:
    assert Counter(case.tenant for case in CASES).most_common(1)[0][1] == 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_answer_of_gmail_has_the_consequences_that_are_documented(
    case: Case, hall: Hall
) -> None:
    people, job = hall.many_tenants, hall.jobs[case.name]
    settled = people.happened(job, "settled", len(case.attempts))
    status, first = people.status(job), settled[0]
    assert settled[-1].data["state"] == case.state

    seen = [(attempt.http_status, attempt.outcome) for attempt in status.attempts]
    assert seen[: len(case.attempts)] == list(case.attempts)
    assert first.data["reason"].startswith(f"{case.code}: ")
    assert case.says in str(status.reason if case.lane else first.data["reason"])
    assert (status.held, people.job(job).get("failures", "0")) == (case.held, str(case.counted))

    if case.lane:
        assert (status.reason or "").startswith(f"{case.lane}: ")
    assert (people.lane(case.tenant)["state"], people.lane(case.tenant).get("code", "")) == (
        ("suspended", case.lane) if case.lane else ("open", "")
    )

    if case.wait:
        _check_wait(case.wait, people, case.tenant, status)

    if case.resend:
        assert status.attempts[0].ended_at
        resend = (people.due(job) - status.attempts[0].ended_at).total_seconds()
        assert abs(resend - max(900, case.wait[0] if case.wait else 0)) < EARLY

    bystander = people.settled(hall.bystanders[case.name], case.bystander)
    assert case.bystander == "accepted" or bystander.attempts == []


def _check_wait(
    wait: tuple[float, float], people: ManyTenants, tenant: str, status: JobView
) -> None:
    """The wait is from the refusal to the next attempt.

    While there is none: to the time before which there will be none.
    """
    refused, *more = status.attempts
    assert refused.ended_at is not None

    until, late = people.until(tenant, status.id), 0.0
    if more:
        until, late = more[0].begun_at, LATE

    assert until is not None
    assert wait[0] - EARLY <= (until - refused.ended_at).total_seconds() <= wait[1] + EARLY + late


def test_while_all_of_them_wait_another_mailbox_sends_at_once(hall: Hall) -> None:
    people = hall.many_tenants
    asked = datetime.now(UTC)
    people.settled(people.remind("calm", "somebody"), "accepted")
    assert datetime.now(UTC) - asked < timedelta(seconds=LATE)


def test_when_the_wait_is_over_one_reminder_goes_first_and_its_refusal_sets_the_next_deadline(
    hall: Hall,
) -> None:
    people = hall.many_tenants

    for _ in range(2):
        given = legacy(429, "rateLimitExceeded", EXHAUSTED, Retry_After="2")
        people.spoil("probed", given, path="/messages/send")

    jobs = [people.remind("probed", "first")]
    wait_for("the first refusal", lambda: people.until("probed", jobs[0]) is not None)
    jobs += [people.remind("probed", f"other{n}") for n in range(5)]
    for job in jobs:
        people.settled(job, "accepted")
    posts = [
        (datetime.fromisoformat(item["at"]), item["status"]) for item in people.posts("probed")
    ]

    assert [status for _, status in posts] == [429, 429] + [200] * 6
    assert [posts[n + 1][0] - posts[n][0] > timedelta(seconds=2) for n in (0, 1)] == [True, True]


def test_each_attempt_was_one_post_nothing_left_before_its_time_and_nobody_got_two(
    hall: Hall,
) -> None:
    people = hall.many_tenants
    moment = people.at_one_moment([*hall.jobs.values(), *hall.bystanders.values()])

    for case in CASES:
        for job in (hall.jobs[case.name], hall.bystanders[case.name]):
            status = moment.views[job]
            # On a busy machine an attempt may miss its send window: then nothing has left.
            left = [each for each in status.attempts if each.outcome != "not_sent"]
            assert len(left) <= moment.posts[job] <= len(status.attempts), case.name
            taken = status.state == "accepted" or (status.held and case.name in TAKEN)
            assert moment.copies[job] == taken, case.name
        times = [datetime.fromisoformat(item["at"]) for item in people.posts(case.tenant)]
        if case.wait and (case.state, case.bystander) != ("scheduled", "accepted"):
            assert all((at - times[0]).total_seconds() > case.wait[0] for at in times[1:]), (
                case.name
            )


def test_what_needs_the_operator_is_said_in_the_log_with_the_remedy(hall: Hall) -> None:
    lines = (hall.many_tenants.deployment.data_dir / "worker.log").read_text().splitlines()
    said = [json.loads(line) for line in lines if '"level": "error"' in line]
    assert {(line["code"], bool(line["remedy"])) for line in said} == {
        ("delegation_denied", True),
        ("wrong_address", True),
        ("project_day_full", True),
        ("not_gmail", True),
    }
    assert not [line for line in lines if "Traceback" in line]
