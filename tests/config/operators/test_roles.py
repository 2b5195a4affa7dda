"""Roles: each with all that the ones before it may do."""

from __future__ import annotations

from certmail_config.operators.roles import OperatorRole


def test_each_covers_itself_and_those_before_it() -> None:
    viewer, operator, admin = OperatorRole
    covered = {
        role: {needed for needed in OperatorRole if role.covers(needed)} for role in OperatorRole
    }
    assert covered == {
        viewer: {viewer},
        operator: {viewer, operator},
        admin: {viewer, operator, admin},
    }
