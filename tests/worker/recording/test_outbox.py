"""What endpoints are told is written with the event, once, and in no more words than it may hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, select

from certmail_config.jobs.states import State
from certmail_config.sql import tables
from certmail_config.sql.webhooks.endpoints import Endpoint, add_endpoint
from certmail_config.webhooks.catalogue import DATA, REMINDER_TYPES, WebhookType
from certmail_config.webhooks.health import EndpointState, Health
from certmail_worker.recording.outbox import code_in, sequences_of, type_of
from certmail_worker.recording.rows import Event
from certmail_worker.recording.writer import CursorMovedError, read_cursor, write
from support.data.events import NOW, begun, enqueued, happened, settled


def endpoint(engine: Engine, id_: str, *tenants: str, types: Sequence[str] = "*") -> None:
    with engine.begin() as db:
        add_endpoint(
            db,
            Endpoint(
                id=id_,
                name=id_,
                url="https://hooks.example.com/",
                tenants=frozenset(tenants),
                types=frozenset(types),
                secret=b"sealed",
                health=Health(EndpointState.ACTIVE),
                version=1,
                created_at=NOW,
            ),
        )


def record(engine: Engine, *events: Event) -> None:
    write(engine, read_cursor(engine), events)


def kept(engine: Engine) -> list[tuple[str, str, dict[str, Any]]]:
    table = tables.webhook_messages
    query = select(table.c.endpoint, table.c.type, table.c.body)
    with engine.begin() as db:
        rows = db.execute(query.order_by(table.c.ms, table.c.n, table.c.endpoint)).all()
    return [(row.endpoint, row.type, json.loads(row.body)) for row in rows]


ACCEPTED = settled(3, "accepted", "accepted", reason="", gmail_id="g")


def test_an_outcome_is_told_to_whoever_wants_it_with_ids_and_times_only(engine: Engine) -> None:
    endpoint(engine, "all", "*")
    endpoint(engine, "ours", "acme")
    endpoint(engine, "others", "globex")
    endpoint(engine, "failures", "acme", types=["reminder.failed"])
    record(engine, enqueued(1), begun(2), ACCEPTED)

    told = kept(engine)
    assert [(who, kind) for who, kind, _ in told] == [
        ("all", "reminder.accepted"),
        ("ours", "reminder.accepted"),
    ]
    assert (
        told[0][2]
        == told[1][2]
        == {
            "type": "reminder.accepted",
            "version": 1,
            "timestamp": "2026-11-23T09:00:03.000Z",
            "data": {
                "tenant": "acme",
                "reminder": "j",
                "state": "accepted",
                "sequence": 3,
                "reason": None,
                "held": False,
                "possible_duplicate": False,
            },
        }
    )


def test_who_asks_for_a_tenant_and_for_all_is_told_once(engine: Engine) -> None:
    endpoint(engine, "both", "acme", "*")
    record(engine, enqueued(1), ACCEPTED)
    assert len(kept(engine)) == 1


def test_the_later_of_two_events_has_the_greater_sequence_in_whatever_batch(engine: Engine) -> None:
    endpoint(engine, "e", "*")
    record(engine, enqueued(1), begun(2), enqueued(3, "k"), settled(4, "uncertain", "unknown"))
    record(engine, happened(5, "cancelled", "cancelled", "cancelled: by ann", "k"))
    record(engine, settled(6, "accepted", "accepted"), begun(7, 2))

    sequences = [
        (body["data"]["reminder"], body["data"]["sequence"]) for _, _, body in kept(engine)
    ]
    assert sequences == [("j", 3), ("k", 2), ("j", 4)]


def test_sequences_count_what_the_record_holds() -> None:
    events = [begun(7, 2), begun(8, 3, "k"), settled(9, "failed", "rejected", 2)]
    assert sequences_of(events, {"j": 5}, {"j"}) == {"7-0": 4, "9-0": 5}


def test_words_of_a_reason_are_told_to_nobody() -> None:
    assert code_in("message_rejected: Invalid To header: anna@people.example") == "message_rejected"
    assert code_in("its time passed while it waited") is None
    assert code_in("Anna@people.example: refused") is None
    assert code_in("") is None


def test_what_is_recorded_twice_is_told_once(engine: Engine) -> None:
    endpoint(engine, "e", "*")
    cursor = read_cursor(engine)
    write(engine, cursor, [enqueued(1), ACCEPTED])
    with pytest.raises(CursorMovedError):
        write(engine, cursor, [enqueued(1), ACCEPTED])
    assert len(kept(engine)) == 1


def test_what_is_not_recorded_is_not_told(engine: Engine) -> None:
    endpoint(engine, "e", "*")
    with pytest.raises(Exception, match=r"UNIQUE|unique|constraint"):
        write(engine, read_cursor(engine), [enqueued(1), ACCEPTED, ACCEPTED])
    assert kept(engine) == []


def test_an_endpoint_that_is_removed_meanwhile_holds_up_no_record(engine: Engine) -> None:
    """Its messages have no foreign key: they are forgotten later."""
    endpoint(engine, "e", "*")
    record(engine, enqueued(1), ACCEPTED)
    with engine.begin() as db:
        db.execute(delete(tables.webhook_subscriptions))
        db.execute(delete(tables.webhook_endpoints))
    record(engine, enqueued(4, "k"), settled(5, "accepted", "accepted", job="k"))
    assert len(kept(engine)) == 1


def test_where_nobody_wants_to_be_told_one_question_more_is_asked_of_a_batch(
    engine: Engine,
) -> None:
    heard: list[str] = []

    def note(_db: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    record(engine, enqueued(1), begun(2))
    assert not [each for each in heard if "webhook" in each]
    record(engine, ACCEPTED)
    assert [each[:8] for each in heard if "webhook" in each] == ["SELECT s"]


LANE = {"connection": "c", "tenant": "acme", "version": "4"}


@pytest.mark.parametrize(
    ("happening", "told"),
    [
        (enqueued(1), None),
        (begun(1), None),
        (enqueued(1, state="suppressed"), WebhookType.REMINDER_SUPPRESSED),
        (settled(1, "ready", "not_sent"), None),
        (happened(1, "reaped", "uncertain", "worker_lost: …"), WebhookType.REMINDER_UNCERTAIN),
        (happened(1, "restored", "accepted", ""), None),
        (happened(1, "restored", "uncertain", ""), WebhookType.REMINDER_UNCERTAIN),
        (Event("1-0", "suspended", NOW, LANE), WebhookType.CONNECTION_ATTENTION),
        (Event("1-0", "opened", NOW, LANE), WebhookType.CONNECTION_ACTIVE),
        (Event("1-0", "paused", NOW, {"tenant": "acme"}), None),
    ],
)
def test_what_is_told_as_what(happening: Event, told: WebhookType | None) -> None:
    assert type_of(happening) is told


def test_every_state_at_which_a_reminder_can_rest_is_told() -> None:
    resting = {"accepted", "uncertain", "failed", "cancelled", "suppressed", "expired"}
    assert set(REMINDER_TYPES) == resting <= {str(state) for state in State}
    assert set(DATA) == set(WebhookType)


def test_news_of_connections(engine: Engine) -> None:
    endpoint(engine, "e", "acme")
    ends = LANE | {"not_after": "2026-12-02T15:20:00+00:00", "days": "7"}
    stops = LANE | {"code": "grant_revoked", "message": "Ann has withdrawn it.\nAsk her."}
    record(
        engine,
        Event("1-0", "suspended", NOW, stops),
        Event("2-0", "opened", NOW, LANE | {"by": "ann"}),
        Event("3-0", "certificate_expiring", NOW, ends),
    )

    of = {"tenant": "acme", "connection": "c", "version": 4}
    assert [(kind, body["data"]) for _, kind, body in kept(engine)] == [
        ("connection.attention", of | {"code": "grant_revoked"}),
        ("connection.active", of | {"code": None}),
        ("connection.certificate_expiring", of | {"not_after": ends["not_after"], "days": 7}),
    ]
