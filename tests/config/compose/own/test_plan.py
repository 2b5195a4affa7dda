"""A block as it is written into each mail: what of it is remembered, and what is not."""

from __future__ import annotations

import pytest

from certmail_config.compose.language.catalogue import catalogue
from certmail_config.compose.own.plan import BlockPlan
from certmail_config.templates.blocks import Block
from certmail_config.templates.language import Number, OutOfBounds, Plain, Values
from certmail_config.templates.variables import OF_ITS_READER, SAMPLES, scope_of

ENGLISH = catalogue("en")


def plan(source: str, block: Block = Block.ASK, kind: str = "reminder") -> BlockPlan:
    return BlockPlan.of(block, f"en/{kind}/{block}", source)


def said(made: BlockPlan, values: Values) -> list[str]:
    return [line.value for line in made.lines(ENGLISH, values)]


def test_what_is_remembered_is_said_again_only_where_all_that_it_names_is_the_same() -> None:
    made = plan("{{ campaign }}: {% if pending > 1 %}{{ pending }}{% endif %}")
    values: dict[str, Plain] = {"campaign": "Q4", "pending": Number(12, "12"), "name": "Ann"}
    lines = made.lines(ENGLISH, values)
    assert made.lines(ENGLISH, values | {"name": "Ben", "due": "soon"}) is lines

    assert said(made, values | {"pending": Number(1, "1")}) == ["Q4:"]
    assert said(made, values | {"campaign": "Q3"}) == ["Q3: 12"]
    assert said(plan("{{ campaign }}"), values) == ["Q4"], "another version's"


@pytest.mark.parametrize(
    "source",
    [
        "{{ name }}",
        "{% if name %}x{% endif %}",
        "{% if not (pending and name == 'Ann') %}x{% endif %}",
        "{% for item in items %}x{% endfor %}",
        "x" * 451,
    ],
)
def test_what_names_the_reader_or_is_long_is_not_remembered(source: str) -> None:
    made, values = plan(source), SAMPLES["rich"]
    assert not made.remembered
    first, second = made.lines(ENGLISH, values), made.lines(ENGLISH, values)
    assert first == second
    assert first is not second


def test_a_block_that_writes_too_much_says_so_each_time() -> None:
    made = plan("{{ campaign }}" * 20, Block.HEADLINE)
    for _ in range(2):
        with pytest.raises(OutOfBounds):
            made.lines(ENGLISH, {"campaign": "Quarterly review of access"})
    assert said(made, {"campaign": "Q4"}) == ["Q4" * 20]


def test_what_is_the_readers_is_a_variable_of_some_kind() -> None:
    kinds = ("reminder", "escalation", "digest", "custom")
    assert set().union(*map(scope_of, kinds)) > OF_ITS_READER
