"""Every row of the failure tables of the token endpoint (google.md §3.4 and §4.4), over HTTP.

Through one running worker. Each case has a mailbox of its own, for which Google answers as the row
says, and a bystander: a second reminder from the same mailbox. None of these answers costs an
attempt or a request to Gmail.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from support.data.google_answers import Fault, answer, page
from support.deployment.deployment import STEADY, new_deployment, wait_for
from support.deployment.many_tenants import ManyTenants, many_tenants

LATE = 180.0
"""Seconds by which a busy machine may come late to a wait that is over."""
RECORDED_LATE = 0.5
"""So much of a wait may be over on a busy machine before it is on record that somebody waits."""
SOON = (2.0, 4.0)
CONFIRM_SECONDS = 8
CONFIRMED = (8.0, 10.0)
SCOPES = "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."
SHORT_LIVED = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)


@dataclass(frozen=True, slots=True)
class Case:
    """A row, and what must come of it.

    `times` is how often Google answers so, None for ever. `waits` are how many seconds, at least
    and at most, pass before the reminder's next try; `state` is where it ends, `lane` the code that
    its lane is stopped with.
    """

    name: str
    linked: bool
    given: Fault
    state: str
    code: str
    says: str
    waits: tuple[float, float] | None = None
    times: int | None = 1
    lane: str = ""
    bystander: str = "accepted"

    @property
    def tenant(self) -> str:
        """An id made of the name."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.name.lower())


def said(
    status: int, error: str, description: str = "", subtype: str = "", **headers: str
) -> Fault:
    """A refusal of the token endpoint (google.md §3.3)."""
    body = {"error": error, "error_description": description, "error_subtype": subtype}
    return answer(status, {name: text for name, text in body.items() if text}, **headers)


def ours(name: str, given: Fault, code: str, says: str, *, linked: bool = False) -> Case:
    """Only the operator can mend it: this reminder waits, and the customer's lane goes on."""
    return Case(name, linked, given, "scheduled", code, says, (30, 40))


def stops(name: str, given: Fault, code: str, says: str, *, linked: bool = False) -> Case:
    """The customer's administrator can mend it: once it was confirmed, the lane stops, says how."""
    return Case(name, linked, given, "ready", code, says, CONFIRMED, None, code, bystander="ready")


def passes(
    name: str, given: Fault, waits: tuple[float, float] = SOON, *, linked: bool = False
) -> Case:
    """Google's trouble or the network's: nobody of that mailbox asks before it may pass.

    All are accepted at the first attempt.
    """
    state = "accepted" if waits[1] < 60 else "scheduled"
    return Case(
        name, linked, given, state, "token_unavailable", "tried again", waits, bystander=state
    )


def both(case: Case) -> tuple[Case, Case]:
    """The same for a service account and for a linked account."""
    return case, replace(case, name=f"{case.name}, linked", linked=True)


CASES = (
    # Ours; first, because half a minute later they are tried again.
    ours("short-lived token", said(400, "invalid_grant", SHORT_LIVED), "clock_wrong", "Set the clock"),
    *both(ours("invalid_scope", said(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."), "request_wrong", "Report it")),
    *both(ours("invalid_request", said(400, "invalid_request", "Missing required parameter: grant_type"), "request_wrong", "Report it")),
    *both(ours("unsupported_grant_type", said(400, "unsupported_grant_type", "Invalid grant_type: x"), "request_wrong", "Report it")),
    *both(ours("an error of the future", said(400, "error_of_the_future", "Something new."), "token_refused", "Report it")),
    ours("invalid_client, linked", said(401, "invalid_client", "The OAuth client was not found."), "client_refused", "CERTMAIL_OAUTH_CLIENT_ID", linked=True),
    ours("deleted_client, linked", said(401, "deleted_client", "The OAuth client was deleted."), "client_refused", "Google Cloud console", linked=True),
    ours("disabled_client, linked", said(401, "disabled_client", "The OAuth client was disabled."), "client_refused", "Google Cloud console", linked=True),
    ours("unauthorized_client, linked", said(401, "unauthorized_client", "Unauthorized"), "client_refused", "CERTMAIL_OAUTH_CLIENT_SECRET", linked=True),
    ours("org_internal, linked", said(403, "org_internal"), "client_internal", "consent screen external", linked=True),
    # Not Google's: what stands in between is an operator's matter.
    ours("403 as a page", page(403), "not_google", "proxy or firewall"),
    ours("404 as a page, linked", page(404), "not_google", "CERTMAIL_GOOGLE_TOKEN_URL", linked=True),
    ours("407 of a proxy", answer(407, "Proxy Authentication Required"), "not_google", "CERTMAIL_GOOGLE_PROXY"),
    ours("302 to a login", page(302, Location="https://login.example/"), "not_google", "proxy or firewall"),
    ours("200 as a page", page(200), "not_google", "proxy or firewall"),
    ours("400 without a body", answer(400, ""), "not_google", "proxy or firewall"),
    ours("400 nested too deep", answer(400, "[" * 200_000), "not_google", "proxy or firewall"),
    # A service account's: the lane stops when it is said a second time.
    stops("unauthorized_client", said(401, "unauthorized_client", "Unauthorized client or scope in request."), "delegation_missing", "numeric client ID"),
    stops("unauthorized_client, by email", said(401, "unauthorized_client", SCOPES), "delegation_missing", "Domain-wide delegation"),
    stops("access_denied", said(403, "access_denied"), "delegation_missing", "Admin console"),
    stops("access_denied, not authorized", said(403, "access_denied", "Requested client not authorized"), "delegation_missing", "gmail.send"),
    stops("access_denied, restricted", said(403, "access_denied", "Account restricted"), "delegation_missing", "within 24 hours"),
    stops("signature", said(400, "invalid_grant", "Invalid JWT Signature."), "key_unknown", "connections certificate"),
    stops("no verifier", said(400, "invalid_grant", "Invalid JWT: No valid verifier found for issuer"), "service_account_unknown", "service account's email"),
    stops("admin_policy_enforced", said(400, "admin_policy_enforced"), "admin_policy", "Workspace administrator must trust"),
    stops("org_internal", said(403, "org_internal"), "client_internal", "own organisation"),
    stops("not a valid email", said(400, "invalid_grant", "Not a valid email or user ID."), "mailbox_unknown", "primary address"),
    stops("invalid email", said(400, "invalid_grant", "Invalid email or User ID"), "mailbox_unknown", "primary address"),
    stops("account deleted", said(400, "invalid_grant", "The account has been deleted"), "mailbox_unknown", "Restore the user"),
    stops("account deleted, in capitals", said(400, "invalid_grant", "Account has been deleted"), "mailbox_unknown", "Restore the user"),
    stops("account not found", said(400, "invalid_grant", "Invalid grant: account not found"), "service_account_unknown", "service account's email"),
    stops("impersonation", said(400, "invalid_request", 'Invalid impersonation "sub" field.'), "mailbox_unknown", "not a group"),
    stops("prn email", said(400, "invalid_request", "Invalid impersonation prn email address."), "mailbox_unknown", "not a group"),
    stops("invalid_client", said(401, "invalid_client", "The OAuth client was not found."), "client_invalid", "exists and is enabled"),
    stops("deleted_client", said(401, "deleted_client", "The OAuth client was deleted."), "client_deleted", "Restore it"),
    stops("disabled_client", said(401, "disabled_client", "The OAuth client was disabled."), "client_disabled", "Enable it"),
    stops("invalid_grant, unexplained", said(400, "invalid_grant", "Bad Request"), "grant_revoked", "service account, its key and the mailbox"),
    # A linked account's: every invalid_grant asks for another consent.
    stops("expired or revoked", said(400, "invalid_grant", "Token has been expired or revoked."), "grant_revoked", "Link the account again", linked=True),
    stops("invalid_rapt", said(400, "invalid_grant", "reauth related error (invalid_rapt)", "invalid_rapt"), "session_ended", "session control", linked=True),
    stops("rapt_required", said(400, "invalid_grant", "reauth related error (rapt_required)", "rapt_required"), "session_ended", "session control", linked=True),
    stops("invalid_grant, bare", said(400, "invalid_grant"), "grant_revoked", "Link the account again", linked=True),
    stops("account deleted, linked", said(400, "invalid_grant", "Account has been deleted"), "grant_revoked", "Link the account again", linked=True),
    stops("admin_policy_enforced, linked", said(400, "admin_policy_enforced"), "admin_policy", "Workspace administrator must trust", linked=True),
    stops("access_denied, linked", said(403, "access_denied"), "admin_policy", "Workspace administrator must trust", linked=True),
    # Google's trouble, or the network's.
    *both(passes("internal_failure", said(400, "internal_failure", "Backend Error"))),
    *both(passes("server_error", said(400, "server_error"))),
    *both(passes("temporarily_unavailable", said(400, "temporarily_unavailable"))),
    *both(passes("500 whatever it says", said(500, "invalid_grant", "Backend Error"))),
    *both(passes("502 as a page", page(502))),
    *both(passes("503 by name", "503")),
    *both(passes("504 as a page", page(504))),
    *both(passes("408", said(408, "invalid_grant"))),
    # Of linked accounts it would hold all, which ask in the name of one client: see
    # tests/worker/google/test_tokens.py.
    passes("429", said(429, "rate_limit_exceeded", "Too many requests")),
    passes("403 rate_limit_exceeded", said(403, "rate_limit_exceeded", "Rate limit exceeded")),
    *both(passes("reset", "reset_before")),
    passes("no answer in time", "hang_after"),
    passes("503 with seconds", said(503, "internal_failure", Retry_After="5"), (6, 7)),
    passes("429 with an HTTP date", page(429, Date="Sat, 01 Jan 2000 00:00:00 GMT", Retry_After="Sat, 01 Jan 2000 00:00:05 GMT"), (6, 7)),
    passes("429 with a month", page(429, Retry_After="2592000"), (86_401, 86_402)),
    # Answers that nobody has documented.
    passes("400 of the other dialect", answer(400, {"error": {"code": 400, "message": "Bad Request", "status": "INVALID_ARGUMENT"}})),
    passes("200 without a token", answer(200, {"expires_in": 3599})),
    passes("200 without an end", answer(200, {"access_token": "ya29.x"})),
    passes("200 with a token of two lines", answer(200, {"access_token": "ya29.x\r\nX-Evil: 1", "expires_in": 3599})),
    passes("200 with half a character", answer(200, '{"access_token": "ya29.\\ud800", "expires_in": 3599}')),
    stops("invalid_grant of halves", answer(400, '{"error": "invalid_grant", "error_description": "\\ud800\\u0000Gone"}'), "grant_revoked", "Gone", linked=True),
    stops("invalid_grant of a megabyte", said(400, "invalid_grant", "@a" * 300_000), "grant_revoked", "Link", linked=True),
    # One refusal that is over a moment later stops nothing.
    Case("signature, but once", linked=False, given=said(400, "invalid_grant", "Invalid JWT Signature."), state="accepted", code="key_unknown", says="", waits=CONFIRMED),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hall:
    """The tenants, with two jobs for each case under way."""

    many_tenants: ManyTenants
    jobs: dict[str, str]
    bystanders: dict[str, str]


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    settings = {**STEADY, "CERTMAIL_CONFIRM_SECONDS": str(CONFIRM_SECONDS)}
    with (
        new_deployment(Path(tmp_path_factory.mktemp("tokens")), **settings) as deployment,
        many_tenants(deployment) as people,
    ):
        for case in CASES:
            people.add(case.tenant, linked=case.linked)
            people.spoil(case.tenant, case.given, path="/token", times=case.times)

        people.add("calm")
        deployment.worker()
        people.settled(
            people.remind("calm", "first"), "accepted"
        )  # before anything else is waited for in vain
        jobs = {case.name: people.remind(case.tenant, "first", priority=0) for case in CASES}
        yield Hall(
            people, jobs, {case.name: people.remind(case.tenant, "second") for case in CASES}
        )


def test_no_two_cases_share_a_mailbox() -> None:
    assert Counter(case.tenant for case in CASES).most_common(1)[0][1] == 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_answer_of_the_token_endpoint_has_the_consequences_that_are_documented(
    case: Case, hall: Hall
) -> None:
    people, job = hall.many_tenants, hall.jobs[case.name]
    [first] = people.happened(job, "released")
    assert first.data["reason"].startswith(f"{case.code}: ")
    assert "Google says" in first.data["reason"] or case.code in {"token_unavailable", "not_google"}
    assert first.data["state"] == ("scheduled" if case.waits else "ready")

    lane = ("suspended", case.lane) if case.lane else ("open", "")
    wait_for(
        f"a lane {lane}",
        lambda: (
            (people.lane(case.tenant)["state"], people.lane(case.tenant).get("code", "")) == lane
        ),
        LATE,
    )
    bystander = people.settled(hall.bystanders[case.name], case.bystander)

    if case.lane:
        status = people.settled(job, case.state)
        assert (status.reason or "").startswith(f"{case.lane}: ")
        assert case.says in (status.reason or "")
        assert (bystander.reason, status.attempts, bystander.attempts) == (status.reason, [], [])
    else:
        assert case.says in first.data["reason"]

    if case.state == "accepted":
        attempts = people.settled(job, "accepted").attempts
        assert [(attempt.http_status, attempt.outcome) for attempt in attempts] == [
            (200, "accepted")
        ]

    if case.waits:
        asked_again = _refused_twice(people, job, hall.bystanders[case.name]) if case.lane else job
        _check_wait(case.waits, people, case, job, asked_again)
        assert people.job(job)["failures"] == "1"


def _refused_twice(people: ManyTenants, *jobs: str) -> str:
    """Whichever comes back first is refused again, and stops the lane for all."""
    twice: list[str] = []

    def found() -> bool:
        twice[:] = [job for job in jobs if len(people.history(job, "released")) == 2]
        return bool(twice)

    wait_for(f"the second refusal of one of {jobs} on record", found, LATE)
    return twice[0]


def _check_wait(
    waits: tuple[float, float], people: ManyTenants, case: Case, job: str, asked_again: str
) -> None:
    """The wait is from the refusal to the next try.

    While there was none: to the time before which there will be none.
    """
    until, late = people.until(case.tenant, job), 0.0
    if case.lane:
        until, late = people.happened(asked_again, "released", 2)[1].at, LATE
    elif case.state == "accepted" or until is None:
        until, late = people.happened(job, "begun")[0].at, LATE

    [refused] = people.happened(job, "released")
    assert waits[0] * (1 - RECORDED_LATE) <= (until - refused.at).total_seconds() <= waits[1] + late


def test_while_they_wait_another_mailbox_sends_at_once(hall: Hall) -> None:
    hall.many_tenants.settled(hall.many_tenants.remind("calm", "somebody"), "accepted")


def test_no_refused_token_cost_a_request_to_gmail_and_nobody_got_two(hall: Hall) -> None:
    people = hall.many_tenants
    moment = people.at_one_moment([*hall.jobs.values(), *hall.bystanders.values()])

    for case in CASES:
        for job in (hall.jobs[case.name], hall.bystanders[case.name]):
            status = moment.views[job]
            accepted = status.state == "accepted"
            assert (moment.posts[job], len(status.attempts), moment.copies[job]) == (
                accepted,
                accepted,
                accepted,
            ), case.name
        if case.lane:
            assert not people.posts(case.tenant), case.name


def test_what_needs_the_operator_is_said_in_the_log_with_the_remedy(hall: Hall) -> None:
    lines = (hall.many_tenants.deployment.data_dir / "worker.log").read_text().splitlines()
    said_so = [json.loads(line) for line in lines if '"level": "error"' in line]
    assert {line["code"] for line in said_so} == {
        case.code for case in CASES if case.state == "scheduled"
    } - {"token_unavailable"}
    assert all(line["remedy"] for line in said_so)
    assert not [line for line in lines if "Traceback" in line]
