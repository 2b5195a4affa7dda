"""Campaigns whose reminders certmail plans: put, with their reviewers and progress, and shown."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from certmail.gateway.api.models.base import Model, OnlyTenant, Page, PageQuery, Time
from certmail_config.admin.campaigns.progress import MAX_NEWS
from certmail_config.admin.campaigns.reviewers import MAX_IN_PAGE
from certmail_config.campaigns.campaign import Campaign
from certmail_config.campaigns.running.progress import ProgressVerdict
from certmail_config.campaigns.running.states import CampaignState

MAX_REMINDED: Final = 2000
_WANTED: Final = ConfigDict(frozen=True, extra="forbid", strict=True)
_Id = Annotated[str, Field(max_length=200)]


class CampaignWanted(Campaign):
    """A campaign as campaign.toml has it; `id` and `tenant` may be left to address and key."""

    model_config = ConfigDict(
        json_schema_extra={
            "required": ["start", "due"],
            "examples": [
                {
                    "tenant": "acme",
                    "name": "Quarterly access review",
                    "start": "2026-11-02T09:00:00+01:00",
                    "due": "2026-12-11T17:00:00+01:00",
                    "link": "https://iga.acme.example/c/{reviewer}",
                    "time_zone": "Europe/Berlin",
                    "calendar": {"country": "DE", "subdivision": "BE", "window": "09:00-17:00"},
                    "rule": [
                        {"id": "start", "on": "start"},
                        {"id": "regular", "every": "3 working days", "at_most": 5},
                        {"id": "before", "before_due": [7, 3, 1]},
                    ],
                }
            ],
        }
    )


class CampaignOf(Model):
    """Whose campaign it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: OnlyTenant = Field(
        None, description="The tenant's id; not needed by a key that reaches one tenant only."
    )


class PlannedCampaign(Model):
    """A campaign whose reminders certmail plans."""

    tenant: str
    id: str
    state: CampaignState
    version: Annotated[int, Field(description="As in its ETag: grows when it is changed.")]
    campaign: Annotated[dict[str, Any], Field(description="As it was put, without defaults.")]
    next_plan_at: Annotated[
        Time | None, Field(description="When it is planned next; null: not before it is changed.")
    ]
    planned_at: Annotated[Time | None, Field(description="When it was planned last.")]
    error: Annotated[str | None, Field(description="Why it could not be planned, if it could not.")]
    created_at: Time
    changed_at: Time


class ReviewerNumbers(Model):
    """The reviewers of a campaign, counted."""

    reviewers: int
    complete: Annotated[int, Field(description="Who has nothing left to decide.")]
    pending: Annotated[int, Field(description="What is left to decide, in all.")]
    completed: Annotated[int, Field(description="What is decided, in all.")]


class PlannedCampaignDetails(PlannedCampaign):
    """One of them, with its reviewers and planned mails counted."""

    reviewers: ReviewerNumbers
    moments: Annotated[
        dict[str, int], Field(description="Planned mails that are jobs, or were, by state.")
    ]


class PlannedCampaignPage(Page[PlannedCampaign]):
    """Some of them, by tenant and id."""


class PlannedCampaignQuery(PageQuery):
    """Which of them."""

    tenant: OnlyTenant = None


class CampaignPlan(Model):
    """What comes next of a campaign, as it stands now."""

    first_at: Annotated[Time | None, Field(description="When the next mail leaves.")]
    days: Annotated[
        dict[str, int],
        Field(description="How many mails go on each of the next days, by the reviewers' dates."),
    ]
    later: Annotated[int, Field(description="How many go after those.")]
    not_going: Annotated[
        dict[str, int], Field(description="How many that a rule names do not go, by reason.")
    ]


class ReviewersWanted(Model):
    """A page of a campaign's reviewers; each is judged for itself, as `Reviewer` says."""

    model_config = _WANTED | ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "roster": "2026-11-02",
                    "last": True,
                    "reviewers": [
                        {"id": "r7", "to": "anna@acme.example", "name": "Anna", "pending": 12}
                    ],
                }
            ]
        }
    )

    reviewers: Annotated[
        list[Any],
        Field(
            max_length=MAX_IN_PAGE,
            json_schema_extra={"items": {"$ref": "#/components/schemas/Reviewer"}},
        ),
    ]
    roster: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=64,
            pattern=r"^[\x20-\x7e]+$",
            description="A name for the list that this page is of: the same for all its pages.",
        ),
    ] = None
    last: Annotated[
        bool,
        Field(description="With `roster`: whoever is in no page of that list is removed now."),
    ] = False


class RejectedItem(Model):
    """An item of a page that was not taken, and why."""

    index: Annotated[int, Field(description="Its place in the list, from 0.")]
    field: str | None
    code: str
    detail: str


class ReviewersAnswer(Model):
    """What became of a page: how many were new, had changed, and were as they are."""

    added: int
    changed: int
    unchanged: int
    removed: int
    kept_progress: Annotated[
        int,
        Field(description="Of how many the page's `pending` does not count: newer news is known."),
    ]
    rejected: list[RejectedItem]


class ProgressWanted(Model):
    """News of progress; each is judged for itself, as `ProgressNews` says."""

    model_config = _WANTED | ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "progress": [
                        {
                            "reviewer": "r7",
                            "pending": 0,
                            "completed": 12,
                            "at": "2026-11-20T12:00:00Z",
                        }
                    ]
                }
            ]
        }
    )

    progress: Annotated[
        list[Any],
        Field(
            min_length=1,
            max_length=MAX_NEWS,
            json_schema_extra={"items": {"$ref": "#/components/schemas/ProgressNews"}},
        ),
    ]


class ProgressItem(Model):
    """What became of a news: a verdict, or why it was not taken."""

    reviewer: str | None
    verdict: ProgressVerdict | None = None
    code: str | None = None
    detail: str | None = None


class ProgressAnswer(Model):
    """One answer for each news, in order."""

    items: list[ProgressItem]


class RemindWanted(Model):
    """Whom to remind now, beside what is planned: some, or all who have something left."""

    model_config = _WANTED

    reviewers: Annotated[list[_Id] | None, Field(min_length=1, max_length=MAX_REMINDED)] = None
    all: bool = False
    within_hours: Annotated[
        bool, Field(description="Wait for each one's working hours; without it, at any hour.")
    ] = False


class Reminded(Model):
    """How many are reminded, and who is not: done already, or unknown."""

    reminded: int
    later: Annotated[int, Field(description="For how many of them it waits for their hours.")]
    complete: Annotated[int, Field(description="How many have nothing left to decide.")]
    unknown: Annotated[list[str], Field(description="Ids that the campaign does not have.")]
