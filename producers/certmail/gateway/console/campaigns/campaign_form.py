"""A new campaign as it was typed, or as its file has it, and what is meant by it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import ValidationError

from certmail.gateway.console.campaigns.uploads import MAX_FILE, UploadedFile
from certmail.gateway.console.form_fields import WrongField, values_of
from certmail.gateway.console.texts import N_
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.moments_of_day import zone, zone_names
from certmail_config.campaigns.reading import faults
from certmail_config.campaigns.reading.reviewers import Reviewers, read_reviewers
from certmail_config.campaigns.reading.rows import ARCHIVE
from certmail_config.campaigns.reading.toml import read_campaign

MAX_REVIEWERS: Final = 5000
"""So many are put in the console; more by command line or API."""
_FORM: Final = "%Y-%m-%dT%H:%M"
_FIELD_OF_CODE: Final = {
    "due_before_start": "due",
    "too_long_a_campaign": "due",
    "no_owner": "owner",
    "unknown_tenant": "tenant",
    "tenant_suspended": "tenant",
    "unknown_connection": "tenant",
    "no_working_day": "country",
    "campaign_unplannable": "country",
    "campaign_changed": "id",
    "campaign_stopped": "id",
    "campaign_exists": "id",
}
"""The field of what is wrong with a campaign as a whole, or with what is there already."""
_REMEDIES: Final = {
    "unknown_tenant": N_("Look under Tenants what it is called."),
    "unknown_connection": N_("Connect a mailbox for it first, under Connections."),
    "campaign_stopped": N_("Give the new one another id."),
    "campaign_unplannable": N_("Look at the campaign’s country, and at those of the reviewers."),
}
"""What to do, where the command line's words would name a command."""


@dataclass(frozen=True, slots=True)
class CampaignForm:
    """The fields as they were typed; `toml` is a whole campaign in their place.

    `rows` is the file of reviewers, which the pages keep from step to step, and `file` its name.
    """

    tenant: str = ""
    id: str = ""
    name: str = ""
    start: str = ""
    due: str = ""
    time_zone: str = ""
    country: str = ""
    link: str = ""
    owner: str = ""
    preset: str = "standard"
    toml: str = ""
    rows: str = ""
    file: str = ""

    @property
    def kept(self) -> Mapping[str, str]:
        """What a page carries to the next step."""
        return {name: value for name, value in asdict(self).items() if value}

    def starting(self, now: datetime) -> CampaignForm:
        """The same with a start, where nobody said when: now."""
        if self.toml or self.start or self.time_zone not in zone_names():
            return self
        return replace(self, start=now.astimezone(zone(self.time_zone)).strftime(_FORM))

    def campaign(self) -> Campaign:
        """The campaign that is meant; raises WrongField."""
        if self.toml:
            try:
                return read_campaign(self.toml, "campaign.toml")
            except WrongUse as error:
                raise WrongField("toml", error) from None

        if self.time_zone not in zone_names():
            message = N_("This is not a time zone of the IANA list, such as Europe/Zurich.")
            raise WrongField("time_zone", WrongUse("unknown_time_zone", message, ""))
        given: dict[str, Any] = {
            "tenant": self.tenant,
            "id": self.id,
            "start": self._moment("start"),
            "due": self._moment("due"),
            "time_zone": self.time_zone,
            "preset": self.preset,
        }
        given |= {
            name: value for name in ("name", "link", "owner") if (value := getattr(self, name))
        }
        if self.country:
            given["calendar"] = {"country": self.country}
        try:
            return Campaign.model_validate(given)
        except ValidationError as error:
            raise _at_its_field(error) from None

    def reviewers(self, campaign: Campaign) -> Reviewers:
        """The reviewers of the file, and its rows that are none; raises WrongField."""
        if not self.rows:
            message = N_("Choose the file of reviewers, one that is not empty.")
            raise WrongField("reviewers", WrongUse("missing_file", message, ""))
        try:
            found = read_reviewers(self.rows.encode(), self.file or "reviewers.csv", campaign)
        except WrongUse as error:
            raise WrongField("reviewers", error) from None

        if len(found.reviewers) > MAX_REVIEWERS:
            message = f"These are more than {MAX_REVIEWERS:,} reviewers."
            remedy = N_("Run it by command line (certmail campaign run), or by the API.")
            raise WrongField("reviewers", WrongUse("too_many_reviewers", message, remedy))
        if not found.reviewers and not found.bad:
            message = N_("The file has no reviewer.")
            raise WrongField("reviewers", WrongUse("missing_reviewers", message, ""))
        return found

    def _moment(self, name: str) -> datetime:
        text = getattr(self, name)
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            message = N_("This is not a time, as in 2026-12-11 17:00.")
            raise WrongField(name, WrongUse("invalid_time", message, "")) from None
        return found if found.tzinfo else _in(found, self.time_zone)


def from_upload(form: Mapping[str, Any]) -> CampaignForm:
    """What was sent: a file that was chosen is in place of the one that the page has kept.

    Raises WrongField.
    """
    names = [each.name for each in fields(CampaignForm) if each.name not in {"rows", "toml"}]
    typed = CampaignForm(**values_of(form, *names))
    # Of these no blank is taken away: the lines that are named are those of the file.
    typed = replace(typed, **{name: _text(form, name) for name in ("rows", "toml")})

    if (chosen := form.get("reviewers")) and isinstance(chosen, UploadedFile) and chosen.content:
        typed = replace(typed, rows=_decoded(chosen, "reviewers"), file=chosen.name[:100])
    if (chosen := form.get("campaign")) and isinstance(chosen, UploadedFile) and chosen.content:
        typed = replace(typed, toml=_decoded(chosen, "toml"))
    return typed


@contextmanager
def at_its_place() -> Iterator[None]:
    """Raise WrongField, at the field that it is about, for what is refused in the block."""
    try:
        yield
    except WrongField:
        raise
    except (Refused, WrongUse) as error:
        if error.code not in _FIELD_OF_CODE:
            raise
        wrong = WrongUse(error.code, error.message, _REMEDIES.get(error.code, error.remedy))
        raise WrongField(_FIELD_OF_CODE[error.code], wrong) from None


def _at_its_field(error: ValidationError) -> WrongField:
    first = error.errors(include_input=False, include_url=False)[0]
    code = faults.code(first)
    place = str(first["loc"][0]) if first["loc"] else _FIELD_OF_CODE.get(code, "id")
    words = faults.words(first)
    sentence = f"{words[:1].upper()}{words[1:]}."
    return WrongField("country" if place == "calendar" else place, WrongUse(code, sentence, ""))


def _decoded(file: UploadedFile, field: str) -> str:
    if len(file.content) > MAX_FILE:
        message = f"The file is larger than {MAX_FILE // 1024:,} KiB."
        raise WrongField(field, WrongUse("too_large", message, ""))
    as_csv = N_("Save it as “CSV UTF-8”.")
    if file.content.startswith(ARCHIVE):
        message = N_("This is an Excel file, or another archive.")
        raise WrongField(field, WrongUse("wrong_form", message, as_csv))
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.content[: error.start].count(b"\n") + 1
        message = f"The file is not UTF-8 (line {line})."
        raise WrongField(field, WrongUse("other_encoding", message, as_csv)) from None
    return text.replace("\r\n", "\n")


def _text(form: Mapping[str, Any], name: str) -> str:
    found = form.get(name, "")
    # Browsers send lines as forms have them.
    return found.replace("\r\n", "\n") if isinstance(found, str) else ""


def _in(local: datetime, zone_name: str) -> datetime:
    """The instant of a local time; one that clocks skip moves forward by what they skip."""
    return local.replace(tzinfo=zone(zone_name)).astimezone(UTC).astimezone(zone(zone_name))
