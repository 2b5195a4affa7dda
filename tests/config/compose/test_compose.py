import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage

import pytest

from certmail_config.compose import ComposeError, Letter, Mail, compose
from certmail_config.compose.samples import SampleSize, sample_letter
from certmail_config.compose.voices import LetterKind

Make = Callable[..., Letter]
Parse = Callable[[Mail], EmailMessage]
Body = Callable[[EmailMessage, str], str]

LOCALES = ["en-GB", "en-US", "de-CH", "fr-CA", "es", "pl-PL", "ja", "ar", "zh-Hans-CN", None]
KINDS = ["notice", "reminder", "final"]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_in_every_language_is_one_well_formed_mail(
    letter: Make, parsed: Parse, body: Body, kind: str, locale: str | None
) -> None:
    mail = compose(letter(kind=kind, locale=locale))
    message = parsed(mail)
    assert not message.defects
    assert message.get_content_type() == "multipart/alternative"

    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert {part.get_content_charset() for part in (text, html)} == {"utf-8"}
    assert not text.defects
    assert not html.defects
    assert message["Subject"] == mail.subject
    assert "8f3a2c71" in body(message, "plain")
    assert "8f3a2c71" in body(message, "html")


@pytest.mark.parametrize("locale", LOCALES)
def test_lines_end_with_crlf_only_and_are_short(letter: Make, locale: str | None) -> None:
    raw = compose(letter(locale=locale, name="Ž" * 60, campaign_name="漢字" * 50)).raw
    assert raw.endswith(b"\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert max(len(line) for line in raw.split(b"\r\n")) <= 76
    assert raw.isascii()


def test_each_header_stands_once_and_says_what_it_should(letter: Make, parsed: Parse) -> None:
    message = parsed(compose(letter()))
    assert sorted(message.keys()) == sorted([
        "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "X-Certmail-Id", "Auto-Submitted",
        "X-Auto-Response-Suppress", "Content-Language", "MIME-Version", "Content-Type",
    ])  # fmt: skip
    assert str(message["From"]) == "Acme Corporation <access-reviews@acme.example>"
    assert str(message["To"]) == "María López <maria.lopez@emea.acme.example>"
    assert str(message["Reply-To"]) == "iga-help@acme.example"
    assert str(message["Date"]) == "Tue, 08 Dec 2026 09:00:00 +0000"
    assert message["Message-ID"] == "<01937e6c-5a00-7000-8000-0000000000aa@acme.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    # "All" would hold back the bounces that tell of a wrong address.
    assert message["X-Auto-Response-Suppress"] == "DR, RN, NRN, OOF, AutoReply"

    for part in message.walk():
        assert ("MIME-Version" in part) == (part is message)


@pytest.mark.parametrize("kind", LetterKind)
def test_no_header_is_one_of_bulk_mail(parsed: Parse, kind: str) -> None:
    # A reminder to one person is transactional: nobody subscribes to it, or could unsubscribe.
    for sample in SampleSize:
        names = {name.lower() for name in parsed(compose(sample_letter(kind, "en", sample)))}
        assert not names & {"precedence", "feedback-id", "x-mailer", "sender", "return-path"}
        assert not {name for name in names if name.startswith("list-")}
        assert {"auto-submitted", "content-language"} <= names


@pytest.mark.parametrize(
    ("locale", "fallback", "said"),
    [
        ("de-CH", None, "de-CH"),
        ("de_CH.UTF-8", None, "de-CH"),
        ("pt", None, "pt"),
        ("zh-CN", None, "zh-Hans-CN"),
        ("zh", None, "zh-Hans"),
        ("iw-IL", None, "he-IL"),
        ("xx-YY", None, "en"),
        ("xx-YY", "fr-CA", "fr-CA"),
        (None, "ar", "ar"),
        (None, None, "en"),
    ],
)
def test_the_language_is_the_one_that_it_is_really_written_in(
    letter: Make, parsed: Parse, body: Body, locale: str | None, fallback: str | None, said: str
) -> None:
    mail = compose(letter(locale=locale, fallback_locale=fallback))
    message = parsed(mail)
    assert message["Content-Language"] == mail.locale == said
    assert f'<html lang="{said}"' in body(message, "html")


def test_the_date_is_in_utc_wherever_the_clock_stands(letter: Make, parsed: Parse) -> None:
    now = datetime(2026, 12, 8, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    assert str(parsed(compose(letter(now=now)))["Date"]) == "Tue, 08 Dec 2026 00:00:00 +0000"


def test_the_job_id_is_in_the_raw_mail_as_it_is(letter: Make) -> None:
    upper = "01937E6C-5A00-7000-8000-0000000000AA"
    assert f"\r\nX-Certmail-Id: {upper}\r\n".encode() in compose(letter(job_id=upper)).raw


def test_a_long_domain_leaves_the_message_id_whole(letter: Make, parsed: Parse) -> None:
    sender = "a@" + ".".join(["department-of-long-names"] * 5) + ".example"
    message = parsed(compose(letter(sender=sender)))
    assert message["Message-ID"] == f"<01937e6c-5a00-7000-8000-0000000000aa@{sender[2:]}>"
    assert message["From"].addresses[0].addr_spec == sender


def test_the_same_letter_gives_the_same_bytes(letter: Make) -> None:
    assert compose(letter()) == compose(letter())
    assert (
        compose(letter()).raw != compose(letter(job_id="01937e6c-5a00-7000-8000-0000000000ab")).raw
    )


def test_nothing_unasked_for_is_in_the_mail(letter: Make, parsed: Parse, body: Body) -> None:
    message = parsed(compose(letter()))
    html = body(message, "html")
    assert not list(message.iter_attachments())
    assert not re.search(r"<img|background=|url\(|<script|<link|@import|src=", html)
    assert set(re.findall(r"https?://[^\"<> ]*", html)) == {
        "https://iga.acme.example/campaigns/q4-2026/reviews/8f3a2c71",
        "https://",
    }


@pytest.mark.parametrize("locale", ["en", "ja"])
def test_the_signature_is_set_off_by_the_delimiter_that_mail_programs_know(
    letter: Make, parsed: Parse, body: Body, locale: str
) -> None:
    # Dash, dash, blank: replies leave out what follows. On the wire the blank must not stand at a
    # line's end.
    mail = compose(letter(locale=locale))
    assert "\n-- \n" in body(parsed(mail), "plain").replace("\r\n", "\n")
    assert b" \r\n" not in mail.raw


def test_a_link_of_any_length_is_one_line_of_text_and_a_short_one_on_the_page(
    letter: Make, parsed: Parse, body: Body, seen: Callable[[str], str]
) -> None:
    link = "https://iga.acme.example/reviews?state=" + "0123456789" * 186
    message = parsed(compose(letter(link=link)))
    assert f"\nReview access: {link}\n" in body(message, "plain").replace("\r\n", "\n")

    html = body(message, "html")
    assert html.count(f'href="{link}"') == 2
    [shown] = [line for line in seen(html).split("\n") if line.startswith("https://")]
    assert shown.startswith("https://iga.acme.example/reviews?state=0123456789")
    assert shown.endswith("…")
    assert len(shown) <= 120

    for short in (letter().link, "https://iga.acme.example/" + "7" * 40):
        assert short in seen(body(parsed(compose(letter(link=short))), "html")).split("\n")


@pytest.mark.parametrize(
    ("locale", "name", "encoding"),
    [
        ("en", "María", "quoted-printable"),
        ("pl", "Żółć", "quoted-printable"),
        ("ja", "山田", "base64"),
    ],
)
def test_latin_text_stays_readable_in_the_raw_mail(
    letter: Make, parsed: Parse, locale: str, name: str, encoding: str
) -> None:
    text = parsed(compose(letter(locale=locale, name=name))).get_body(("plain",))
    assert text is not None
    assert text["Content-Transfer-Encoding"] == encoding


def test_without_reply_to_and_names_the_headers_are_bare(letter: Make, parsed: Parse) -> None:
    message = parsed(compose(letter(reply_to=None, sender_name=None, name=" ")))
    assert "Reply-To" not in message
    assert str(message["From"]) == "access-reviews@acme.example"
    assert str(message["To"]) == "maria.lopez@emea.acme.example"


def test_an_unknown_kind_is_refused_with_a_sentence(letter: Make) -> None:
    with pytest.raises(
        ComposeError,
        match=r"no mail of kind 'invoice'; there are custom, digest, escalation, final, notice, overdue, reminder\.",
    ):
        compose(letter(kind="invoice"))


@pytest.mark.parametrize("field", ["to", "sender", "reply_to"])
@pytest.mark.parametrize(
    "address",
    [
        "maria.lopez", "j.smith@@acme.example", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example",
        "Ann <a@b.example>", "a b@c.example", "é@b.example", "a@b..example", ".a@b.example", '"a"@b.example',
        "a@[127.0.0.1]", "a@b.example\n", "a@-b.example", "undisclosed:;", f"{'a' * 320}@b.example",
    ],
)  # fmt: skip
def test_an_address_that_is_not_one_plain_address_is_refused(
    letter: Make, field: str, address: str
) -> None:
    with pytest.raises(ComposeError, match="is not one plain address") as caught:
        compose(letter(**{field: address}))
    assert address not in str(caught.value)


@pytest.mark.parametrize(
    "job_id", ["", "7", "{01937e6c-5a00-7000-8000-0000000000aa}", "x\r\nBcc: a@b.example"]
)
def test_a_job_id_that_is_no_uuid_is_refused(letter: Make, job_id: str) -> None:
    with pytest.raises(ComposeError, match="not a UUID"):
        compose(letter(job_id=job_id))


def test_a_time_without_a_zone_is_refused(letter: Make) -> None:
    naive = datetime(2026, 12, 11, 17, 0, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(ComposeError, match="without a zone"):
        compose(letter(due_at=naive))
    with pytest.raises(ComposeError, match="without a zone"):
        compose(letter(now=naive))


def test_neither_letter_nor_mail_shows_a_person_in_its_repr(letter: Make) -> None:
    assert (
        repr(letter()) == "Letter(job_id='01937e6c-5a00-7000-8000-0000000000aa', kind='reminder')"
    )
    assert "Subject" not in repr(compose(letter()))
    assert "access review" not in repr(compose(letter()))
