"""What the keeper counts, and how it is kept: pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from certmail_config.base.ids import ConnectionId
from certmail_config.ledger.survey import LaneSample, Use
from certmail_config.metrics.table import TABLE, Source
from certmail_config.sql.registry import ConnectionHealth
from certmail_config.status.monitoring.samples import (
    LEDGER,
    MAX_BYTES,
    OTHER,
    RecordSample,
    read_sample,
    tally_lanes,
    tally_record,
    write_sample,
)
from certmail_config.tenants.models import ConnectionKind, ConnectionState

NOW = 2_000_000_000.0
TODAY = datetime(2026, 11, 27, tzinfo=UTC)


def use(key: str, minute: float = 0.5, day: float = 0.5, *, cooling: bool = False) -> Use:
    return Use(key, minute, day, cooling)


def lane(tenant: str, ready: int = 1, scheduled: int = 0, **more: object) -> LaneSample:
    given = {
        "state": "open",
        "first_at": NOW - 60,
        "mailbox": use(f"m-{tenant}"),
        "project": use("p"),
    } | more
    return LaneSample(tenant=tenant, ready=ready, scheduled=scheduled, **given)  # type: ignore[arg-type]


def health(state: ConnectionState, days: float | None = None) -> ConnectionHealth:
    ends = None if days is None else TODAY + timedelta(days=days)
    kind = ConnectionKind.CUSTOMER_OWNED_APP
    flags = {"rotating": False, "linked": False, "refused": False}
    return ConnectionHealth(
        id=ConnectionId("c"), tenant="acme", version=1, kind=kind, state=state, code=None,
        not_after=ends, **flags,
    )  # fmt: skip


class TestLanes:
    def test_the_tenants_with_the_most_are_named_and_all_others_are_one(self) -> None:
        lanes = [lane(f"t{n}", ready=n, scheduled=2 * n) for n in range(1, 1001)]
        found = tally_lanes(lanes, NOW, named=3)["certmail_jobs_waiting"]
        assert {tenant for tenant, _ in found} == {"t1000", "t999", "t998", OTHER}
        assert (found["t1000", "ready"], found["t1000", "scheduled"]) == (1000, 2000)
        assert sum(found.values()) == 3 * 1000 * 1001 / 2

    def test_nobody_is_named_where_nobody_is_to_be(self) -> None:
        found = tally_lanes([lane("acme"), lane("globex")], NOW, named=0)
        assert found["certmail_jobs_waiting"] == {(OTHER, "ready"): 2, (OTHER, "scheduled"): 0}
        assert found["certmail_jobs_waiting_age_seconds"] == {(OTHER,): 60}

    def test_the_age_is_of_what_is_first_in_an_open_lane(self) -> None:
        lanes = [
            lane("acme", first_at=NOW - 50),
            lane("acme", first_at=NOW - 70),
            lane("globex", state="suspended", first_at=NOW - 9000),
            lane("initech", ready=0, first_at=None),
        ]
        found = tally_lanes(lanes, NOW, named=5)["certmail_jobs_waiting_age_seconds"]
        assert found == {("acme",): 70, ("globex",): 0, (OTHER,): 0}

    def test_what_is_ready_is_told_by_what_its_lane_does(self) -> None:
        lanes = [
            lane("a", ready=1),
            lane("b", ready=2, mailbox=use("b", cooling=True)),
            lane("c", ready=3, project=use("p2", cooling=True)),
            lane("d", ready=4, mailbox=use("d", day=1.0)),
            lane("e", ready=5, state="suspended"),
            lane("f", ready=6, state="paused"),
            lane("g", ready=7, state="of a later version"),
        ]
        found = tally_lanes(lanes, NOW, named=0)["certmail_jobs_ready"]
        assert found == {
            ("open",): 1, ("cooling",): 5, ("day_full",): 4, ("suspended",): 12, ("paused",): 6,
        }  # fmt: skip

    def test_of_limits_the_most_used_counts_and_shared_ones_count_once(self) -> None:
        lanes = [
            lane("a", mailbox=use("m", 0.2, 0.9, cooling=True)),
            lane("b", mailbox=use("m", 0.2, 0.9, cooling=True)),
            lane("c", mailbox=use("n", 0.7, 0.1)),
        ]
        found = tally_lanes(lanes, NOW, named=0)
        assert found["certmail_cooling"] == {("mailbox",): 1, ("project",): 0}
        assert found["certmail_quota_minute_used_ratio"] == {("mailbox",): 0.7, ("project",): 0.5}
        assert found["certmail_quota_day_used_ratio"] == {("mailbox",): 0.9, ("project",): 0.5}

    def test_without_lanes_all_of_it_is_nothing(self) -> None:
        found = tally_lanes([], NOW, named=20)
        assert {value for of in found.values() for value in of.values()} == {0}


class TestRecord:
    def test_connections_and_certificates_are_counted_by_what_they_are(self) -> None:
        state = ConnectionState
        given = [health(state.ACTIVE, days) for days in (-1, 0.5, 1, 3, 7, 20, 30, 31, 365)] + [
            health(state.ATTENTION),
            health(state.DISABLED, -100),
        ]
        found = tally_record(RecordSample(given, 4, 5, 6, {"tenants": 7}), TODAY)

        assert found["certmail_connections"][state.ACTIVE,] == 9
        assert found["certmail_connections"][state.ATTENTION,] == 1
        assert found["certmail_connections"][state.DRAFT,] == 0
        assert found["certmail_certificates"] == {
            ("over",): 1, ("day",): 2, ("week",): 2, ("month",): 2, ("later",): 2,
        }  # fmt: skip
        assert found["certmail_certificate_end_seconds"] == {(): -86_400}
        assert found["certmail_jobs_uncertain"] == {("yes",): 4, ("no",): 5}
        assert found["certmail_events_set_aside"] == {(): 6}
        assert found["certmail_working_copy_behind"] == {("tenants",): 7}

    def test_without_certificates_none_ends(self) -> None:
        found = tally_record(RecordSample([], 0, 0, 0, {}), TODAY)
        assert "certmail_certificate_end_seconds" not in found

    def test_campaigns_are_late_from_when_the_next_was_to_be_planned(self) -> None:
        late = RecordSample([], 0, 0, 0, {}, unplannable=2, plan_due=TODAY - timedelta(minutes=5))
        found = tally_record(late, TODAY)
        assert found["certmail_campaigns_unplannable"] == {(): 2}
        assert found["certmail_campaign_plan_late_seconds"] == {(): 300}
        for due in (None, TODAY + timedelta(minutes=5)):
            found = tally_record(RecordSample([], 0, 0, 0, {}, plan_due=due), TODAY)
            assert found["certmail_campaign_plan_late_seconds"] == {(): 0}


class TestKeeping:
    def test_what_was_counted_is_what_is_read(self) -> None:
        lanes = tally_lanes([lane("acme", 3, 4), lane("globex", 5)], NOW, named=1)
        record = tally_record(RecordSample([health(ConnectionState.ACTIVE, 9)], 1, 2, 3, {}), TODAY)
        for values in (lanes, record):
            found = read_sample(LEDGER, write_sample(values, NOW).encode())
            assert found is not None
            assert (found.of, found.at, found.values) == (LEDGER, NOW, values)

    def test_all_that_the_table_says_is_counted(self) -> None:
        hooks = {"active": 2, "disabled": 1}
        record = RecordSample([health(ConnectionState.ACTIVE, 9)], 1, 2, 3, {"tenants": 0}, hooks)
        found = tally_lanes([lane("acme")], NOW, named=1) | tally_record(record, TODAY)
        assert set(found) == {metric.name for metric in TABLE[Source.SAMPLE]}

    @pytest.mark.parametrize(
        "text",
        [
            b"", b"{", b"[]", b"\xff", b"{}", b'{"at":1}', b'{"at":"x","values":{}}',
            b'{"at":1,"values":[]}', b'{"at":NaN,"values":{}}',
            b'{"at":1,"values":{"certmail_cooling":[["mailbox"]]}}',
            b'{"at":1,"values":{"certmail_cooling":[[1,1]]}}',
            b'{"at":1,"values":{"certmail_cooling":[["a","b",1]]}}',
            b'{"at":1,"values":{"certmail_cooling":[["a",Infinity]]}}',
            b'{"at":1,"values":{"certmail_cooling":7}}',
            b"[" * 100_000, b" " * (MAX_BYTES + 1), None,
        ],
    )  # fmt: skip
    def test_anything_else_is_no_sample(self, text: bytes | None) -> None:
        assert read_sample(LEDGER, text) is None

    def test_what_it_does_not_know_is_left_out(self) -> None:
        values = {"certmail_cooling": [["mailbox", 1]], "certmail_of_later": [[1]], "up": [[1]]}
        found = read_sample(LEDGER, json.dumps({"at": NOW, "values": values}).encode())
        assert found is not None
        assert found.values == {"certmail_cooling": {("mailbox",): 1}}
