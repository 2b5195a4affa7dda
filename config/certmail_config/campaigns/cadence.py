"""The rules of a campaign: each says on which days one kind of mail is to go."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from certmail_config.base.numbers import whole
from certmail_config.campaigns.intervals import IntervalText

Kind = Literal["notice", "reminder", "final", "overdue", "escalation", "digest"]
Recipient = Literal["reviewer", "manager", "owner"]

URGENCY: Final[dict[Kind, int]] = {"final": 0, "overdue": 1, "reminder": 2, "notice": 3}
"""Which of two mails goes, where both are to go to one reviewer on one date: the lower."""
COUNTED: Final[frozenset[Kind]] = frozenset({"reminder", "final", "overdue"})
"""What counts for an escalation."""
FORMS: Final = ("on", "every", "before_due", "overdue", "escalate_after", "overdue_by")
"""What a rule is told by: one of these."""
_REPEATED: Final = frozenset({"every", "overdue"})
ESCALATIONS: Final = frozenset({"escalate_after", "overdue_by"})

_Whole = Annotated[int, BeforeValidator(whole)]
_Distance = Annotated[_Whole, Field(ge=0, le=366)]


class CadenceRule(BaseModel):
    """One rule; its days are counted as docs/campaigns.md says."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    """What the record calls it."""
    on: Literal["start", "due"] | None = None
    """On the day that the campaign starts, or is due."""
    every: IntervalText | None = None
    """Again and again from the start on, before the due day."""
    before_due: Annotated[tuple[_Distance, ...], Field(min_length=1, max_length=31)] | None = None
    """So many days before the due day, each."""
    overdue: IntervalText | None = None
    """Again and again after the due day."""
    escalate_after: Annotated[_Whole, Field(ge=1, le=100)] | None = None
    """Once, when so many reminders were accepted."""
    overdue_by: IntervalText | None = None
    """Once, so long after the due day."""
    at_most: Annotated[_Whole, Field(ge=1, le=100)] | None = None
    """How often; of `every` and `overdue`."""
    kind: Kind | None = None
    """Which mail; as the rule's form suggests, if not said."""
    to: Literal["manager", "owner"] | None = None
    """Who is told of an escalation: the manager, if not said."""

    @property
    def form(self) -> str:
        """What the rule is told by."""
        return next(name for name in FORMS if getattr(self, name) is not None)

    @property
    def sends(self) -> Kind:
        """Which mail it sends; the last of `before_due` is `final` all the same."""
        if self.kind is not None:
            return self.kind
        if self.form in ESCALATIONS:
            return "escalation"
        if self.on is not None:
            return "notice" if self.on == "start" else "final"
        return "overdue" if self.overdue is not None else "reminder"

    @property
    def goes_to(self) -> Recipient:
        """Who gets it."""
        return (self.to or "manager") if self.form in ESCALATIONS else "reviewer"

    @model_validator(mode="after")
    def _told_by_one(self) -> Self:
        told = [name for name in FORMS if getattr(self, name) is not None]
        if len(told) != 1:
            raise PydanticCustomError(
                "unclear_rule",
                "a rule has one of {forms}; this one has {told}",
                {"forms": ", ".join(FORMS), "told": " and ".join(told) or "none"},
            )

        if self.at_most is not None and told[0] not in _REPEATED:
            raise PydanticCustomError(
                "unclear_rule", "at_most is for every and overdue: all else goes once"
            )
        if self.overdue is not None and self.at_most is None:
            raise PydanticCustomError(
                "endless_rule", "overdue needs at_most: it would go on for ever"
            )
        return self

    @model_validator(mode="after")
    def _kind_and_recipient(self) -> Self:
        escalates = self.form in ESCALATIONS
        if self.to is not None and not escalates:
            raise PydanticCustomError(
                "unclear_rule",
                "to is for escalate_after and overdue_by: all else goes to the reviewer",
            )
        if self.kind is not None and (self.kind == "escalation") != escalates:
            raise PydanticCustomError(
                "unclear_rule",
                "escalate_after and overdue_by send escalation, and nothing else does",
            )
        if self.kind == "digest":
            raise PydanticCustomError(
                "unclear_rule", "a digest is made of what meets on one day; no rule sends it"
            )
        return self
