"""Each kind of mail, in each language, with as little, as much and as odd as it may be given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest

from certmail_config.compose import ComposeError, Letter, Mail, PendingItem, Review, compose
from certmail_config.compose.content import Content, content
from certmail_config.compose.samples import SampleSize, sample_letter
from certmail_config.compose.samples.letters import NOW
from certmail_config.compose.voices import LetterKind

Make = Callable[..., Letter]
Parse = Callable[[Mail], EmailMessage]
Body = Callable[[EmailMessage, str], str]
Seen = Callable[[str], str]

LOCALES = sorted(
    file.name.removesuffix(".toml")
    for file in (files("certmail_config.templates") / "catalogues").iterdir()
)
RTL = {"ar", "he"}
UNSEEN = re.compile("[\u200b\u200e\u200f\u2068\u2069]")
MARKUP = re.compile(
    r"<(?!/?(?:html|head|meta|title|style|body|div|table|tbody|tr|td|p|h1|span|a|b|br)\b)"
)
NEW = ["overdue", "escalation", "digest", "custom"]
CLIPPED = 102_000
"""Of a page that is longer Gmail shows the beginning."""


def facts(shown: Content) -> Iterator[object]:
    """What both bodies must say."""
    yield from (shown.headline, shown.greeting, shown.ask, *shown.paragraphs, *shown.footer)
    if shown.progress:
        yield from (shown.progress.sentence, *filter(None, [shown.progress.done]))
    if shown.due:
        yield from (shown.due.label, shown.due.moment, shown.due.relative)
    yield from filter(None, [shown.reminded, None if shown.link else shown.no_link])
    if shown.link:
        yield shown.button
    if shown.table:
        yield shown.table.heading
        yield from filter(None, [shown.table.more])
        for row in shown.table.rows:
            yield from (row.what, *filter(None, [row.detail]))
    if shown.digest:
        yield from filter(None, [shown.digest.more])
        for part in shown.digest.parts:
            yield part.name
            yield from (part.progress.line,) if part.progress else ()
            yield from (part.due.sentence, part.due.relative) if part.due else ()
            yield from (part.button,) if part.link else ()


class Links(HTMLParser):
    """Where a page leads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "img", "iframe", "form", "object", "i", "q"}
        if tag == "a":
            self.found.append(dict(attrs)["href"] or "")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", LetterKind)
def test_every_sample_is_a_mail_whose_two_bodies_say_the_same(
    parsed: Parse, body: Body, seen: Seen, kind: str, locale: str
) -> None:
    for sample in SampleSize:
        letter = sample_letter(kind, locale, sample)
        shown, mail = content(letter), compose(letter)
        message = parsed(mail)

        assert not message.defects
        assert [part.defects for part in message.iter_parts()] == [[], []]
        assert message["Subject"] == mail.subject == shown.subject
        assert [each.addr_spec for each in message["To"].addresses] == [letter.to]
        assert not {"Cc", "Bcc"} & set(message.keys())
        assert max(map(len, mail.raw.split(b"\r\n"))) <= 76

        text, html = body(message, "plain").replace("\r\n", "\n"), body(message, "html")
        assert len(html.encode()) < CLIPPED
        assert not MARKUP.search(re.sub(r"<!.*?>", "", html)), sample
        page = seen(html)
        for fact in facts(shown):
            said = UNSEEN.sub("", str(fact))
            assert said in UNSEEN.sub("", text), (sample, said)
            assert said in UNSEEN.sub("", page), (sample, said)

        links = set(Links(html).found)
        assert links == set(re.findall(r"https?://\S+", text)), sample
        for line in text.splitlines():
            assert line == "-- " or line == line.strip(), line
        assert "\n\n\n" not in text
        assert text.count("\n-- \n") == 1
        if sample is not SampleSize.NASTY:
            assert not re.search(r"None|[{}]|  |\(\)|“”|«\s*»|「」|\.\.", f"{mail.subject}\n{text}")


@pytest.mark.parametrize("locale", LOCALES)
def test_the_direction_is_on_each_block_for_outlook(locale: str) -> None:
    shown = content(sample_letter("digest", locale))
    html = compose_html(shown)
    blocks = re.findall(
        r"<(?:table|td|p|h1)\b[^>]*>", re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL)
    )
    directed = [block for block in blocks if 'dir="rtl"' in block]
    assert len(directed) == (len(blocks) if locale in RTL else 0)
    assert shown.direction == ("rtl" if locale in RTL else "ltr")


def compose_html(shown: Content) -> str:
    from certmail_config.compose.pages import html_page  # noqa: PLC0415

    return html_page(shown)


@pytest.mark.parametrize("locale", sorted(RTL))
def test_what_goes_the_other_way_is_isolated_in_text_and_no_link_is_touched(
    parsed: Parse, body: Body, locale: str
) -> None:
    mail = compose(sample_letter("reminder", locale))
    text = body(parsed(mail), "plain").replace("\r\n", "\n")
    assert text.count("\u2068ACME Industries\u2069") == text.count("ACME Industries") == 2
    assert "\u2068Quarterly access review Q4 2026\u2069" in mail.subject
    assert "\n\u200f- \u2068SAP Finance\u2069 · \u2068Ben Ray\u2069" in text
    # A mail program might take the mark for a part of the address.
    assert re.search(r"(?m)^https://iga\.acme\.example/campaigns/q4-2026/reviews/8f3a2c71$", text)


@pytest.mark.parametrize(
    ("organisation", "shown"),
    [
        ("Acme", "\u200fAcme\u200f"),
        ("Acme Inc.", "\u200f\u200eAcme Inc.\u200e\u200f"),
        ("חברה 7", "חברה 7"),
        ("Q4 סקירה", '<span dir="ltr">Q4 סקירה</span>\u200f'),
        ("חברה Q4!", "\u200fחברה Q4!\u200f"),
    ],
)
def test_a_value_keeps_its_own_end_in_a_page_from_right_to_left(
    organisation: str, shown: str
) -> None:
    letter = replace(sample_letter("reminder", "he"), organisation=organisation)
    assert f">{shown}</td>" in compose_html(content(letter))


@pytest.mark.parametrize(
    ("kind", "sample", "subject", "headline", "tone"),
    [
        ("overdue", "rich", "Overdue: Quarterly access review Q4 2026 · 12 open", "12 access decisions are overdue", "late"),
        ("overdue", "thin", "Overdue: your access review", "Your access review is overdue", "late"),
        ("escalation", "rich", "Escalation: Quarterly access review Q4 2026, Ben Ray · 12 open · overdue for 5 days", "An access review is overdue", "late"),
        ("escalation", "thin", "Escalation: decisions by Ben Ray are missing", "An access review needs your attention", "calm"),
        ("digest", "rich", "Reminder: 4 access reviews · 1 overdue", "4 access reviews are waiting for you", "late"),
        ("digest", "thin", "Reminder: 1 access review", "1 access review is waiting for you", "calm"),
        ("custom", "rich", "Before you decide: what has changed", "Before you decide: what has changed", "calm"),
    ],
)  # fmt: skip
def test_the_new_kinds_speak_in_their_own_voice(
    kind: str, sample: str, subject: str, headline: str, tone: str
) -> None:
    shown = content(sample_letter(kind, "en-GB", sample))
    assert (shown.subject, str(shown.headline), shown.tone) == (subject, headline, tone)


def test_what_is_not_overdue_yet_is_not_called_so() -> None:
    ahead = replace(sample_letter("overdue", "en"), due_at=NOW + timedelta(days=3))
    assert content(ahead).subject == content(replace(ahead, kind="reminder")).subject


class TestDigest:
    def test_what_is_due_first_stands_first_and_what_is_done_is_left_out(self) -> None:
        reviews = (
            Review("none known"),
            Review("day", datetime(2026, 12, 11, tzinfo=UTC).date(), 1),
            Review("moment of that day", datetime(2026, 12, 11, 16, tzinfo=UTC), 1),
            Review("late", datetime(2026, 12, 1, tzinfo=UTC), 1),
            Review("done", datetime(2026, 12, 1, tzinfo=UTC), 0),
        )
        digest = content(replace(sample_letter("digest", "en"), reviews=reviews)).digest
        assert digest is not None
        names = [str(part.name) for part in digest.parts]
        assert names == ["late", "moment of that day", "day", "none known"]
        assert (digest.count, digest.late, digest.pending) == (4, 1, 0)

    def test_ten_are_shown_and_the_others_counted(self) -> None:
        reviews = tuple(Review(f"review {number}", None, 2) for number in range(13))
        shown = content(replace(sample_letter("digest", "en"), reviews=reviews))
        assert shown.digest is not None
        assert len(shown.digest.parts) == 10
        assert str(shown.digest.more) == "and 3 more"
        assert shown.subject == "Reminder: 13 access reviews · 26 open"

    def test_one_in_which_nothing_is_left_is_no_mail(self) -> None:
        with pytest.raises(ComposeError, match="anything left to decide"):
            compose(replace(sample_letter("digest", "en"), reviews=(Review("done", None, 0),)))


class TestItems:
    @pytest.mark.parametrize(
        ("count", "pending", "rows", "more"),
        [
            (1, None, 1, None),
            (10, 10, 10, None),
            (10, 22, 10, "and 12 more"),
            (14, None, 10, "and 4 more"),
            (3, 2, 3, None),
        ],
    )
    def test_ten_are_shown_and_the_others_counted(
        self, letter: Make, count: int, pending: int | None, rows: int, more: str | None
    ) -> None:
        items = tuple(PendingItem(f"application {number}") for number in range(count))
        table = content(letter(items=items, pending=pending)).table
        assert table is not None
        assert len(table.rows) == rows
        assert (table.more and str(table.more)) == more

    def test_without_any_that_can_be_seen_there_is_no_table(self, letter: Make) -> None:
        assert compose(letter(items=(PendingItem("\u200b"),))) == compose(letter())

    def test_what_they_say_is_not_remembered(self, letter: Make) -> None:
        from config.compose.test_bodies import remembered  # noqa: PLC0415

        compose(letter(items=(PendingItem("zebra-app", "Zebra Name"),)))
        compose(replace(sample_letter("escalation", "en"), about="Zebra Name"))
        compose(replace(sample_letter("custom", "en"), own_text="About zebras."))
        assert not [text for text in remembered() if "zebra" in text.lower()]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("escalation", {"about": "\u200b"}),
        ("custom", {"own_subject": " "}),
        ("custom", {"own_text": "\n\u2800\n"}),
        ("digest", {"reviews": ()}),
    ],
)
def test_what_lacks_what_it_is_about_is_no_mail(kind: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ComposeError):
        compose(replace(sample_letter(kind, "en"), **changes))
