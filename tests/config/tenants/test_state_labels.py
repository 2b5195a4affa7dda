"""One word for each state, whoever says it."""

from __future__ import annotations

from certmail.gateway.console.texts import STATES
from certmail_config.tenants.models import ConnectionState
from certmail_config.tenants.state_labels import EXPLAINED, WORDS


def test_every_state_has_a_word_of_its_own() -> None:
    assert set(WORDS) == set(ConnectionState)
    assert len(set(WORDS.values())) == len(ConnectionState)
    assert "`disabled`: suspended" in EXPLAINED


def test_the_console_calls_them_the_same_in_the_same_order() -> None:
    assert [(state, name) for state, (_, name) in STATES.items()] == [
        (state, word.capitalize()) for state, word in WORDS.items()
    ]
