"""A campaign, as people write it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from certmail_config.base.numbers import whole
from certmail_config.base.web_links import LONGEST, NoLink, read_link
from certmail_config.campaigns.cadence import CadenceRule
from certmail_config.campaigns.calendar import Calendar
from certmail_config.campaigns.moments_of_day import read_zone
from certmail_config.campaigns.presets import PRESETS, preset
from certmail_config.jobs.fields import Address, Locale, Name, Text
from certmail_config.jobs.times import Time

_LONGEST: Final = timedelta(days=3 * 366)
_LAST_YEAR: Final = 2200
_WITHOUT_CONTROLS: Final = r"^[^\x00-\x1f\x7f-\x9f]+$"
REVIEWER: Final = "{reviewer}"
"""In a link: where the reviewer's id is to stand."""


def _link(value: str) -> str:
    if isinstance(found := read_link(value.replace(REVIEWER, "r")), NoLink):
        raise PydanticCustomError(
            "invalid_link", "not a link that a mail can carry: {why}", {"why": found.why}
        )
    return value


def _in_our_time(value: datetime) -> datetime:
    if value.year > _LAST_YEAR:
        raise PydanticCustomError(
            "invalid_time", "a campaign ends before the year {year}", {"year": _LAST_YEAR + 1}
        )
    return value


Identifier = Annotated[str, Field(max_length=200, pattern=_WITHOUT_CONTROLS)]
TimeZone = Annotated[str, AfterValidator(read_zone)]
_Moment = Annotated[Time, AfterValidator(_in_our_time)]


class Campaign(BaseModel):
    """What reviewers are asked for, until when, and how they are reminded of it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, use_attribute_docstrings=True
    )

    tenant: Name
    """The company whose reviewers are reminded."""
    id: Identifier
    """What the record calls it; it names nobody."""
    name: Text | None = None
    """What mails call it."""
    start: _Moment
    """From when on."""
    due: _Moment
    """Until when."""
    owner: Address | None = None
    """Whose campaign it is."""
    link: Annotated[str, Field(max_length=LONGEST), AfterValidator(_link)] | None = None
    """Where reviewers decide; {reviewer} is replaced by their id."""
    locale: Locale | None = None
    """The language of reviewers who name none."""
    time_zone: TimeZone = "UTC"
    """The zone of reviewers who name none."""
    audit_type: Text | None = None
    """What is reviewed: user, entitlement, role, or anything else."""
    connection: Name = "default"
    """The mailbox that it is sent from."""
    cap_per_week: Annotated[int, Field(ge=1, le=1000), BeforeValidator(whole)] | None = None
    """How many mails a reviewer gets from the tenant within seven days, at most."""
    calendar: Calendar = Calendar()
    """Working days and hours of reviewers who name no country."""
    preset: Literal["gentle", "standard", "strict"] | None = None
    """A cadence in place of rules."""
    rules: Annotated[tuple[CadenceRule, ...], Field(alias="rule", min_length=1, max_length=20)]
    """How reviewers are reminded, the most telling first."""

    @model_validator(mode="before")
    @classmethod
    def _rules_of_a_preset(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or isinstance(value, cls):
            return value

        name = value.get("preset")
        if name is not None and "rule" in value:
            raise PydanticCustomError(
                "two_cadences", "preset stands in place of rules: leave one of them out"
            )
        if isinstance(name, str) and name in PRESETS:
            return {**value, "rule": preset(name)}
        if name is None and "rule" not in value:
            raise PydanticCustomError(
                "no_rules", 'it has no rules: add [[rule]], or preset = "standard"'
            )
        # What the preset is called wrongly is said; that there are no rules is not worth saying.
        return {**value, "rule": preset("standard")} if name is not None else value

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.due <= self.start:
            raise PydanticCustomError("due_before_start", "due must be later than start")
        if self.due - self.start > _LONGEST:
            raise PydanticCustomError("too_long_a_campaign", "a campaign lasts three years at most")
        return self

    @model_validator(mode="after")
    def _rules_fit(self) -> Self:
        ids = [each.id for each in self.rules]
        if doubled := next((each for each in ids if ids.count(each) > 1), None):
            raise PydanticCustomError(
                "doubled_rule", "two rules have the id {id}", {"id": repr(doubled)}
            )
        if self.owner is None and any(each.goes_to == "owner" for each in self.rules):
            raise PydanticCustomError(
                "no_owner", "a rule tells the owner, but the campaign names none: add owner"
            )
        return self

    def with_rules(self, rules: tuple[CadenceRule, ...]) -> Campaign:
        """The same with another cadence; raises ValidationError."""
        return self._again({"rule": rules, "preset": None})

    def with_due(self, due: datetime) -> Campaign:
        """The same with another end; raises ValidationError."""
        return self._again({"due": due})

    def _again(self, changed: Mapping[str, Any]) -> Campaign:
        given = {name: getattr(self, name) for name in type(self).model_fields}
        rules = given.pop("rules")
        return Campaign.model_validate({**given, "preset": None, "rule": rules, **changed})
