"""Passwords of operators: what a hash costs, and what it gives away."""

from __future__ import annotations

import pytest

from certmail_config.base.errors import WrongUse
from certmail_config.operators import passwords
from certmail_config.operators.passwords import (
    check_password,
    fits,
    hash_password,
    is_of_todays_cost,
    new_password,
)

PASSWORD = "correct horse battery"


def test_a_hash_costs_what_owasp_asks_for_at_least() -> None:
    assert (passwords.MEMORY_KIB, passwords.ITERATIONS, passwords.LANES) >= (19_456, 2, 1)
    assert hash_password(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_hash_fits_its_password_only_and_is_another_each_time() -> None:
    hashed = hash_password(PASSWORD)
    assert fits(PASSWORD, hashed)
    assert not fits(PASSWORD + ".", hashed)
    assert not fits("", hashed)
    assert hash_password(PASSWORD) != hashed


def test_without_a_hash_nothing_fits() -> None:
    assert not fits(PASSWORD, None)
    assert not fits("", None)


def test_a_hash_of_another_cost_still_fits_and_is_known_as_one() -> None:
    older = hash_password(PASSWORD, iterations=1)
    assert fits(PASSWORD, older)
    assert not is_of_todays_cost(older)
    assert is_of_todays_cost(hash_password(PASSWORD))


@pytest.mark.parametrize(
    "password", ["", "short", "x" * 1025, "with a\nline of its own", "\0" * 20]
)
def test_what_nobody_should_choose_is_refused(password: str) -> None:
    with pytest.raises(WrongUse, match="12 to 1024"):
        check_password(password)


def test_what_is_made_up_may_be_used_and_is_never_the_same() -> None:
    made = {check_password(new_password()) for _ in range(50)}
    assert len(made) == 50
