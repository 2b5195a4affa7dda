"""When a connection is looked at again by itself, and of what is warned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from certmail_config.base.ids import ConnectionId
from certmail_config.sql.registry import ConnectionHealth
from certmail_config.tenants.models import ConnectionKind, ConnectionState
from certmail_worker.services.check_schedule import CheckSchedule, needs_checks, warning_days

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
OWNED = ConnectionHealth(
    ConnectionId("c"),
    "acme",
    1,
    ConnectionKind.CUSTOMER_OWNED_APP,
    ConnectionState.ATTENTION,
    "delegation_missing",
    NOW + timedelta(days=100),
    rotating=False,
    linked=False,
    refused=False,
)
LINKED = replace(
    OWNED,
    kind=ConnectionKind.SERVICE_PROVIDER_APP,
    code="grant_revoked",
    not_after=None,
    linked=True,
)


class TestNeedsChecks:
    @pytest.mark.parametrize("state", [ConnectionState.ATTENTION, ConnectionState.PENDING])
    def test_a_service_account_that_does_not_work_yet_is_one(self, state: ConnectionState) -> None:
        assert needs_checks(replace(OWNED, state=state))

    def test_so_is_one_that_works_while_its_certificates_are_rotated(self) -> None:
        working = replace(OWNED, state=ConnectionState.ACTIVE)
        assert not needs_checks(working)
        assert needs_checks(replace(working, rotating=True))

    @pytest.mark.parametrize("given", ["OWNED", "LINKED"])
    def test_so_is_one_that_works_and_was_refused_once(self, given: str) -> None:
        working = replace(
            OWNED if given == "OWNED" else LINKED, state=ConnectionState.ACTIVE, code=None
        )
        assert not needs_checks(working)
        assert needs_checks(replace(working, refused=True))

    def test_a_linked_account_is_one_only_with_a_token_that_may_work_again(self) -> None:
        assert needs_checks(LINKED)
        assert not needs_checks(replace(LINKED, linked=False))
        assert not needs_checks(replace(LINKED, state=ConnectionState.PENDING))

    @pytest.mark.parametrize("given", [OWNED, LINKED])
    def test_what_a_person_switched_off_is_none(self, given: ConnectionHealth) -> None:
        assert not needs_checks(replace(given, state=ConnectionState.DISABLED))

    def test_a_draft_is_none(self) -> None:
        assert not needs_checks(replace(OWNED, kind=None, state=ConnectionState.DRAFT))


class TestCheckSchedule:
    def looks(self, health: ConnectionHealth, seconds: int) -> list[int]:
        schedule = CheckSchedule()
        return [now for now in range(seconds) if schedule.due([health], float(now))]

    def test_what_may_be_spreading_is_looked_at_after_half_a_minute_and_then_ever_less_often(
        self,
    ) -> None:
        first, second, third, *more = self.looks(OWNED, 6 * 3600)
        assert 30 <= first <= 36
        assert 60 <= second - first <= 66
        assert 120 <= third - second <= 126
        assert 3600 <= more[-1] - more[-2] <= 3606

    def test_what_a_person_must_mend_is_left_in_peace_for_longer(self) -> None:
        first, second, *_ = self.looks(LINKED, 3600)
        assert 300 <= first <= 361
        assert 600 <= second - first <= 661

    def test_our_own_trouble_is_looked_at_most_often(self) -> None:
        first, *more = self.looks(replace(LINKED, code="vault_key_missing"), 3 * 3600)
        assert 15 <= first <= 21
        assert 600 <= more[-1] - more[-2] <= 606

    def test_other_trouble_that_may_pass_sooner_is_not_left_to_wait(self) -> None:
        schedule = CheckSchedule()
        assert not schedule.due([LINKED], 0)
        assert schedule.due([LINKED], 400)
        ours = replace(LINKED, code="vault_key_missing")
        assert not schedule.due([ours], 401)
        assert schedule.due([ours], 425)

    def test_what_breaks_again_and_again_is_not_new_trouble_each_time(self) -> None:
        """Opened by a look and stopped by the next reminder, it is looked at no more often."""
        schedule, healthy = CheckSchedule(), replace(OWNED, state=ConnectionState.ACTIVE)
        looks = [
            now
            for now in range(3600)
            if schedule.due([OWNED if now % 20 < 10 else healthy], float(now))
        ]
        assert len(looks) <= 7


def test_each_certificate_that_is_to_take_over_is_looked_for_from_the_start() -> None:
    schedule, rotating = (
        CheckSchedule(),
        replace(OWNED, state=ConnectionState.ACTIVE, code=None, rotating=True),
    )
    looks = [now for now in range(3600) if schedule.due([rotating], float(now))]
    assert len(looks) > 3
    again = replace(rotating, not_after=NOW + timedelta(days=200))
    assert not schedule.due([again], 3600.0)
    assert schedule.due([again], 3640.0)


class TestWarnings:
    @pytest.mark.parametrize(
        ("left", "days"),
        [
            (31.0, None),
            (30.0, 30),
            (8.0, 30),
            (7.0, 7),
            (1.1, 7),
            (1.0, 1),
            (0.01, 1),
            (0.0, None),
            (-3.0, None),
        ],
    )
    def test_30_7_and_1_days_before(self, left: float, days: int | None) -> None:
        assert warning_days(NOW + timedelta(days=left), NOW) == days
