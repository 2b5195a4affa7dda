"""Roles: each with all that the ones before it may do."""

from __future__ import annotations

import pytest

from certmail_config.operators.hidden_address import hidden_address
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


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ann@acme.com", "a•••@acme.com"),
        ("a@acme.com", "•••@acme.com"),
        ("“ann b”@acme.com", "“•••@acme.com"),
        ("nobody", "•••"),
        ("", "•••"),
    ],
)
def test_an_address_is_hidden_but_for_its_domain(address: str, shown: str) -> None:
    assert hidden_address(address) == shown
