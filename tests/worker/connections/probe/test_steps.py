"""What a checklist makes of a connection.

The newest knowledge wins, and one refusal stops nothing that works.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from certmail_config.base.ids import ConnectionId
from certmail_config.google.checklist import Step
from certmail_config.google.token_errors import Blame
from certmail_config.tenants.models import Connection, ConnectionKind, ConnectionState
from certmail_worker.connections.probe.steps import (
    REMEMBERED,
    concluded,
    failed,
    passed,
    until_confirmed,
)

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
CONFIRM = 60.0
WORKS = Connection(
    ConnectionId("c"),
    "acme",
    "default",
    kind=ConnectionKind.CUSTOMER_OWNED_APP,
    state=ConnectionState.ACTIVE,
)
SEEN = passed("certificate", "certificate_seen", "Google lists it.")
ACCEPTED = passed("service account", "key_accepted", "Google accepts it.")
REFUSED = failed("token to send", "delegation_missing", "Google refuses.", "Authorise it.")
AWAY = failed("token to send", "token_unavailable", "Google is away.", "Later.", Blame.NOBODY)
OURS = failed("clock", "clock_wrong", "The clock is off.", "Set it.", Blame.OPERATOR)


def after(connection: Connection, *steps: Step, seconds: float = 0) -> Connection:
    return concluded(connection, steps, NOW + timedelta(seconds=seconds), CONFIRM)


class TestOneThatWorks:
    def test_goes_on_after_one_refusal_and_stops_when_it_is_refused_again_later(self) -> None:
        once = after(WORKS, SEEN, REFUSED)
        assert (once.state, once.code, once.refused_since) == (ConnectionState.ACTIVE, None, NOW)
        assert after(once, SEEN, REFUSED, seconds=CONFIRM - 1) == once
        twice = after(once, SEEN, REFUSED, seconds=CONFIRM)
        assert (twice.state, twice.code) == (ConnectionState.ATTENTION, "delegation_missing")

    def test_forgets_a_refusal_when_it_is_seen_to_work(self) -> None:
        assert after(after(WORKS, REFUSED), SEEN, ACCEPTED).refused_since is None

    def test_forgets_one_that_nobody_looked_at_again_for_long(self) -> None:
        late = REMEMBERED.total_seconds() + 1
        found = after(after(WORKS, REFUSED), REFUSED, seconds=late)
        assert (found.state, found.refused_since) == (
            ConnectionState.ACTIVE,
            NOW + timedelta(seconds=late),
        )

    def test_stops_at_once_for_what_certmail_knows_by_itself(self) -> None:
        ended = failed("certificate dates", "certificate_expired", "It ended.", "Make another.")
        assert after(WORKS, ended).code == "certificate_expired"
        assert until_confirmed(ended, WORKS, NOW, CONFIRM) == ended

    @pytest.mark.parametrize("step", [AWAY, OURS])
    def test_does_not_mind_trouble_of_others(self, step: Step) -> None:
        assert after(WORKS, SEEN, step) == WORKS

    def test_is_said_to_go_on_until_then(self) -> None:
        kept = until_confirmed(REFUSED, WORKS, NOW, CONFIRM)
        assert "goes on until Google refuses it again" in kept.message
        mail = failed(
            "test mail", "mailbox_without_gmail", "Google says: not enabled", "Enable it."
        )
        kept = until_confirmed(mail, WORKS, NOW, CONFIRM)
        assert kept.message.startswith(
            "Google says: not enabled. Reminders are tried all the same until"
        )

        refused = replace(WORKS, refused_since=NOW - timedelta(seconds=CONFIRM))
        assert until_confirmed(REFUSED, refused, NOW, CONFIRM) == REFUSED
        assert until_confirmed(AWAY, WORKS, NOW, CONFIRM) == AWAY


class TestOneThatDoesNotWork:
    def test_has_the_newest_trouble_at_once(self) -> None:
        pending = replace(WORKS, state=ConnectionState.PENDING)
        assert after(pending, SEEN, REFUSED).code == "delegation_missing"
        other = after(
            pending, failed("certificate", "certificate_not_uploaded", "No.", "Upload it.")
        )
        assert after(other, SEEN, REFUSED, seconds=1).code == "delegation_missing"

    def test_has_each_trouble_since_it_was_first_seen(self) -> None:
        pending = replace(WORKS, state=ConnectionState.PENDING)
        first = after(
            pending, failed("certificate", "certificate_not_uploaded", "No.", "Upload it.")
        )
        then = after(first, SEEN, REFUSED, seconds=300)
        assert then.refused_since == NOW + timedelta(seconds=300)
        assert after(then, SEEN, REFUSED, seconds=400).refused_since == then.refused_since

    @pytest.mark.parametrize(
        ("code", "steps"),
        [
            ("certificate_not_uploaded", [SEEN, AWAY]), ("certificate_not_uploaded", [SEEN, OURS]), ("key_unknown", [SEEN, ACCEPTED, AWAY]),
            ("certificate_expired", [passed("certificate dates", "certificate_valid", "Valid."), AWAY]),
            ("delegation_missing", [SEEN, passed("token to send", "token_granted", "Yes."), AWAY]),
            ("grant_revoked", [passed("token to send", "token_granted", "Yes."), AWAY]),
        ],
    )  # fmt: skip
    def test_keeps_none_that_a_step_has_disproved(self, code: str, steps: list[Step]) -> None:
        troubled = WORKS.failing(code, "It was so.", "Do it.", since=NOW)
        found = after(troubled, *steps, seconds=5)
        assert (found.state, found.code) == (ConnectionState.ATTENTION, steps[-1].code)
        assert found.remedy == steps[-1].remedy

    @pytest.mark.parametrize(
        "code", ["delegation_missing", "api_disabled", "scope_missing", "token_refused"]
    )
    def test_keeps_one_that_none_has_disproved(self, code: str) -> None:
        troubled = WORKS.failing(code, "It was so.", "Do it.", since=NOW)
        assert after(troubled, SEEN, ACCEPTED, AWAY, seconds=5) == troubled
