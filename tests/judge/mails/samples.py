"""Each sample of each kind in each language, in certmail's words and look and in a tenant's own."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import strict
from functools import partial
from typing import Any, Final

from certmail_config.compose import Letter, compose
from certmail_config.compose.samples import SampleSize, sample_letter
from certmail_config.compose.voices import LetterKind
from judge.mails.tenant import own_words

LOCALES: Final = (
    "en", "de", "fr", "es", "pt-BR", "it", "nl", "pl", "ja", "zh-Hans", "ar", "he", "de-CH", "fr-CA",
)  # fmt: skip
"""All that certmail writes; a sheet for each."""
LOOKS: Final = ("plain", "own")


def mails(locales: tuple[str, ...] = LOCALES) -> Iterator[dict[str, Any]]:
    """All of them, each with what Python's strict parser reads in it."""
    for locale in locales:
        for kind in LetterKind:
            for sample in SampleSize:
                for look in LOOKS:
                    yield _mail(kind, locale, sample, look)


def written(letter: Letter, look: str) -> bytes:
    """The letter in one of the looks."""
    if look == "plain":
        return compose(letter).raw

    words = own_words()
    raw = compose(letter, words.brand, partial(words.blocks, letter)).raw
    assert not words.failed, words.failed
    return raw


def parsed(raw: bytes) -> EmailMessage:
    """What Python's strict parser reads in it."""
    return message_from_bytes(raw, policy=strict)


def _mail(kind: str, locale: str, sample: str, look: str) -> dict[str, Any]:
    raw = written(sample_letter(kind, locale, sample), look)
    message = parsed(raw)
    return {
        "kind": kind,
        "locale": locale,
        "sample": sample,
        "look": look,
        "name": f"{locale} {kind} {sample} {look}",
        "raw": base64.b64encode(raw).decode("ascii"),
        "subject": str(message["Subject"]),
        "from": _people(message, "From"),
        "to": _people(message, "To"),
        "replyTo": _people(message, "Reply-To"),
        "id": str(message["Message-ID"]),
        "date": message["Date"].datetime.isoformat(),
        "headers": {
            name.lower(): str(message.get(name, ""))
            for name in ("Content-Language", "Auto-Submitted", "X-Certmail-Id", "X-Auto-Response-Suppress")
        },
        "text": _part(message, "plain"),
        "html": _part(message, "html"),
        "files": [
            [str(part.get_filename()), str(part.get_content()).replace("\r\n", "\n")]
            for part in message.iter_attachments()
        ],
    }  # fmt: skip


def _people(message: EmailMessage, name: str) -> list[list[str]]:
    header = message[name]
    return [[each.display_name, each.addr_spec] for each in header.addresses] if header else []


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")
