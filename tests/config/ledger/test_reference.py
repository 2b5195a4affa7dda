"""The ledger's reference in the repository is the one that the code would write."""

from __future__ import annotations

from pathlib import Path

from certmail_config.base import redis_keys
from certmail_config.jobs.states import TRANSITIONS, State
from certmail_config.ledger.reference import reference
from certmail_config.ledger.script import SHARED, lua_files

REFERENCE = Path(__file__).parents[3] / "docs" / "ledger.md"
SCRIPTS = lua_files().keys() - set(SHARED)


def test_the_reference_is_up_to_date() -> None:
    assert REFERENCE.read_text("utf-8") == reference()


def test_it_names_every_state_script_and_key() -> None:
    text = reference()
    assert all(f"| `{state}` |" in text for state in State)
    assert all(f"### {name}\n" in text for name in SCRIPTS)
    named = [
        value
        for name, value in vars(redis_keys).items()
        if name.isupper() and str(value).startswith(redis_keys.TAG + ":")
    ]
    assert len(named) > 25
    assert all(f"| `{name}` |" in text for name in named)


def test_every_script_of_the_table_exists() -> None:
    assert TRANSITIONS.keys() <= SCRIPTS


def test_every_header_says_what_it_takes_and_gives() -> None:
    for part in reference().split("### ")[1:]:
        name, header = part.split("```")[:2]
        assert "KEYS " in header, name
        assert "ARGV " in header, name
        assert "Gives" in header, name
