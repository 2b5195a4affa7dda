"""Counting the record and telling what changed in it, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from certmail_config.jobs.states import State
from certmail_config.sql import tables, totals
from certmail_config.sql.changes import BEGINNING, Changes, StreamPosition, read_changes, since
from certmail_config.sql.deliveries import Filter, read_page
from certmail_config.sql.engine import open_database
from certmail_config.sql.history import read_history
from certmail_config.sql.totals import (
    Totals,
    count_campaigns,
    count_deliveries,
    count_uncertain,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)


def delivery(
    job: str, tenant: str, campaign: str | None, state: State, **more: Any
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "job": job, "tenant": tenant, "connection": "c", "kind": "reminder", "campaign": campaign,
        "recipient": f"{job}@people.example", "state": state, "held": False, "possible_duplicate": False,
        "enqueued_at": NOON, "expires_at": NOON + timedelta(days=14), "updated_at": NOON,
    }  # fmt: skip
    return made | more


DELIVERIES = [
    delivery("a1", "acme", "q4", State.ACCEPTED, updated_at=NOON + timedelta(minutes=5)),
    delivery("a2", "acme", "q4", State.ACCEPTED, possible_duplicate=True),
    delivery(
        "a3", "acme", "q4", State.UNCERTAIN, held=True, enqueued_at=NOON - timedelta(minutes=1)
    ),
    delivery("a4", "acme", "q3", State.FAILED),
    delivery("a5", "acme", None, State.READY),
    delivery("g1", "globex", "q4", State.EXPIRED),
]


@pytest.fixture
def engine(ready_database: str) -> Iterator[Engine]:
    engine = open_database(ready_database)
    with engine.begin() as db:
        db.execute(insert(tables.deliveries), DELIVERIES)
    yield engine
    engine.dispose()


class TestTotals:
    def test_all_are_counted_by_state_and_by_what_is_to_be_done(self, engine: Engine) -> None:
        states = {
            State.READY: 1,
            State.UNCERTAIN: 1,
            State.ACCEPTED: 2,
            State.FAILED: 1,
            State.EXPIRED: 1,
        }

        with engine.connect() as db:
            assert count_deliveries(db, Filter()) == Totals(
                6, states, held=1, possible_duplicates=1
            )

    def test_the_uncertain_are_counted_that_nobody_has_decided_about(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        doubt = State.UNCERTAIN
        more = [
            delivery("a6", "acme", "q4", doubt, held=True, decided_by="ann"),
            delivery("a7", "acme", "q4", doubt),
            delivery("g2", "globex", "q4", doubt),
        ]
        with engine.begin() as db:
            db.execute(insert(tables.deliveries), [{"decided_by": None, **row} for row in more])
            assert count_uncertain(db) == (1, 2)

            monkeypatch.setattr(totals, "UNCERTAIN_MAX", 2)
            assert sum(count_uncertain(db)) == 2, "whatever there is, it takes no longer than that"

    @pytest.mark.parametrize(
        ("wanted", "total"),
        [
            (Filter(tenant="acme"), 5),
            (Filter(campaign="q4"), 4),
            (Filter(tenant="acme", state=State.ACCEPTED), 2),
            (Filter(recipient="A1@people.example"), 1),
            (Filter(since=NOON), 5),
            (Filter(until=NOON), 1),
            (Filter(tenant="nobody"), 0),
        ],
        ids=str,
    )
    def test_what_is_asked_for_is_counted_and_nothing_else(
        self, engine: Engine, wanted: Filter, total: int
    ) -> None:
        with engine.connect() as db:
            assert count_deliveries(db, wanted).total == total

    def test_only_of_the_tenants_that_may_be_seen(self, engine: Engine) -> None:
        with engine.connect() as db:
            assert count_deliveries(db, Filter(), {"globex"}).total == 1
            assert count_deliveries(db, Filter(), set()).total == 0


class TestCampaigns:
    def test_each_is_counted_with_its_first_and_last_moment(self, engine: Engine) -> None:
        with engine.connect() as db:
            page = count_campaigns(db, Filter())
        assert [(each.tenant, each.campaign, each.totals.total) for each in page.campaigns] == [
            ("acme", "q3", 1),
            ("acme", "q4", 3),
            ("globex", "q4", 1),
        ]

        q4 = page.campaigns[1]
        assert (q4.enqueued_at, q4.updated_at) == (
            NOON - timedelta(minutes=1),
            NOON + timedelta(minutes=5),
        )
        assert q4.totals == Totals(
            3, {State.UNCERTAIN: 1, State.ACCEPTED: 2}, held=1, possible_duplicates=1
        )
        assert not page.more

    def test_page_by_page_each_is_there_once(self, engine: Engine) -> None:
        seen: list[tuple[str, str]] = []
        after, more = None, True
        with engine.connect() as db:
            while more:
                page = count_campaigns(db, Filter(), after=after, limit=1)
                seen += [(each.tenant, each.campaign) for each in page.campaigns]
                after, more = seen[-1], page.more
        assert seen == [("acme", "q3"), ("acme", "q4"), ("globex", "q4")]

    def test_only_of_the_tenants_that_may_be_seen(self, engine: Engine) -> None:
        with engine.connect() as db:
            page = count_campaigns(db, Filter(campaign="q4"), {"globex"})
            assert [each.tenant for each in page.campaigns] == ["globex"]
            assert count_campaigns(db, Filter(tenant="nobody")).campaigns == ()


class TestRequests:
    def test_a_delivery_says_what_came_of_the_request_that_counts_and_when_it_left_if_it_may_have(
        self, engine: Engine
    ) -> None:
        def tried(job: str, n: int, outcome: str | None, **more: Any) -> dict[str, Any]:
            told = {
                "http_status": None,
                "google_reason": None,
                "gmail_id": None,
                "latency_ms": None,
            }
            begun_at = NOON + timedelta(seconds=n)
            return {"job": job, "n": n, "begun_at": begun_at, "outcome": outcome} | told | more

        with engine.begin() as db:
            made = [
                tried("a1", 1, "not_sent", http_status=503),
                tried("a1", 2, "accepted", http_status=200, gmail_id="g1", latency_ms=80),
                tried("a1", 3, "not_sent", http_status=500),
                tried("a4", 1, "not_sent", http_status=429, google_reason="rateLimitExceeded"),
                tried("a4", 2, "rejected", http_status=400, google_reason="invalidArgument"),
                tried("a3", 1, "unknown"),
                tried("a3", 2, "rejected", http_status=403, google_reason="accessNotConfigured"),
            ]
            db.execute(insert(tables.attempts), made)
            rows = {row["job"]: row for row in read_page(db, Filter()).rows}
        shown = ("attempts", "left_at", "http_status", "google_reason", "gmail_id", "latency_ms")
        assert [[rows[job][name] for name in shown] for job in ("a1", "a4", "a3", "a5")] == [
            [3, NOON + timedelta(seconds=2), 200, None, "g1", 80],
            [2, None, 400, "invalidArgument", None, None],
            [2, NOON + timedelta(seconds=1), 403, "accessNotConfigured", None, None],
            [0, None, None, None, None, None],
        ]


def event(ms: int, kind: str, job: str | None, tenant: str | None, **data: str) -> dict[str, Any]:
    at = datetime.fromtimestamp(ms / 1000, UTC)
    told = {"stream_ms": ms, "stream_n": 0, "type": kind, "at": at, "tenant": tenant, "job": job}
    return told | {"data": json.dumps(data)}


EVENTS = [
    event(NOON_MS, "enqueued", "a1", "acme", state="ready", campaign="q4", reason=""),
    event(NOON_MS + 1, "opened", None, "acme", connection="c"),
    event(NOON_MS + 2, "enqueued", "g1", "globex", state="ready", campaign="q4"),
    event(NOON_MS + 3, "begun", "a1", "acme", state="sending"),
    event(NOON_MS + 4, "looked", "a1", "acme"),
    event(
        NOON_MS + 5,
        "settled",
        "a1",
        "acme",
        state="uncertain",
        held="1",
        reason="answer_lost: by the line",
    ),
    event(NOON_MS + 6, "resent", "a1", "acme", state="ready", possible_duplicate="1"),
]


class TestChanges:
    @pytest.fixture
    def engine(self, engine: Engine) -> Engine:
        with engine.begin() as db:
            db.execute(insert(tables.events), EVENTS)
        return engine

    def states(self, changes: Changes) -> list[tuple[str, str]]:
        return [(each.job, each.state) for each in changes.found]

    def test_each_state_is_told_in_order_with_why_and_of_which_campaign(
        self, engine: Engine
    ) -> None:
        with engine.connect() as db:
            changes = read_changes(db, BEGINNING, {"acme"})
        told = [(each.state, each.campaign, each.reason, each.held) for each in changes.found]
        assert told == [
            ("ready", "q4", None, False),
            ("sending", "q4", None, False),
            ("uncertain", "q4", "answer_lost: by the line", True),
            ("ready", "q4", None, False),
        ]

        assert changes.found[-1].possible_duplicate
        assert (changes.position, changes.more) == (StreamPosition(NOON_MS + 6, 0), False)

    @pytest.mark.parametrize("limit", [1, 2, 100])
    @pytest.mark.parametrize("max_events", [1, 3, 100])
    def test_page_by_page_each_is_told_once(
        self, engine: Engine, limit: int, max_events: int
    ) -> None:
        seen: list[tuple[str, str]] = []
        after, more = BEGINNING, True

        with engine.connect() as db:
            while more:
                changes = read_changes(db, after, limit=limit, max_events=max_events)
                assert len(changes.found) <= limit
                seen += self.states(changes)
                after, more = changes.position, changes.more

        assert seen == [
            ("a1", "ready"), ("g1", "ready"), ("a1", "sending"), ("a1", "uncertain"), ("a1", "ready"),
        ]  # fmt: skip

    def test_whoever_has_read_all_is_told_what_comes_later(self, engine: Engine) -> None:
        with engine.begin() as db:
            end = read_changes(db, BEGINNING).position
            assert read_changes(db, end) == Changes((), end, more=False)
            db.execute(
                insert(tables.events),
                [event(NOON_MS + 9, "settled", "a1", "acme", state="accepted")],
            )
            assert self.states(read_changes(db, end)) == [("a1", "accepted")]

    def test_since_a_time_is_from_its_very_millisecond(self, engine: Engine) -> None:
        with engine.connect() as db:
            at = NOON + timedelta(milliseconds=5)
            assert self.states(read_changes(db, since(at))) == [
                ("a1", "uncertain"),
                ("a1", "ready"),
            ]
            assert read_changes(db, since(datetime(1, 1, 1, tzinfo=UTC))) == read_changes(
                db, BEGINNING
            )


class TestHistory:
    def test_what_happened_to_a_tenant_is_told_with_who_did_it(self, engine: Engine) -> None:
        told = [
            event(
                1, "opened", None, "acme", connection="c", version="2", by="ann on the command line"
            ),
            event(2, "enqueued", "a1", "acme", state="ready"),
            event(3, "opened", None, "globex", connection="d", by=""),
            event(
                4,
                "suspended",
                None,
                "acme",
                connection="c",
                code="key_unknown",
                message="No.\nDo it.",
            ),
            event(5, "paused", None, "acme", reason="by bob"),
        ]

        with engine.begin() as db:
            db.execute(insert(tables.events), told)
            found = read_history(db, "acme")
            assert len(read_history(db, "acme", limit=2)) == 2

        assert [(each.type, each.connection, each.reason, each.by) for each in found] == [
            ("paused", None, "by bob", "certmail"),
            ("suspended", "c", "key_unknown: No. Do it.", "certmail"),
            ("opened", "c", None, "ann on the command line"),
        ]
