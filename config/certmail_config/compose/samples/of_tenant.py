"""A sample as a tenant's mail: its name, its words, its look, written by what writes its reminders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from certmail_config.compose.composer import compose
from certmail_config.compose.content import Content
from certmail_config.compose.language.catalogue import catalogue
from certmail_config.compose.language.phrases import Alone
from certmail_config.compose.letter import Letter, Mail
from certmail_config.compose.own.blocks import own_lines
from certmail_config.compose.own.tenant_words import TenantWords
from certmail_config.compose.samples.letters import sample_letter

MARK: Final = "[Sample] "
"""What the subject of a sample begins with that goes to somebody."""


@dataclass(frozen=True, slots=True)
class SampleSender:
    """Who a sample is from; what is empty is the sample's own."""

    organisation: str
    mailbox: str = ""
    reply_to: str = ""


def letter_of(
    sender: SampleSender, words: TenantWords, kind: str, locale: str, sample: str
) -> Letter:
    """The sample of this kind in this language, as if this tenant had sent it."""
    letter = sample_letter(kind, locale, sample)
    return replace(
        letter,
        organisation=sender.organisation,
        sender_name=sender.organisation,
        sender=sender.mailbox or letter.sender,
        reply_to=sender.reply_to or None,
        fallback_locale=words.locale,
    )


def written_at(letter: Letter, now: datetime) -> Letter:
    """The sample as if it were written now: what is due is as far away as before."""
    days = timedelta(days=(now - letter.now).days)
    due = letter.due_at and letter.due_at + days
    reviews = tuple(
        each._replace(due_at=each.due_at and each.due_at + days) for each in letter.reviews
    )
    return replace(letter, now=now, due_at=due, reviews=reviews)


def mail_of(letter: Letter, words: TenantWords, *, marked: bool = False) -> Mail:
    """The mail in the tenant's words; what of them fails is noted there, and left to certmail.

    `marked` says in its subject that it is a sample. Raises ComposeError.
    """

    def own(content: Content) -> Mapping[str, Sequence[Alone]]:
        blocks = words.blocks(letter, content)
        if marked:
            subject = blocks["subject"][0].value if "subject" in blocks else content.subject
            blocks["subject"] = own_lines(catalogue(content.lang), [MARK + subject])
        return blocks

    return compose(letter, words.brand, own)
