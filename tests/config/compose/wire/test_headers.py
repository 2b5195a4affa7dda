from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from certmail_config.compose.language.clean import line
from certmail_config.compose.wire.headers import mailbox_header, text_header

ADDRESS = "maria.lopez@emea.acme.example"
WORDS = (
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=90)
    .map(line)
    .filter(bool)
)
NASTY = st.text('aé漢,;:<>()[]"\\@.=?_ -', min_size=1, max_size=90).map(line).filter(bool)


def wire(header: str) -> str:
    raw = header.encode("ascii")
    assert max(len(part) for part in raw.split(b"\r\n")) <= 76
    # EmailMessage as judge finds this header alone: nothing of it became another header, or a body.
    judged = message_from_bytes(raw + b"\r\n", policy=policy.default)
    assert judged.keys() == [header.partition(":")[0]]
    assert not judged.get_payload()
    return raw.decode("ascii").split(": ", 1)[1].replace("\r\n", "")


def decoded(value: str) -> str:
    return str(make_header(decode_header(value)))


@settings(deadline=None)
@given(st.one_of(WORDS, NASTY))
@example("Reminder: =?utf-8?q?hello?= x")
@example("x" * 70 + " é")
@example("x" * 90)
@example("短い" * 40)
def test_a_text_header_arrives_as_it_was_meant(text: str) -> None:
    assert decoded(wire(text_header("Subject", text))) == text


@settings(deadline=None)
@given(st.one_of(WORDS, NASTY), st.sampled_from(["From", "To", "Reply-To"]))
@example(
    "eve@evil.example, and so on and on until the line is too long for one line, and then some",
    "To",
)
@example("Smith, John & Sons (Holding) GmbH and Partners of the Greater Metropolitan Area", "From")
@example('Ünï, «q» "x" ; (c) @ : foo Ünï, «q» "x" ; (c) @', "From")
@example("=?utf-8?q?=3Ceve=40evil=2Eexample=3E=2C?=", "To")
def test_a_name_can_never_become_a_second_mailbox(name: str, header: str) -> None:
    value = wire(mailbox_header(header, name, ADDRESS))
    [(shown, address)] = getaddresses([value])
    assert address == ADDRESS
    assert decoded(shown) == name
    judged = message_from_bytes(f"{header}: {value}\r\n\r\n".encode(), policy=policy.default)[
        header
    ]
    assert [mailbox.addr_spec for mailbox in judged.addresses] == [ADDRESS]


@pytest.mark.parametrize("name", ["Acme Corporation", "O'Brien-Smith", "Acme & Co"])
def test_plain_names_stay_readable(name: str) -> None:
    assert wire(mailbox_header("From", name, ADDRESS)) == f"{name} <{ADDRESS}>"


@pytest.mark.parametrize(
    "value", ["a\nBcc: eve@evil.example", "a\r\nBcc: b", "a\rb", "é", "a\r\n ", "a\0", ""]
)
def test_the_last_gate_lets_nothing_else_through(value: str) -> None:
    with pytest.raises(ValueError, match="not in wire form"):
        mailbox_header("To", "", value)
