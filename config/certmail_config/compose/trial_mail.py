"""A trial letter: does composing work at all?

What fails for one letter alone is that letter's fault, what fails for each is ours.
"""

from datetime import UTC, datetime
from typing import Final

from certmail_config.compose.composer import compose
from certmail_config.compose.letter import Letter

_NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)


def composes(locale: str | None) -> bool:
    """Whether a plain letter in the language of this locale can be composed; never raises."""
    language = (locale or "en").replace("_", "-").partition("-")[0]
    try:
        return bool(compose(_plain(language)).raw)
    except Exception:  # noqa: BLE001 - whatever it is, it is the answer
        return False


def _plain(language: str) -> Letter:
    """A letter in which nothing is odd."""
    return Letter(
        job_id="00000000-0000-7000-8000-000000000000",
        kind="reminder",
        sender="reviews@certmail.example",
        sender_name="certmail",
        reply_to=None,
        to="reviewer@certmail.example",
        name="A Reviewer",
        campaign_name="A campaign",
        due_at=_NOW,
        pending=2,
        completed=1,
        link="https://certmail.example/",
        locale=language,
        time_zone="UTC",
        organisation="certmail",
        now=_NOW,
    )
