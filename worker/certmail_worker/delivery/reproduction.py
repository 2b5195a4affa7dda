"""A message composed once more, beside what the record proves of the one that was sent; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

from certmail_config.base.dates import rfc3339
from certmail_config.compose import Mail
from certmail_worker.delivery.evidence import sha256_of


@dataclass(frozen=True, slots=True)
class RecordedContent:
    """What the record says of an attempt's message.

    `composed_at` and `release` are None where an older worker wrote it.
    """

    n: int
    message_sha256: str
    subject_sha256: str | None
    locale: str | None
    template_version: int | None
    composed_at: datetime | None
    release: str | None

    @classmethod
    def of(cls, attempt: Mapping[str, Any]) -> Self | None:
        """What it is for an attempt of the record; None where nobody recorded any."""
        if not attempt.get("message_sha256"):
            return None
        values: dict[str, Any] = {each.name: attempt.get(each.name) for each in fields(cls)}
        return cls(**values)

    def __str__(self) -> str:
        """What it was made of, in words."""
        made = [f"attempt {self.n}"]
        if self.composed_at:
            made.append(f"composed for {rfc3339(self.composed_at)}")
        version = self.template_version
        made.append(f"version {version} of the templates" if version else "certmail's own words")
        return ", ".join([*made, *filter(None, [self.locale, self.release])])


def newest_recorded(attempts: Sequence[Mapping[str, Any]]) -> RecordedContent | None:
    """That of the last attempt that has any."""
    found = [content for each in attempts if (content := RecordedContent.of(each))]
    return found[-1] if found else None


def equals(mail: Mail, recorded: RecordedContent) -> bool:
    """Whether this is the message that was sent, to the byte."""
    return sha256_of(mail.raw) == recorded.message_sha256


def why_not_equal(
    mail: Mail, recorded: RecordedContent, release: str, *, version_kept: bool, given: bool
) -> Iterator[str]:
    """What may have made the difference, the surest first.

    `given` says that the reminder is not certmail's own copy.
    """
    if not version_kept:
        yield f"version {recorded.template_version} of the templates is kept no more: they are certmail's own words here"
    if recorded.release is None:
        yield "neither the moment nor the certmail that it was composed with is on record"
    elif recorded.release != release:
        yield f"it was composed by certmail {recorded.release}, and this is {release}"
    if recorded.locale and recorded.locale != mail.locale:
        yield f"it was in {recorded.locale}, and this is in {mail.locale}"
    if given:
        yield "its content was another"
    yield "the tenant's name, its address for answers or its mailbox was changed since"
    if recorded.template_version:
        yield "something of that version was suspended then or is now, or CERTMAIL_LOGO_HOSTS is another"
