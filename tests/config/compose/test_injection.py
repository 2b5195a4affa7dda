import re
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certmail_config.compose import ComposeError, Letter, Mail, compose

Make = Callable[..., Letter]
Parse = Callable[[Mail], EmailMessage]
Body = Callable[[EmailMessage, str], str]

ATTACKS = [
    "x\r\nBcc: eve@evil.example",
    "x\nBcc: eve@evil.example\n\n<h1>hi</h1>",
    "x\r\n\r\n--=_01937e6c-5a00-7000-8000-0000000000aa--",
    "eve@evil.example, " + "and so on " * 9,
    '"><script>alert(1)</script><img src=x onerror=alert(1)>',
    "</style></title><svg onload=alert(1)>",
    "{{7*7}}{% for x in ().__class__.__mro__ %}{{x}}{% endfor %}",
    "{organisation.__class__} %(name)s {0} {",
    "\u202eevil\u202c\u2066x\u2069",
    "\0\x1b[31m\x7f\x85",
    "=?utf-8?q?Bcc=3A_eve=40evil=2Eexample?=",
    "\ud800 lone",
]
WORDY = ["sender_name", "name", "campaign_name", "organisation", "locale", "time_zone"]
STRICT = ["to", "sender", "reply_to", "job_id", "kind", "link"]
HEADERS = sorted([
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "X-Certmail-Id", "Auto-Submitted",
    "X-Auto-Response-Suppress", "Content-Language", "MIME-Version", "Content-Type",
])  # fmt: skip
PIECES = st.sampled_from(
    [
        *ATTACKS,
        "\r",
        "\n",
        "\u2028",
        "\u202e",
        "<",
        ">",
        "&",
        '"',
        "'",
        "{{",
        "}}",
        "%s",
        ",",
        "@",
        "\0",
    ]
)
HOSTILE = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=6).map("".join)


def judge(mail: Mail, message: EmailMessage, body: Body) -> None:
    assert sorted(message.keys()) == HEADERS
    assert not message.defects
    assert len(message["To"].addresses) == len(message["From"].addresses) == 1
    assert message["To"].addresses[0].addr_spec == "maria.lopez@emea.acme.example"
    assert message["From"].addresses[0].addr_spec == "access-reviews@acme.example"
    assert b"\r\nX-Certmail-Id: 01937e6c-5a00-7000-8000-0000000000aa\r\n" in mail.raw
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", mail.raw)

    for kind in ("plain", "html"):
        text = body(message, kind)
        assert not re.search("[\0\x1b\x7f\x85\u2028\u2029\u202a-\u202e\u2066-\u2069]", text)

    assert "\n" not in mail.subject


@pytest.mark.parametrize("field", WORDY)
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_field_of_words_can_change_the_mail_around_it(
    letter: Make,
    parsed: Parse,
    body: Body,
    tags: Callable[[str], set[str]],
    field: str,
    attack: str,
) -> None:
    mail = compose(letter(**{field: attack}))
    message = parsed(mail)
    judge(mail, message, body)
    normal = body(parsed(compose(letter())), "html")

    assert tags(body(message, "html")) <= tags(normal)


@pytest.mark.parametrize("field", STRICT)
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_field_with_a_grammar_refuses_what_does_not_follow_it(
    letter: Make, field: str, attack: str
) -> None:
    with pytest.raises(ComposeError):
        compose(letter(**{field: attack}))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    parts=st.fixed_dictionaries(dict.fromkeys(WORDY, HOSTILE)),
    number=st.integers(),
    due=st.datetimes(),
)
def test_hostile_words_in_every_field_at_once_still_make_one_honest_mail(
    letter: Make, parsed: Parse, body: Body, parts: dict[str, str], number: int, due: datetime
) -> None:
    made = letter(
        **parts,
        pending=number,
        completed=abs(number),
        due_at=due.replace(tzinfo=letter().now.tzinfo),
    )

    mail = compose(made)
    assert compose(made) == mail
    message = parsed(mail)
    assert sorted(message.keys()) == HEADERS
    assert [mailbox.addr_spec for mailbox in message["To"].addresses] == [
        "maria.lopez@emea.acme.example"
    ]
    html = body(message, "html")
    assert not re.search(r"<script|<svg|<img|<h1>", html, re.IGNORECASE)
    assert html.count("</html>") == 1


def test_markup_in_a_name_is_shown_and_not_obeyed(letter: Make, parsed: Parse, body: Body) -> None:
    message = parsed(compose(letter(name="<b>{{7*7}}</b>", campaign_name="R&D {organisation}")))
    assert "Hello <b>{{7*7}}</b>," in body(message, "plain")
    assert "Hello &lt;b&gt;{{7*7}}&lt;/b&gt;," in body(message, "html")
    assert "“R&D {organisation}”" in body(message, "plain")
    assert "R&amp;D {organisation}" in body(message, "html")
