"""One turn of the sender in SQL: bounded, fair among endpoints, and read by its index."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from certmail_config.admin.admin import Admin
from certmail_config.admin.webhooks import endpoints as webhooks
from certmail_config.sql import registry, tables
from certmail_config.sql.webhooks.endpoints import get_endpoint, note_health
from certmail_config.sql.webhooks.messages import add_message, forget_messages
from certmail_config.webhooks.catalogue import WebhookType
from certmail_config.webhooks.health import is_gone
from certmail_worker.webhooks.queue import ENDPOINTS, PER_ENDPOINT, take_turn

NOW = datetime(2026, 11, 25, 15, 20, tzinfo=UTC)
MANY = ENDPOINTS + 20


@pytest.fixture
def many(admin: Admin) -> list[str]:
    """So many endpoints, each of a tenant of its own."""
    found = []
    with admin.db() as db:
        for n in range(MANY):
            registry.add_tenant(db, admin.vault, f"t{n}", NOW)
    for n in range(MANY):
        made, _ = webhooks.add_webhook(admin, "https://hooks.example.com/", tenants=[f"t{n}"])
        found.append(made.id)
    return found


def wait(admin: Admin, *ids: str, at: datetime = NOW) -> None:
    """Let one more message wait for each."""
    with admin.db() as db:
        add_message(db, ids, WebhookType.WEBHOOK_DISABLED, at, {"webhook": "w", "code": "gone"})


def test_turns_go_round_however_many_endpoints_there_are(admin: Admin, many: list[str]) -> None:
    wait(admin, *many)
    first = take_turn(admin.engine, admin.vault, NOW, after="", room=200, under_way={})
    assert len(first.work) == ENDPOINTS
    second = take_turn(admin.engine, admin.vault, NOW, after=first.after, room=200, under_way={})
    assert second.after == ""
    taken = [each.taken.endpoint for each in (*first.work, *second.work)]
    assert sorted(taken) == sorted(many)


def test_no_endpoint_takes_more_than_its_places_nor_all_together_more_than_there_are(
    admin: Admin, many: list[str]
) -> None:
    for _ in range(12):
        wait(admin, *many[:3])
    under_way = {many[0]: 3, many[1]: PER_ENDPOINT}
    turn = take_turn(admin.engine, admin.vault, NOW, after="", room=200, under_way=under_way)
    assert Counter(each.taken.endpoint for each in turn.work) == {
        many[0]: PER_ENDPOINT - 3,
        many[2]: PER_ENDPOINT,
    }
    turn = take_turn(
        admin.engine, admin.vault, NOW, after="", room=2, under_way={many[0]: PER_ENDPOINT}
    )
    assert len(turn.work) == 2


def test_what_is_not_due_is_not_taken_and_where_nobody_is_told_it_rests(admin: Admin) -> None:
    turn = take_turn(admin.engine, admin.vault, NOW, after="", room=9, under_way={})
    assert turn.idle
    made, _ = webhooks.add_webhook(admin, "https://hooks.example.com/", tenants=["*"])
    wait(admin, made.id, at=NOW + timedelta(seconds=1))
    turn = take_turn(admin.engine, admin.vault, NOW, after="", room=9, under_way={})
    assert (turn.work, turn.idle) == ([], False)


def test_messages_are_forgotten_in_their_time_and_so_is_what_is_nobodys(admin: Admin) -> None:
    made, _ = webhooks.add_webhook(admin, "https://hooks.example.com/", tenants=["*"])
    for days in range(4):
        wait(admin, made.id, "nobody", at=NOW + timedelta(days=days))

    def left() -> dict[str, int]:
        table = tables.webhook_messages
        with admin.db() as db:
            rows = db.execute(select(table.c.endpoint, func.count()).group_by(table.c.endpoint))
            return {id_: count for id_, count in rows}  # noqa: C416

    before = NOW + timedelta(days=2)
    with admin.db() as db:
        assert forget_messages(db, before, limit=3) == 3
    assert left() == {made.id: 2, "nobody": 3}
    with admin.db() as db:
        assert forget_messages(db, before, limit=500) == 3
    assert left() == {made.id: 2}


def test_of_senders_that_read_the_same_state_one_brings_it_into_another(
    admin: Admin, many: list[str]
) -> None:
    with admin.db() as db:
        before = get_endpoint(db, many[0])
    after = replace(before, health=is_gone(before.health, datetime.now(UTC)))

    with admin.db() as first:
        assert note_health(first, before, after)
    with admin.db() as second:
        assert not note_health(second, before, after), "it has to look again"
        assert get_endpoint(second, many[0]).health == after.health


def test_what_is_due_is_found_by_an_index(admin: Admin) -> None:
    """However much was delivered, or waits for later."""
    query = (
        "SELECT ms FROM webhook_messages WHERE endpoint = 'e' AND state = 'waiting' AND due_at <= "
        "'2026-11-25' ORDER BY due_at LIMIT 8"
    )
    with admin.db() as db:
        if admin.engine.dialect.name == "sqlite":
            plan = " ".join(str(row) for row in db.execute(text(f"EXPLAIN QUERY PLAN {query}")))
        else:
            db.execute(text("SET LOCAL enable_seqscan = off"))
            plan = " ".join(str(row) for row in db.execute(text(f"EXPLAIN {query}")))
    assert "ix_webhook_messages_endpoint_state_due_at" in plan
