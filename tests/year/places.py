"""The twelve zones of the year, each with the calendar of somebody who works there."""

from __future__ import annotations

from typing import Final, NamedTuple


class Place(NamedTuple):
    """Where somebody works: a zone, and whose public holidays are kept."""

    zone: str
    country: str
    subdivision: str | None
    locale: str


PLACES: Final = (
    Place("America/Los_Angeles", "US", "CA", "en"),
    Place("America/New_York", "US", "NY", "en"),
    Place("America/Sao_Paulo", "BR", "SP", "pt"),
    Place("Europe/London", "GB", "ENG", "en"),
    Place("Europe/Berlin", "DE", "BE", "de"),
    Place("Europe/Paris", "FR", None, "fr"),
    Place("Africa/Johannesburg", "ZA", None, "en"),
    Place("Asia/Dubai", "AE", None, "ar"),
    Place("Asia/Kolkata", "IN", "MH", "en"),
    Place("Asia/Singapore", "SG", None, "zh"),
    Place("Asia/Tokyo", "JP", None, "ja"),
    Place("Australia/Sydney", "AU", "NSW", "en"),
)
