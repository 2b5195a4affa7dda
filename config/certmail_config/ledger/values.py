"""What the ledger's transitions take and give.

Times are seconds since 1970 on the server's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from certmail_config.base.ids import ConnectionId, JobId
from certmail_config.jobs.states import AttemptOutcome, State


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker needs to know of a claimed job.

    `fence` and `nonce` name the claim. `failures` attempts have counted for its back-off;
    `refreshed` says that its last attempt met an expired token, `refused_token` which one, if that
    is known; `resent` that a copy may be out already; `strikes` is how often in a row its mailbox
    was told to wait without being told how long, `project_strikes` its project; `body` is the
    sealed reminder; `connection_seal` ends what is sealed of its connection now; `leave_at` is when
    pace, quota and Google's pauses let it leave, None where an older certmail has leased it.
    """

    id: JobId
    tenant: str
    connection: ConnectionId
    fence: int
    nonce: str
    failures: int
    refreshed: bool
    resent: bool
    strikes: int
    project_strikes: int
    enqueued_at: float
    expires_at: float
    body: bytes
    refused_token: str | None = None
    campaign: str = ""
    connection_seal: bytes = b""
    leave_at: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The ledger's answer to a producer; `id` is the earlier job's for a duplicate.

    `withdrawn` is only what a campaign planned, and did not want any more before it was enqueued.

    `ahead` is how many of its lane leave before it; of a scheduled one, those that wait for the
    same time or an earlier one. None where it does not wait.
    """

    code: Literal[
        "enqueued", "duplicate", "key_reused", "unknown_connection", "tenant_full", "withdrawn"
    ]
    id: JobId
    state: State | None
    ahead: int | None = field(default=None, compare=False)


class Stop(StrEnum):
    """Why nothing may leave, end or expire at all."""

    UNCHECKED = "unchecked"
    """Nobody has checked yet that this run of the server holds what was recorded."""
    CLOCK_LEAPT = "clock_leapt"
    """The server's clock is more than a minute ahead of where it should be."""
    PAUSED = "paused"
    """An operator lets nothing leave."""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """The jobs leased in one step of the pacer, and when it is to go on.

    That is in how many seconds the next lane may send; None: none waits. `unanswered` is how many
    doorbells are, with those of these jobs.
    """

    jobs: tuple[JobId, ...]
    next_in: float | None
    stopped: Stop | None = None
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class Claimed:
    """The job is this worker's to prepare until its lease ends."""

    job: Job


@dataclass(frozen=True, slots=True)
class Begun:
    """The write-ahead record is made: attempt `n` may leave."""

    attempt: int
    at: float


@dataclass(frozen=True, slots=True)
class RefusedBy:
    """The ledger's refusal; `why` is the state or the reason that stood against the call.

    `attempt` is one that was begun for this very claim, whose begin was answered too late: its
    request never left.
    """

    why: str
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why a lane is stopped, what to do, and the connection version that was found not to work."""

    code: str
    message: str
    version: int
    remedy: str = ""

    @property
    def words(self) -> str:
        """What is wrong and, on a line of its own, what to do: as lanes and events keep it."""
        return join_words(self.message, self.remedy)


def join_words(message: str, remedy: str) -> str:
    """See `Suspension.words`."""
    first = " ".join(message.split())
    return f"{first}\n{remedy}" if remedy else first


def split_words(words: str) -> tuple[str, str]:
    """Message and remedy, as `Suspension.words` joined them."""
    message, _, remedy = words.partition("\n")
    return message, remedy


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing leaves a mailbox, or its whole project, before `until`; then one job probes it.

    `named`: Google said so. `allowed`: it refused what was believed to be allowed, and says that it
    allows so many units a minute, or 0 if it does not say; None if that is not what it was about.
    `crowded`: too many requests of the mailbox were under way at once.
    """

    until: float
    named: bool
    project: bool = False
    allowed: int | None = None
    crowded: bool = False


@dataclass(frozen=True, slots=True)
class Settlement:
    """What follows an attempt.

    `at`: not before, for one that is scheduled; when a rule sends it again, for an uncertain one.

    `counts`: it counts for the job's back-off. `probe_in` says that an unknown outcome speaks of
    Google rather than of us: after three in a row the mailbox sends no more than one request in so
    many seconds until one succeeds.
    """

    outcome: AttemptOutcome
    to: State
    reason: str
    at: float | None = None
    counts: bool = False
    pause: Pause | None = None
    probe_in: float | None = None
    suspension: Suspension | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """The limits of a connection's lane.

    `mailbox` and `project` are keyed hashes; '' while there is none.

    The project's units are the share of it that this deployment may use; a mailbox that is new
    sends less for `warm_up_days`, in even steps.
    """

    connection: ConnectionId
    tenant: str
    mailbox: str
    units_per_minute: int
    in_flight: int
    version: int
    verify: bool = False
    project: str = ""
    per_day: int = 2000
    project_units_per_minute: int = 1_200_000
    project_units_per_day: int = 80_000_000
    warm_up_days: int = 0


@dataclass(frozen=True, slots=True)
class Reaped:
    """What one sweep looked at and moved: (job, from, to).

    `from` is None for a job that could not be read.
    """

    looked_at: int
    moved: tuple[tuple[JobId, State | None, State], ...]
    stopped: Stop | None = None


class Cancellation(StrEnum):
    """What became of the wish to call a reminder off."""

    CANCELLED = "cancelled"
    """It will not be sent."""
    ALREADY_SENDING = "already_sending"
    """Its request is under way; should that fail, it is not tried again."""
    UNCERTAIN = "uncertain"
    """A copy may be out; it is not sent again."""
    ALREADY_FINAL = "already_final"
    """It had ended before."""
    UNKNOWN = "unknown"
    """There is no such job, or it ended so long ago that it is forgotten."""


@dataclass(frozen=True, slots=True)
class CancelledPage:
    """How many of the jobs looked at were called off, were already sending, or stay uncertain.

    Cursor 0 is the end.
    """

    cursor: int
    cancelled: int
    already_sending: int
    uncertain: int


@dataclass(frozen=True, slots=True)
class Tick:
    """The ledger's time, and whether the server's clock leapt ahead of it and was not believed."""

    now: float
    leapt: bool


class Act(StrEnum):
    """What a person did that moves no reminder; the event's type.

    Pausing, suspending, opening and removing have events of their own, with `by` too.
    """

    TENANT_ADDED = "tenant_added"
    TENANT_CHANGED = "tenant_changed"
    TENANT_REMOVED = "tenant_removed"
    TEMPLATES_PUBLISHED = "templates_published"
    CONNECTION_SET_UP = "connection_set_up"
    CONNECTION_CORRECTED = "connection_corrected"
    LIMITS_CHANGED = "limits_changed"
    CERTIFICATE_MADE = "certificate_made"
    SETUP_LINK_MADE = "setup_link_made"
    DELEGATION_LINK_MADE = "delegation_link_made"
    CONNECTION_SUSPENDED = "connection_suspended"
    CONNECTION_RESUMED = "connection_resumed"
    CONNECTION_PROBED = "connection_probed"
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    ADDRESS_ERASED = "address_erased"
    VAULT_ROTATED = "vault_rotated"
    OPERATOR_ADDED = "operator_added"
    OPERATOR_CHANGED = "operator_changed"
    OPERATOR_RESET = "operator_reset"
    OPERATOR_DISABLED = "operator_disabled"
    OPERATOR_ENABLED = "operator_enabled"
    OPERATOR_REMOVED = "operator_removed"
    SIGNED_IN = "signed_in"
    CAMPAIGN_ADDED = "campaign_added"
    CAMPAIGN_CHANGED = "campaign_changed"
    CAMPAIGN_REVIEWERS_CHANGED = "campaign_reviewers_changed"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_RESUMED = "campaign_resumed"
    CAMPAIGN_STOPPED = "campaign_stopped"
    CAMPAIGN_REMINDED = "campaign_reminded"
    CAMPAIGN_REMOVED = "campaign_removed"
    WEBHOOK_ADDED = "webhook_added"
    WEBHOOK_CHANGED = "webhook_changed"
    WEBHOOK_PAUSED = "webhook_paused"
    WEBHOOK_RESUMED = "webhook_resumed"
    WEBHOOK_ROTATED = "webhook_rotated"
    WEBHOOK_REPLAYED = "webhook_replayed"
    WEBHOOK_REMOVED = "webhook_removed"
