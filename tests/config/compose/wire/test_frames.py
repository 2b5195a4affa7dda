"""A frame gives what its page would, had the values been in it from the beginning."""

from email.message import EmailMessage

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from certmail_config.compose.wire.bodies import Body
from certmail_config.compose.wire.frames import frame, gap
from certmail_config.compose.wire.quoting import quoted
from support.data.email_message import _WIRE, _transfer_encoding

NAMES = ["link.url", "name", "footer.0"]
WORDS = st.text("ab =é漢🚀%.<\"'{}-", max_size=160).map(str.strip)
LINES = st.lists(WORDS | st.sampled_from([gap(name) for name in NAMES]), max_size=5).map("".join)
PAGES = st.lists(LINES.map(str.rstrip), max_size=6).map("\n".join).map("{}.".format)


def judged(page: str) -> Body:
    """What the standard library makes of a page."""
    mail = EmailMessage(policy=_WIRE)
    mail.set_content(page, cte=_transfer_encoding(page))
    wire = mail.as_bytes().split(b"\r\n\r\n", 1)[1].decode("ascii")
    return Body(mail["Content-Transfer-Encoding"], wire)


@settings(max_examples=150, deadline=None)
@given(page=PAGES, end=st.sampled_from(["", "\n"]), values=st.lists(WORDS, min_size=3, max_size=3))
@example("a" * 73 + gap("name"), "\n", ["é" * 9, "x", ""])
@example(gap("name") + "=" + gap("name"), "", ["é", "", ""])
@example("é" * 30 + gap("name"), "", ["a" * 299 + "b", "", ""])
def test_a_filled_frame_is_the_page_with_these_words(
    page: str, end: str, values: list[str]
) -> None:
    given_values = dict(zip(NAMES, values, strict=True))
    whole = page + end
    for name, value in given_values.items():
        whole = whole.replace(gap(name), value)
    # None of a page's lines ends in a blank of a value's.
    assume(all(line == line.rstrip() for line in whole.split("\n")))

    cut = frame(page + end)
    assert cut.filled([quoted(given_values[name]) for name in cut.names]) == judged(whole)


def test_a_value_stands_in_each_gap_of_its_name_and_is_asked_for_once() -> None:
    cut = frame(f"{gap('b')} and {gap('a')}\n\n{gap('b')}\n")
    assert cut.names == ("b", "a")
    assert cut.filled(["one", "two"]).wire == "one and two\r\n\r\none\r\n"


def test_no_value_begins_a_line_or_a_part() -> None:
    # None ever holds a line's end: each was cleaned before. If one did it would be shown.
    body = frame(f"{gap('a')}\n").filled([quoted("x\r\n--=_boundary--\ny")])
    assert body.wire == "x=0D=0A--=3D_boundary--=0Ay\r\n"


def test_a_blank_before_a_lines_end_is_one_that_servers_keep() -> None:
    assert frame("-- \n").filled(()).wire == "--=20\r\n"
