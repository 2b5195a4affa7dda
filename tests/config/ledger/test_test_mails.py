"""Test mails pass the meters of the mailbox as reminders do.

They leave a connection once a minute at most.
"""

from __future__ import annotations

import pytest

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.ledger import pause, run, spend, spend_message
from support.machine.clocked_ledger import ClockedLedger


def trial(ledger: ClockedLedger, nonce: str, lane: str = "a") -> str | None:
    return run(ledger.redis, spend_message(ConnectionId(lane), nonce=nonce, clock=ledger.now))


def test_one_leaves_a_connection_in_a_minute(ledger: ClockedLedger) -> None:
    assert trial(ledger, "1") is None
    assert trial(ledger, "1") is None, "a command that was repeated on its way is paid once"
    assert trial(ledger, "2") == "tested"
    assert run(ledger.redis, spend(ConnectionId("a"), 100, nonce="3", clock=ledger.now)), (
        "but for looking"
    )
    ledger.lane("b")
    assert trial(ledger, "4", "b") is None, "another connection has its own minute"
    ledger.now += 61
    assert trial(ledger, "5") is None


def test_it_counts_in_the_mailboxs_day_and_not_beyond_it(ledger: ClockedLedger) -> None:
    ledger.lane("a", mailbox="m", per_day=2)
    ledger.lane("b", mailbox="m", per_day=2)
    assert trial(ledger, "1") is None
    ledger.enqueue("j")
    ledger.enqueue("k")
    ledger.now += 2
    assert len(ledger.dispatch().jobs) == 1, "of two a day one is spent"
    ledger.now += 61
    assert trial(ledger, "2", "b") == "day", "by whichever connection"
    assert int(ledger.redis.hget(redis_keys.DAY + "m", "total") or 0) == 2


@pytest.mark.parametrize("name", ["*", "acme"])
def test_none_leaves_while_sending_is_paused(ledger: ClockedLedger, name: str) -> None:
    run(ledger.redis, pause(name, on=True, reason="for now", clock=ledger.now))
    assert trial(ledger, "1") == "paused"
    run(ledger.redis, pause(name, on=False, reason="go on", clock=ledger.now))
    assert trial(ledger, "1") is None


def test_a_lane_that_is_not_open_yet_may_be_tried_out(ledger: ClockedLedger) -> None:
    ledger.lane("new", opened=False)
    assert trial(ledger, "1", "new") is None
    assert trial(ledger, "2", "unknown") == "unknown"
