from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any

import pytest

from certmail_config.compose import Letter, Mail

JOB_ID = "01937e6c-5a00-7000-8000-0000000000aa"


@pytest.fixture(scope="session")
def letter() -> Callable[..., Letter]:
    """A letter with every part, of which a test changes what it is about."""

    def make(**changes: Any) -> Letter:
        parts: dict[str, Any] = {
            "job_id": JOB_ID,
            "kind": "reminder",
            "sender": "access-reviews@acme.example",
            "sender_name": "Acme Corporation",
            "reply_to": "iga-help@acme.example",
            "to": "maria.lopez@emea.acme.example",
            "name": "María López",
            "campaign_name": "Quarterly access review Q4 2026",
            "due_at": datetime(2026, 12, 11, 16, 0, tzinfo=UTC),
            "pending": 12,
            "completed": 8,
            "link": "https://iga.acme.example/campaigns/q4-2026/reviews/8f3a2c71",
            "locale": "en-GB",
            "time_zone": "Europe/Berlin",
            "organisation": "Acme Corporation",
            "now": datetime(2026, 12, 8, 9, 0, tzinfo=UTC),
        }

        return Letter(**{**parts, **changes})

    return make


@pytest.fixture(scope="session")
def parsed() -> Callable[[Mail], EmailMessage]:
    """The mail as the standard library reads it: the judge."""

    def parse(mail: Mail) -> EmailMessage:
        return message_from_bytes(mail.raw, policy=default)

    return parse


@pytest.fixture(scope="session")
def body() -> Callable[[EmailMessage, str], str]:
    """The decoded body of that kind, `plain` or `html`."""

    def read(message: EmailMessage, kind: str) -> str:
        part = message.get_body((kind,))
        assert part is not None
        return str(part.get_content())

    return read


class Reader(HTMLParser):
    """Reads a page as a person does: its words without style, title and what is hidden."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag in {"style", "title"} or dict(attrs).get("class") == "preheader":
            self._silent.append(tag)
        if tag in {"p", "td", "h1", "div", "br"}:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def read_page(html: str) -> Reader:
    page = Reader()
    page.feed(html)
    page.close()
    return page


@pytest.fixture(scope="session")
def tags() -> Callable[[str], set[str]]:
    """The names of a page's elements."""
    return lambda html: read_page(html).tags


@pytest.fixture(scope="session")
def seen() -> Callable[[str], str]:
    """What a person reads on a page, one block per line."""

    def read(html: str) -> str:
        lines = "".join(read_page(html).words).split("\n")
        return "\n".join(line.strip() for line in lines if line.strip())

    return read
