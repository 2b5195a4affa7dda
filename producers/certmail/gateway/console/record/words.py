"""What states, kinds and events of reminders are called in the console, marked for catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from certmail.gateway.console.texts import N_
from certmail_config.jobs.states import State
from certmail_config.sql.record.groups import StateGroup

STATES: Final[Mapping[State, tuple[str, str]]] = {
    State.SCHEDULED: ("wait", N_("Scheduled")),
    State.READY: ("wait", N_("Waiting")),
    State.DISPATCHED: ("wait", N_("Being prepared")),
    State.SENDING: ("wait", N_("Being sent")),
    State.UNCERTAIN: ("bad", N_("Uncertain")),
    State.ACCEPTED: ("good", N_("Accepted")),
    State.FAILED: ("bad", N_("Failed")),
    State.CANCELLED: ("idle", N_("Cancelled")),
    State.SUPPRESSED: ("idle", N_("Suppressed")),
    State.EXPIRED: ("idle", N_("Expired")),
}
"""Tone and name of each state."""
GROUPS: Final[Mapping[StateGroup, tuple[str, str, str]]] = {
    StateGroup.ACCEPTED: ("good", N_("Accepted"), N_("Gmail took it")),
    StateGroup.WAITING: ("wait", N_("Waiting"), N_("for their turn or time")),
    StateGroup.UNCERTAIN: ("bad", N_("Uncertain"), N_("Gmail’s answer was lost")),
    StateGroup.NOT_SENT: ("idle", N_("Not sent"), N_("failed, cancelled, suppressed, expired")),
}
"""Tone, name and meaning of each group of states, in the order of a page."""
KINDS: Final[Mapping[str, str]] = {
    "notice": N_("Notice"),
    "reminder": N_("Reminder"),
    "final": N_("Final reminder"),
    "overdue": N_("Overdue"),
    "escalation": N_("Escalation"),
    "digest": N_("Digest"),
    "custom": N_("Message"),
}
ENQUEUED: Final[Mapping[State, tuple[str, str]]] = {
    State.READY: ("idle", N_("Taken in")),
    State.SCHEDULED: ("idle", N_("Taken in; it waits for its time")),
    State.SUPPRESSED: ("idle", N_("Taken in, and not to be sent")),
}
RELEASED: Final[Mapping[State, tuple[str, str]]] = {
    State.READY: ("wait", N_("Put back: it waits for its turn")),
    State.SCHEDULED: ("wait", N_("Put off: it waits")),
    State.FAILED: ("bad", N_("It cannot be sent")),
    State.SUPPRESSED: ("idle", N_("Not sent: no longer wanted")),
    State.EXPIRED: ("idle", N_("Not sent: its time has passed")),
    State.UNCERTAIN: ("bad", N_("Closed: what became of an earlier request is unknown")),
}
OUTCOMES: Final[Mapping[str, tuple[str, str]]] = {
    "accepted": ("good", N_("Gmail accepted it")),
    "not_sent": ("wait", N_("It did not leave")),
    "rejected": ("bad", N_("Gmail refused it")),
    "unknown": ("bad", N_("Gmail’s answer was lost")),
}
"""Of a request that was settled, by its outcome."""
FOUND: Final[Mapping[str, tuple[str, str]]] = {
    "accepted": ("good", N_("Found among the sent mails: it had left")),
    "not_sent": ("wait", N_("Not found among the sent mails: it is sent again")),
}
"""The same where certmail has looked it up."""
BY_HAND: Final[Mapping[str, tuple[str, str]]] = {
    "accepted": ("good", N_("Settled by a person: it arrived")),
    "not_sent": ("wait", N_("Settled by a person: it did not arrive")),
}
LOST: Final = ("bad", N_("Its worker was lost while the request was under way"))
GIVEN_BACK: Final = ("wait", N_("Its worker was lost before anything was sent"))
HAPPENED: Final[Mapping[str, tuple[str, str]]] = {
    "begun": ("idle", N_("The request to Gmail began")),
    "due": ("idle", N_("Its time came: it waits for its turn")),
    "held": ("wait", N_("It waits for a person to decide")),
    "resent": ("wait", N_("Sent again by the rule: it may arrive twice")),
    "closed": ("idle", N_("Closed: nobody can say whether it arrived")),
    "cancelled": ("idle", N_("Cancelled")),
    "withdrawn": ("idle", N_("Taken back by its campaign")),
    "overtaken": (
        "wait",
        N_("Its campaign did not want it any more, but its request was under way"),
    ),
    "expired": ("idle", N_("Expired: its time passed while it waited")),
    "reaped": ("bad", N_("It was given up after its workers were lost")),
    "broken": ("bad", N_("Somebody altered it in Redis so that it cannot be read")),
    "restored": ("wait", N_("Put back by a repair after a restore")),
    "mended": ("wait", N_("Mended by a repair")),
}
"""Title of every other event, by its type."""
LANE: Final[Mapping[str, tuple[str, str]]] = {
    "suspended": ("bad", N_("Its mailbox was stopped: it waited")),
    "opened": ("idle", N_("Its mailbox went on")),
    "paused": ("wait", N_("An operator paused sending: it waited")),
    "resumed": ("idle", N_("An operator let sending go on")),
    "slowed": ("wait", N_("Google asked for a slower pace")),
}
"""What happened to all that waited with it."""
PACED: Final = N_(
    "It had waited for its turn: mails leave one by one, at the pace that Google allows."
)
OTHER: Final = ("idle", N_("Something happened"))
