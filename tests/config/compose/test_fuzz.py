"""Whatever stands in a letter, in its tenant's words and in its look: one honest mail, and little work.

What the door and publishing would refuse is tried as well: somebody may have written it into Redis.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from itertools import product
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certmail_config.compose import (
    ComposeError,
    Look,
    Mail,
    PendingItem,
    Picture,
    Review,
    compose,
)
from certmail_config.compose.own.tenant_words import TenantWords, read_words
from certmail_config.compose.own.whole_mails import strange
from certmail_config.compose.samples import SampleSize, mail_of, sample_letter
from certmail_config.compose.voices import LetterKind
from certmail_config.jobs.languages import LANGUAGES
from certmail_config.templates.blocks import BLOCKS, MEASURES
from certmail_config.templates.checks import check
from certmail_config.templates.documents import Document, read_document
from certmail_config.templates.findings import faults_of
from certmail_config.templates.variables import scope_of
from config.compose.test_injection import ATTACKS, HEADERS
from support.data.calendar_file import read_calendar

Parse = Callable[[Mail], EmailMessage]
Body = Callable[[EmailMessage, str], str]

TO, FROM = "maria.lopez@acme.example", "access-reviews@acme.example"
HOSTS = frozenset({"static.acme.example"})
LOGO = "https://static.acme.example/logo.png"
OPTIONAL = {"Reply-To"}
UNSEEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066\u2067]")

ANY = st.text(max_size=40) | st.lists(
    st.sampled_from([*ATTACKS, "\r", "\n", "\u2028", "\u202e", "<", "&", '"', "'", "{{", "--", ">"])
    | st.text(max_size=12),
    max_size=5,
).map("".join)
WRITABLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
"""What UTF-8 can write: a document is JSON."""
MAYBE = st.none() | ANY
COUNTS = st.none() | st.integers(-2, 10**10)
LINKS = st.none() | st.just("https://iga.acme.example/r/7") | ANY
MOMENTS = st.none() | st.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001 - the zone is given beside
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
LETTERS = st.fixed_dictionaries(
    {
        "name": MAYBE,
        "sender_name": MAYBE,
        "campaign_name": MAYBE,
        "organisation": ANY,
        "locale": st.sampled_from(LANGUAGES) | ANY,
        "fallback_locale": st.none() | st.sampled_from(LANGUAGES) | ANY,
        "time_zone": st.sampled_from(["Europe/Berlin", "Asia/Tokyo"]) | MAYBE,
        "about": MAYBE,
        "own_subject": MAYBE,
        "own_text": MAYBE,
        "reply_to": st.none() | st.just("help@acme.example") | ANY,
        "link": LINKS,
        "pending": COUNTS,
        "completed": COUNTS,
        "times_reminded": COUNTS,
        "due_at": MOMENTS,
        "items": st.lists(st.builds(PendingItem, ANY, MAYBE, MAYBE), max_size=12).map(tuple),
        "reviews": st.lists(
            st.builds(Review, ANY, MOMENTS, COUNTS, COUNTS, LINKS), max_size=12
        ).map(tuple),
    }
)
LOOKS = st.builds(
    Look,
    name=MAYBE,
    display_name=MAYBE,
    colour=st.none() | st.just("#b01020"),
    colour_in_the_dark=st.none() | st.just("#ff8090"),
    logo=st.none() | st.builds(Picture, st.just(LOGO), ANY),
    footer=st.lists(ANY, max_size=8).map(tuple),
)
BRANDS = st.fixed_dictionaries(
    {
        "name": WRITABLE,
        "sender": WRITABLE,
        "colour": st.sampled_from(["", "#ffee00", "#000000"]) | WRITABLE.map(lambda text: text[:7]),
        "footer": st.lists(WRITABLE, max_size=8),
        "logo": st.none() | st.builds(lambda alt: {"url": LOGO, "alt": alt or "x"}, WRITABLE),
    }
)
NAMES = sorted({name for kind in LetterKind for name in scope_of(kind)})
SHOWN = st.sampled_from(NAMES).map("{{{{ {} }}}}".format)
FILTERED = st.builds(
    "{{{{ {} | default({!r}) | short({}) }}}}".format,
    st.sampled_from(NAMES),
    st.text("a<&é漢", max_size=5),
    st.integers(1, 90),
)
PIECES = WRITABLE | SHOWN | FILTERED | st.sampled_from(["\n", "{%", "}}", "{#", "<b>", "--"])
PLAIN_WORDS = st.lists(PIECES, max_size=6).map("".join)
IN_A_CONDITION = st.builds(
    "{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format,
    st.sampled_from(NAMES),
    PLAIN_WORDS,
    PLAIN_WORDS,
)
IN_A_LOOP = st.builds(
    "{{% for each in {} %}}{}{{% endfor %}}".format,
    st.sampled_from(["items", "campaigns"]),
    PLAIN_WORDS,
)
SOURCES = PLAIN_WORDS | IN_A_CONDITION | IN_A_LOOP


class Elements(HTMLParser):
    """The names of a page's elements, read by somebody else."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            assert name != "href" or (value or "").startswith(("http://", "https://"))


def judge(mail: Mail, message: EmailMessage, body: Body, brand: Look) -> None:
    """One mail to one person from one mailbox, whose words are nothing but words."""
    assert set(HEADERS) - OPTIONAL <= set(message.keys()) <= set(HEADERS)
    assert len(set(message.keys())) == len(message.keys())
    assert not message.defects
    for name, address in (("To", TO), ("From", FROM)):
        assert not message[name].defects
        assert [each.addr_spec for each in message[name].addresses] == [address]

    assert mail.raw.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", mail.raw)
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 76
    assert message["Subject"] == mail.subject
    assert mail.subject
    assert not UNSEEN.search(mail.subject)
    assert message["Content-Language"] == mail.locale

    parts = list(message.walk())
    leaves = [part for part in parts if not part.is_multipart()]
    types = [part.get_content_type() for part in leaves]
    assert types[:2] == ["text/plain", "text/html"]
    assert types[2:] in ([], ["text/calendar"])
    for part in leaves[2:]:
        assert brand.calendar
        read_calendar(part.get_payload(decode=True))  # type: ignore[arg-type]  # it is no multipart
    assert not [defect for part in parts for defect in part.defects]
    text, html = body(message, "plain").replace("\r\n", "\n"), body(message, "html")
    assert not UNSEEN.search(text.replace("\r", "\0"))
    assert not UNSEEN.search(html.replace("\r\n", "\n").replace("\r", "\0"))
    assert strange(html, brand) is None
    assert html.count("</html>") == html.count("<html") == 1
    assert not Elements(html).found & {"script", "svg", "link", "iframe", "form", "object", "base"}


def document_of(
    kind: str, locale: str, sources: dict[str, str], brand: dict[str, Any] | None = None
) -> Document:
    texts = {name: {"text": text} for name, text in sources.items()}
    return read_document({"texts": {locale: {kind: texts}}, "brand": brand or {}})


def words_of(document: Document) -> TenantWords:
    return read_words(1, document.written().encode(), (), HOSTS)


QUIETLY = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@QUIETLY
@given(kind=st.sampled_from(list(LetterKind)), parts=LETTERS, brand=LOOKS)
def test_whatever_a_letter_and_a_look_say_is_one_honest_mail(
    parsed: Parse, body: Body, kind: str, parts: dict[str, Any], brand: Look
) -> None:
    letter = replace(sample_letter(kind, "en"), **parts)
    try:
        mail = compose(letter, brand)
    except ComposeError:
        return  # an address that is none, say: refused with a sentence, and nothing is sent

    judge(mail, parsed(mail), body, brand)


@QUIETLY
@given(
    kind=st.sampled_from(list(LetterKind)),
    locale=st.sampled_from(LANGUAGES),
    sources=st.lists(SOURCES, min_size=6, max_size=6),
    parts=LETTERS,
    sample=st.sampled_from(SampleSize),
    brand=BRANDS,
)
def test_whatever_a_tenant_writes_in_its_blocks_is_words_in_one_honest_mail(
    parsed: Parse,
    body: Body,
    kind: str,
    locale: str,
    sources: list[str],
    parts: dict[str, Any],
    sample: str,
    brand: dict[str, Any],
) -> None:
    blocks = dict(zip(map(str, BLOCKS[kind]), sources, strict=True))
    document = document_of(kind, locale, blocks, brand)
    words = words_of(document)
    asked = {"items": parts["items"], "name": parts["name"], "pending": parts["pending"]}
    letter = replace(sample_letter(kind, locale, sample), **asked)

    # What fails of them is left out: no letter is lost to it.
    mail = mail_of(letter, words)
    judge(mail, parsed(mail), body, words.brand)
    # And nobody could have published it: what fails in any mail is a fault in the checks.
    faults = [each.place for each in faults_of(check(document, HOSTS))]
    assert all(any(each.startswith(place) for each in faults) for place in words.failed)


def test_words_are_escaped_where_they_stand_and_nowhere_else(parsed: Parse, body: Body) -> None:
    source = "<b>{{ name }}</b> & {{ campaign }}"
    words = words_of(
        document_of("reminder", "en", dict.fromkeys(("ask", "headline", "button"), source))
    )
    mail = mail_of(replace(sample_letter("reminder", "en"), name="<i>A</i>"), words)
    message = parsed(mail)
    assert body(message, "plain").count("<b><i>A</i></b> & Quarterly access review Q4 2026") == 3
    assert body(message, "html").count("&lt;b&gt;&lt;i&gt;A&lt;/i&gt;&lt;/b&gt; &amp; ") == 3


def heavy() -> Iterator[Callable[[], Mail]]:
    """What takes most work: the oddest letters, in words of as many steps and signs as there may be."""
    for kind, locale in product(LetterKind, ("en", "ar", "ja")):
        entries, field = ("campaigns", "name") if kind == "digest" else ("items", "what")
        loop = f"{{% for one in {entries} %}}{{% for each in {entries} %}}{{{{ each.{field} | short(2) }}}}{{% endfor %}}{{% endfor %}}"
        texts = {str(block): _filled(loop, MEASURES[block].longest) for block in BLOCKS[kind]}
        letter = sample_letter(kind, locale, SampleSize.NASTY)
        for sources in ({}, texts):
            words = words_of(document_of(kind, locale, sources))
            mail_of(letter, words)
            assert not words.failed
            yield lambda letter=letter, words=words: mail_of(letter, words)  # type: ignore[misc]  # bound now


def _filled(loop: str, longest: int) -> str:
    """As much as may stand there, of what has to be escaped; the loop writes 200 characters."""
    return "&é" * (longest // 2) if longest < 1_000 else loop + "&é" * ((longest - 250) // 2)


def seconds(work: Callable[[], Mail]) -> float:
    """What it takes of a processor when nothing else disturbs it: the least of some times."""
    taken = []
    for _ in range(5):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)


def test_the_heaviest_mail_takes_little_work() -> None:
    # Some 6 ms, measured; what a letter may cost others is 50.
    assert max(map(seconds, heavy())) < 0.05
