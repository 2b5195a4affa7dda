"""The recorder: each event of the ledger's stream once, whoever records and however often."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, func, select

from certmail_config.crypto.vault import Vault
from certmail_config.sql import registry, tables
from certmail_config.tenants.models import Connection, ConnectionState
from certmail_worker.recording.rows import Event
from certmail_worker.recording.writer import (
    START,
    CursorMovedError,
    read_cursor,
    read_position,
    write,
    write_position,
)
from support.data.events import NOW, at, begun, enqueued, happened, settled


def test_a_reminders_life_becomes_a_delivery_an_attempt_and_its_events(engine: Engine) -> None:
    write(
        engine,
        read_cursor(engine),
        [
            enqueued(1, to="Anna@People.example"),
            begun(2),
            settled(
                3,
                "accepted",
                "accepted",
                ended_at=NOW.isoformat(),
                http_status=200,
                gmail_id="g1",
                gmail_thread_id="t1",
                latency_ms=180,
                key_id="key of the worker",
                connection_version=7,
                template_version=3,
                locale="pt-BR",
                message_sha256="a" * 64,
                subject_sha256="b" * 64,
                composed_at=at(1).isoformat(),
                release="0.1.0 (c0ffee)",
            ),
        ],
    )

    with engine.connect() as db:
        delivery = db.execute(select(tables.deliveries)).mappings().one()
        attempt = db.execute(select(tables.attempts)).mappings().one()
        types = (
            db.execute(select(tables.events.c.type).order_by(tables.events.c.stream_ms))
            .scalars()
            .all()
        )

    assert (delivery["state"], delivery["recipient"], delivery["mailbox"]) == (
        "accepted",
        "anna@people.example",
        "reviews@acme.example",
    )
    assert dict(attempt) == {
        "job": "j",
        "n": 1,
        "worker": "w",
        "begun_at": at(2),
        "ended_at": NOW,
        "outcome": "accepted",
        "reason": "why",
        "http_status": 200,
        "google_reason": None,
        "latency_ms": 180,
        "gmail_id": "g1",
        "gmail_thread_id": "t1",
        "key_id": "key of the worker",
        "connection_version": 7,
        "template_version": 3,
        "locale": "pt-BR",
        "message_sha256": "a" * 64,
        "subject_sha256": "b" * 64,
        "composed_at": at(1),
        "release": "0.1.0 (c0ffee)",
    }

    assert types == ["enqueued", "begun", "settled"]
    assert read_cursor(engine) == "3-0"


def test_of_two_recorders_one_wins_and_nothing_is_written_twice(engine: Engine) -> None:
    cursor = read_cursor(engine)
    write(engine, cursor, [enqueued(1)])
    with pytest.raises(CursorMovedError):
        write(engine, cursor, [enqueued(1), begun(2)])
    assert read_cursor(engine) == "1-0"
    with engine.connect() as db:
        assert db.execute(select(func.count()).select_from(tables.events)).scalar_one() == 1
        assert db.execute(select(func.count()).select_from(tables.attempts)).scalar_one() == 0


def test_a_repair_moves_the_position_only_if_nobody_has_recorded_meanwhile(engine: Engine) -> None:
    was = read_position(engine)
    write(engine, was.cursor, [enqueued(1)])
    with pytest.raises(CursorMovedError):
        write_position(engine, was, replace(was, cursor="9-0"))
    assert read_cursor(engine) == "1-0"
    write_position(engine, read_position(engine), replace(was, cursor="9-0"))
    assert read_cursor(engine) == "9-0"


def test_a_batch_that_cannot_be_written_leaves_no_trace(engine: Engine) -> None:
    cursor = read_cursor(engine)
    with pytest.raises(Exception, match=r"FOREIGN KEY|UNIQUE|constraint"):
        write(engine, cursor, [enqueued(1), begun(1)])
    assert read_cursor(engine) == START
    with engine.connect() as db:
        assert db.execute(select(func.count()).select_from(tables.deliveries)).scalar_one() == 0


def test_what_is_told_twice_is_recorded_once(engine: Engine) -> None:
    """Producers and workers repeat a call on a restored server that had forgotten it."""
    events = [enqueued(1), begun(2), settled(3, "accepted", "accepted"), enqueued(4), begun(5)]
    write(engine, read_cursor(engine), events)
    with engine.connect() as db:
        assert db.execute(select(tables.deliveries.c.state)).scalars().all() == ["sending"]
        assert db.execute(select(tables.attempts.c.outcome)).scalars().all() == ["accepted"]


def test_news_of_a_reminder_that_the_record_never_heard_of_holds_nothing_up(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    write(engine, read_cursor(engine), [begun(1, job="never-enqueued"), enqueued(2)])
    assert read_cursor(engine) == "2-0"
    assert "deliveries_unknown" in caplog.text


def test_an_attempt_whose_worker_was_lost_is_unknown_until_it_is_known(engine: Engine) -> None:
    lost = {
        "job": "j",
        "tenant": "acme",
        "attempt": "1",
        "state": "uncertain",
        "reason": "worker_lost: …",
        "held": "1",
        "worker": "w",
    }

    write(engine, read_cursor(engine), [enqueued(1), begun(2), Event("3-0", "reaped", NOW, lost)])

    with engine.connect() as db:
        assert db.execute(select(tables.deliveries.c.state, tables.deliveries.c.held)).one() == (
            "uncertain",
            True,
        )
        assert db.execute(select(tables.attempts.c.outcome)).scalar_one() == "unknown"

    write(engine, "3-0", [settled(4, "accepted", "accepted", gmail_id="g1")])

    with engine.connect() as db:
        assert db.execute(select(tables.deliveries.c.state, tables.deliveries.c.held)).one() == (
            "accepted",
            False,
        )
        assert db.execute(select(tables.attempts.c.outcome)).scalar_one() == "accepted"


def test_later_news_of_an_attempt_leaves_what_it_does_not_say(engine: Engine) -> None:
    unknown = settled(
        3, "uncertain", "unknown", ended_at=NOW.isoformat(), http_status=503, latency_ms=90
    )
    by_hand = settled(
        4, "accepted", "accepted", reason="settled_by_hand: arrived according to ann", by_hand=True
    )
    write(engine, read_cursor(engine), [enqueued(1), begun(2), unknown, by_hand])
    with engine.connect() as db:
        attempt = db.execute(select(tables.attempts)).mappings().one()

    assert (attempt["outcome"], attempt["http_status"], attempt["latency_ms"]) == (
        "accepted",
        503,
        90,
    )
    assert (attempt["ended_at"], attempt["key_id"]) == (NOW, "key of the recorder")


@pytest.mark.parametrize(
    ("events", "by"),
    [
        pytest.param(
            [happened(2, "cancelled", "cancelled", "cancelled: by ann")], "by ann", id="called off"
        ),
        pytest.param(
            [begun(2), settled(3, "cancelled", "rejected", reason="cancelled: by ann")],
            "by ann",
            id="while sending",
        ),
        pytest.param(
            [
                begun(2),
                settled(
                    3, "accepted", "accepted", reason="settled_by_hand: arrived according to ann"
                ),
            ],
            "arrived according to ann",
            id="settled",
        ),
        pytest.param(
            [happened(2, "closed", "uncertain", "settled_by_hand: close according to ann")],
            "close according to ann",
            id="closed",
        ),
        pytest.param(
            [
                happened(2, "held", "uncertain", "cancelled: by ann"),
                settled(3, "accepted", "accepted", reason="verified: it is there"),
            ],
            "by ann",
            id="called off too late",
        ),
        pytest.param(
            [begun(2), settled(3, "failed", "rejected", reason="too_large: it is")],
            None,
            id="nobody",
        ),
    ],
)
def test_who_decided_stays_on_record(engine: Engine, events: list[Event], by: str | None) -> None:
    write(engine, read_cursor(engine), [enqueued(1), *events])
    with engine.connect() as db:
        assert db.execute(select(tables.deliveries.c.decided_by)).scalar_one() == by


def test_a_resend_is_marked_as_a_possible_duplicate_for_good(engine: Engine) -> None:
    fields = {
        "job": "j",
        "tenant": "acme",
        "state": "ready",
        "possible_duplicate": "1",
        "reason": "rule",
    }
    write(
        engine,
        read_cursor(engine),
        [
            enqueued(1),
            begun(2),
            settled(3, "uncertain", "unknown"),
            Event("4-0", "resent", NOW, fields),
        ],
    )
    write(engine, "4-0", [begun(5, attempt=2), settled(6, "accepted", "accepted", attempt=2)])

    with engine.connect() as db:
        assert db.execute(
            select(tables.deliveries.c.state, tables.deliveries.c.possible_duplicate)
        ).one() == ("accepted", True)
        assert db.execute(select(func.count()).select_from(tables.attempts)).scalar_one() == 2


def test_a_suspension_is_an_event_without_a_job(engine: Engine) -> None:
    write(
        engine,
        read_cursor(engine),
        [suspended(1)],
    )
    with engine.connect() as db:
        assert db.execute(select(tables.events.c.job, tables.events.c.tenant)).one() == (
            None,
            "acme",
        )


def suspended(n: int, connection: str = "c", version: int = 1) -> Event:
    fields = {
        "connection": connection,
        "tenant": "acme",
        "version": str(version),
        "code": "grant_revoked",
    }
    return Event(
        f"{n}-0", "suspended", NOW, fields | {"message": "It was withdrawn.\nLink it again."}
    )


class TestSuspensions:
    """What delivery found out about a connection reaches SQL by its event."""

    @pytest.fixture
    def connection(self, engine: Engine) -> Connection:
        with engine.begin() as db:
            _, draft = registry.add_tenant(db, Vault([("k", b"k" * 32)]), "acme", NOW)
            return registry.save_connection(db, replace(draft, state=ConnectionState.ACTIVE))

    def found(self, engine: Engine, connection: Connection) -> Connection:
        with engine.connect() as db:
            return registry.get_connection(db, connection.id)

    def test_it_says_what_is_wrong_what_to_do_and_since_when(
        self, engine: Engine, connection: Connection
    ) -> None:
        write(engine, read_cursor(engine), [suspended(1, connection.id, connection.version)])
        assert self.found(engine, connection) == replace(
            connection,
            state=ConnectionState.ATTENTION,
            code="grant_revoked",
            message="It was withdrawn.",
            remedy="Link it again.",
            refused_since=NOW,
        )

    def test_late_news_of_the_account_before_breaks_nothing(
        self, engine: Engine, connection: Connection
    ) -> None:
        write(engine, read_cursor(engine), [suspended(1, connection.id, connection.version - 1)])
        assert self.found(engine, connection) == connection

    @pytest.mark.parametrize("state", [ConnectionState.DISABLED, ConnectionState.PENDING])
    def test_what_a_person_decided_stays(
        self, engine: Engine, connection: Connection, state: ConnectionState
    ) -> None:
        with engine.begin() as db:
            decided = registry.save_connection(db, replace(connection, state=state))
        write(engine, read_cursor(engine), [suspended(1, connection.id, decided.version)])
        assert self.found(engine, connection) == decided
