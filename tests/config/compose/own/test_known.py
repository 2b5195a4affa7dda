"""What a tenant's words may name in a letter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

import pytest

from certmail_config.compose import Letter, PendingItem, Review
from certmail_config.compose.content import content
from certmail_config.compose.own.known import Known
from certmail_config.compose.voices import KINDS
from certmail_config.jobs.languages import LANGUAGES
from certmail_config.templates.language import Number
from certmail_config.templates.variables import SAMPLES, scope_of

NOW: Final = datetime(2026, 9, 30, 9, tzinfo=UTC)
LONG: Final = "W" * 300
DAYS: Final = (-3000, -1, 0, 1, 3000)
ZONES: Final = (None, "UTC", "America/North_Dakota/New_Salem")


@pytest.mark.parametrize("locale", [*LANGUAGES, "de-CH", "fr-CA", "ar-EG"])
def test_nothing_is_longer_than_in_the_sample_that_templates_are_published_by(locale: str) -> None:
    """Else one such reminder would put a published block aside, for all others of its tenant."""
    longest = dict(_lengths(SAMPLES["nasty"]))

    for kind, days, zone in product(sorted(KINDS), DAYS, ZONES):
        letter = _letter(kind, locale, NOW + timedelta(days=days, hours=3), zone)
        known = Known(letter, content(letter))
        for name, length in _lengths({name: known[name] for name in scope_of(kind)}):
            assert length <= longest[name], (kind, days, zone, name)


def _lengths(values: Mapping[str, object]) -> Iterator[tuple[str, int]]:
    """How long each value is written, those of a list's entries by `list.name`."""
    for name, value in values.items():
        if isinstance(value, str | Number):
            yield name, len(value if isinstance(value, str) else value.shown)
        elif isinstance(value, Sequence):
            assert len(value) <= 10
            for each in value:
                for field, length in _lengths(each):
                    yield f"{name}.{field}", length


def _letter(kind: str, locale: str, due_at: datetime, time_zone: str | None) -> Letter:
    """As long as upstream may make it."""
    custom, digest = kind == "custom", kind == "digest"
    return Letter(
        job_id="job",
        kind=kind,
        sender="access@acme.example",
        sender_name=LONG,
        reply_to=f"{'a' * 64}@{'.'.join(['b' * 60] * 4)}.example",
        to="anna@acme.example",
        name=LONG,
        campaign_name=LONG,
        due_at=due_at,
        pending=1_000_000,
        completed=1_000_000,
        link="https://iga.acme.example/",
        locale=locale,
        time_zone=time_zone,
        organisation=LONG,
        now=NOW,
        items=(PendingItem(LONG, LONG, LONG),) * 50,
        about=LONG,
        times_reminded=1_000_000,
        reviews=(Review(LONG, due_at, 1_000_000, 1_000_000, None),) * 20 if digest else (),
        own_subject=LONG[:150] if custom else None,
        own_text="W " * 2500 if custom else None,
    )
