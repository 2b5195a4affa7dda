"""JSON that others wrote: read strictly, and what is wrong with it in our own words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certmail_config.base.json_text import NotJson, decode, read_object
from support.data.sentences import foreign

WRONG = [
    ('{"to":"a@x.example","to":"b@x.example"}', 'the member "to" is there twice'),
    ('{"to":1,"\\u0074o":2}', 'the member "to" is there twice'),
    ('{"a":{"b":[{"c":1,"c":1}]}}', 'the member "c" is there twice'),
    ('{"\\ud800\\n":1,"\\ud800\\n":2}', 'the member "\ufffd\ufffd" is there twice'),
    ('{"' + "x" * 500 + '":1,"' + "x" * 500 + '":2}', "…"),
    ("\ufeff{}", "byte order mark"),
    ('{"pending":' + "9" * 5000 + "}", "a number has too many digits"),
    ('{"pending":1e999}', "a number is larger than any that can be kept"),
    ('{"pending":-1e999}', "a number is larger than any that can be kept"),
    ('{"pending":NaN}', "NaN is no JSON number"),
    ('{"pending":-Infinity}', "-Infinity is no JSON number"),
    ("[" * 200_000, "in one another too many times"),
    ('{"a":' * 200_000, "in one another too many times"),
    ("", "a value is missing (line 1, column 1)"),
    ('{"a":1,\n}', "(line 2, column 1)"),
    ('{"a" 1}', "a colon is missing"),
    ('{"a":"\x01"}', "control character"),
    ('{"a":"\\x"}', "a backslash"),
    ('{"a":"\\u12"}', "its four digits"),
    ("{} {}", "something follows after the end"),
    ("{'a':1}", "a name in double quotes is missing"),
    ('{"a":"b', "does not end"),
    *((text, "it does not begin with {") for text in ("[]", "null", "7", '"x"', "true")),
]


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[str(n) for n in range(len(WRONG))])
def test_what_is_wrong_is_said_in_our_own_words(text: str, said: str) -> None:
    with pytest.raises(NotJson) as raised:
        read_object(text)
    assert said in raised.value.why
    assert not foreign(raised.value.why)
    assert len(raised.value.why) < 200
    assert raised.value.why.isprintable()
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"{\xff}", "byte 1 is wrong"), (b"\xff\xfe{\x00}\x00", "it looks like UTF-16")],
)
def test_bytes_that_are_no_text_are_said_to_be_none(body: bytes, said: str) -> None:
    with pytest.raises(NotJson) as raised:
        decode(body)
    assert said in raised.value.why
    assert not foreign(raised.value.why)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_every_object_is_read_as_it_is(value: dict[str, object]) -> None:
    assert read_object(json.dumps(value)) == value


@given(st.text() | st.text().map('{{"a":{}}}'.format))
def test_any_text_is_an_object_or_said_to_be_none(text: str) -> None:
    assert not foreign(outcome(text))


def outcome(text: str) -> str:
    try:
        return str(type(read_object(text)))
    except NotJson as error:
        return error.why
