"""The small language: what it does, as Jinja's own sandbox would, and all that it refuses."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from certmail_config.templates.language import (
    Form,
    Number,
    OutOfBounds,
    Program,
    TemplateRefused,
    Value,
    Values,
    Variable,
    compiled,
)

SCOPE = {
    "campaign": Variable(Form.TEXT, "its name"),
    "name": Variable(Form.TEXT, "the reviewer's"),
    "pending": Variable(Form.NUMBER, "open decisions"),
    "items": Variable(Form.LIST, "what is open", {"name": Form.TEXT, "note": Form.TEXT}),
}
VALUES: Values = {
    "campaign": "Q4 <b>",
    "name": "",
    "pending": Number(1200, "1,200"),
    "items": [{"name": "SAP"}, {"name": "Jira", "note": "admin"}],
}


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("as it is, { with } braces", "as it is, { with } braces"),
        ("{{ campaign }}: {{ pending }} left", "Q4 <b>: 1,200 left"),
        ("{{ name | default('you') }}{# nobody reads this #}", "you"),
        ("{{ campaign | short(3) }}", "Q4…"),
        ("{% if pending > 3 and not name %}many{% else %}few{% endif %}", "many"),
        ("{% if pending == 1 %}a{% elif campaign == 'Q4 <b>' %}b{% endif %}", "b"),
        (
            "{% for i in items %}{{ i.name }}{% if i.note %}*{% endif %}{% if not loop.last %}, {% endif %}{% endfor %}",
            "SAP, Jira*",
        ),
        ("{{ pending | plural(one='decision', other='decisions') }}", "decisions"),
        ("{% raw %}{{ campaign }}{% endraw %}", "{{ campaign }}"),
    ],
)
def test_writes(source: str, written: str) -> None:
    assert compiled(source, SCOPE).text(VALUES) == written


def test_what_is_nothing_is_written_as_nothing() -> None:
    program = compiled("[{{ name }}{{ pending }}{% for i in items %}x{% endfor %}]", SCOPE)

    assert program.text({}) == "[]"
    assert compiled("{% if pending != 3 %}other{% endif %}", SCOPE).text({}) == "other"


def test_what_came_from_a_variable_is_told_from_the_source() -> None:
    pieces = compiled("On {{ campaign }}", SCOPE).pieces(VALUES)

    assert [(str(each), isinstance(each, Value)) for each in pieces] == [
        ("On ", False),
        ("Q4 <b>", True),
    ]


def test_plural_forms_are_those_of_the_language() -> None:
    source = "{{ pending | plural(one='decyzja', few='decyzje', other='decyzji') }}"
    program = compiled(source, SCOPE, "pl")

    shown = [program.text({"pending": Number(n, str(n))}) for n in (1, 3, 5)]
    assert shown == ["decyzja", "decyzje", "decyzji"]
    assert program.hints == ("line 1: `plural` lacks a form that Polish has: many.",)


ATTACKS = {
    "{{ ''.__class__.__mro__ }}": "the attribute `__mro__` cannot stand here",
    "{{ campaign.__class__ }}": "the attribute `__class__` cannot stand here",
    "{{ campaign['x'] }}": "an index cannot stand here",
    "{{ campaign[:3] }}": "an index cannot stand here",
    "{{ campaign | attr('__class__') }}": "there is no filter `attr`",
    "{{ items | map(attribute='__class__') }}": "`items` is a list: go through it with `for`",
    "{{ campaign.format(1) }}": "a call cannot stand here",
    "{{ range(10**9) }}": "a call cannot stand here",
    "{% for i in range(10**9) %}x{% endfor %}": "`for` goes through a list by its name",
    "{{ 'x' * 10**9 }}": "arithmetic cannot stand here",
    "{{ 9 ** 9 ** 9 }}": "arithmetic cannot stand here",
    "{{ campaign ~ campaign }}": "`~` cannot stand here",
    "{{ '%999999999d' % 1 }}": "arithmetic cannot stand here",
    "{{ 'text' }}": "a text or number by itself cannot stand here",
    "{% include 'letter.html' %}": "an include cannot stand here",
    "{% import 'x' as x %}": "an import cannot stand here",
    "{% from 'x' import y %}": "an import cannot stand here",
    "{% extends 'x' %}": "`extends` cannot stand here",
    "{% block x %}{% endblock %}": "a block cannot stand here",
    "{% macro x() %}{% endmacro %}": "a macro cannot stand here",
    "{% call x() %}{% endcall %}": "a call cannot stand here",
    "{% set x = 1 %}": "`set` cannot stand here",
    "{% set x %}y{% endset %}": "`set` cannot stand here",
    "{% with x = 1 %}{% endwith %}": "`with` cannot stand here",
    "{% filter upper %}x{% endfilter %}": "a filter over a block cannot stand here",
    "{% autoescape false %}{% endautoescape %}": "`autoescape` cannot stand here",
    "{% do x %}": "there is no tag `do`",
    "{% break %}": "there is no tag `break`",
    "{{ campaign is callable }}": "an `is` cannot stand here",
    "{{ campaign if name else name }}": "an `if` inside of {{ }} cannot stand here",
    "{{ [campaign] }}": "a list cannot stand here",
    "{{ {'a': 1} }}": "a table cannot stand here",
    "{{ items }}": "`items` is a list: go through it with `for`",
    "{{ loop.cycle(1) }}": "a call cannot stand here",
    "{% if campaign in items %}{% endif %}": "a comparison is one of",
    "{% if 1 < pending < 3 %}{% endif %}": "a text or number by itself cannot stand here",
    "{% if pending < 1 < 3 %}{% endif %}": "a comparison is one of",
    "{% if campaign < 3 %}{% endif %}": "`campaign` is a text, to be compared with a text",
    "{% if loop.first %}{% endif %}": "`loop` is there inside of `for` only",
    "{% for i in items recursive %}{% endfor %}": "a `for` with `if` or `recursive`",
    "{% for a, b in items %}{% endfor %}": "`for` gives each entry one name",
    "{% for campaign in items %}{% endfor %}": "`campaign` is the name of something else",
    "{% for i in items %}{{ i }}{% endfor %}": "`i` is an entry; it has: i.name, i.note",
    "{% for i in items %}{{ i.nam }}{% endfor %}": "i has no `nam`; did you mean `name`",
    "{% for a in items %}{% for b in items %}{% for c in items %}{% endfor %}{% endfor %}{% endfor %}": "more than 2 `for`",
    "{% if name %}" * 7 + "{% endif %}" * 7: "more than 6 tags stand in one another",
    "{{ campaign | short(999999999) }}": "the filter short takes one number from 2 to 1,000",
    "{{ campaign | default(name) }}": "a filter takes only what is written out",
    "{{ campaign | default('\\u202e') }}": "a filter takes only what is written out",
    "{{ campaign | plural(other='x') }}": "the filter plural takes a number, and this is a text",
    "{{ pending | plural(one='x') }}": "the filter plural needs a form for all else",
    "{{ " + "(" * 4000 + "name" + ")" * 4000 + " }}": "too much stands in one another",
    "{% if " + "not " * 3900 + "name %}{% endif %}": "too much stands in one another",
    "{% if " + " or ".join(["name"] * 20) + " %}{% endif %}": "more than 8 conditions",
    "{{ " + "9" * 9000 + " }}": "a number that nobody can count to",
    "{{ name }}" * 1001: "more than 1,000 parts",
    "x" * 16_001: "longer than 16,000 characters",
    "a\u202eb": "a character that nobody sees (U+202E)",
    "a\x00b": "a character that nobody sees (U+0000)",
    "{{ campaign": "this cannot be read",
    "{% if name %}": "this cannot be read",
}


@pytest.mark.parametrize(("source", "sentence"), ATTACKS.items(), ids=range(len(ATTACKS)))
def test_an_attack_is_refused_with_a_sentence(source: str, sentence: str) -> None:
    begun = time.process_time()
    with pytest.raises(TemplateRefused) as refused:
        compiled(source, SCOPE)

    assert sentence in str(refused.value)
    assert time.process_time() - begun < 2


def test_a_mistake_says_its_line_and_what_there_is() -> None:
    with pytest.raises(TemplateRefused) as refused:
        compiled("Dear {{ name }},\n\n{{ campain }}\n{{ x }}", SCOPE)

    assert [each.line for each in refused.value.faults] == [3, 4]
    assert refused.value.faults[0].message == (
        "there is no variable `campain`; did you mean `campaign`? "
        "There are: campaign, items, name, pending."
    )


def test_what_is_written_has_a_bound() -> None:
    program = compiled(
        "{% for a in items %}{% for b in items %}{{ b.name }}{% endfor %}{% endfor %}", SCOPE
    )
    values = {"items": [{"name": "x" * 50}] * 10}

    assert len(program.text(values)) == 5_000
    with pytest.raises(OutOfBounds, match="more than may stand there"):
        program.text(values, 4_999)
    with pytest.raises(OutOfBounds, match="5,000 steps"):
        program.text({"items": [{"name": ""}] * 100})


_SANDBOX = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
)
# Ours also takes what is empty for nothing.
_SANDBOX.filters["default"] = lambda value, instead: value or instead
_FRAGMENT = st.sampled_from(
    [
        "{{ campaign }}",
        "{{ name }}",
        "{{ pending }}",
        "{{ campaign | default('x') }}",
        "\n",
        "words ",
    ]
)
_CONDITION = st.sampled_from(
    ["name", "not campaign", "pending > 2", "pending == 0 or name", "items and name != 'x'"]
)
_SOURCE = st.recursive(
    _FRAGMENT,
    lambda inner: (
        st.lists(inner, max_size=4).map("".join)
        | st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, _CONDITION, inner, inner)
        | st.builds("{{% if {} %}}\n{}\n{{% endif %}}".format, _CONDITION, inner)
        | inner.map(lambda words: f"{{% for i in items %}}{{{{ i.name }}}}{words}{{% endfor %}}")
    ),
    max_leaves=8,
)
_TEXT = st.text(max_size=8)


@settings(max_examples=60, deadline=None)
@given(_SOURCE, _TEXT, _TEXT, st.integers(0, 5), st.lists(_TEXT, max_size=3))
def test_it_writes_what_jinjas_own_sandbox_writes(
    source: str, campaign: str, name: str, pending: int, items: list[str]
) -> None:
    program = _read(source)
    if isinstance(program, TemplateRefused):  # a `for` in another by the same name, or too deep
        return

    entries = [{"name": each} for each in items]
    values: dict[str, Any] = {"campaign": campaign, "name": name, "items": entries}
    expected = _SANDBOX.from_string(source).render(values | {"pending": pending})
    assert program.text(values | {"pending": Number(pending, str(pending))}) == expected


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.sampled_from("{}%#()[]'\"|.,:=<>*+-~ \n_abinotrf019 é\u202e\ud800"), max_size=120)
)
@example("{{ campaign | default('")
def test_anything_at_all_is_read_or_refused(source: str) -> None:
    found = _read(source)

    if isinstance(found, TemplateRefused):
        assert all(each.line >= 1 and each.message for each in found.faults)
        assert found.faults
    else:
        found.text(VALUES)


def _read(source: str) -> Program | TemplateRefused:
    try:
        return compiled(source, SCOPE)
    except TemplateRefused as refused:
        return refused
