"""Remote control that is read-only.

What Flower asks of a worker is answered; what would change one is refused, and logged.

Whoever can publish in Redis could otherwise stop a fleet without a trace: a rate limit of one an
hour, say, or no queue any more.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from celery import Celery
from kombu.pidbox import Node

log = logging.getLogger(__name__)

READ_ONLY_COMMANDS: Final = frozenset(
    {
        "ping",
        "hello",  # of workers that start; what it would have us revoke is left out
        "stats",
        "active",
        "dump_active",
        "active_queues",
        "registered",
        "dump_tasks",
        "reserved",
        "dump_reserved",
        "scheduled",
        "dump_schedule",
        "revoked",
        "dump_revoked",
        "conf",
        "dump_conf",
        "query_task",
        "report",
        "clock",
        "enable_events",  # they are on already; Flower asks for them again and again
        "heartbeat",  # whoever begins to watch events, as Flower does, asks to be told at once
    }
)
MAX_CLOCK: Final = 2**53
"""Celery's clocks take over whatever is later; from here on a number is no count of messages."""
_FIELDS: Final = frozenset(
    {"method", "arguments", "destination", "pattern", "matcher", "reply_to", "ticket"}
)


def why_malformed(body: object, headers: Mapping[str, Any]) -> str | None:
    """Why a command cannot be one; None if it can. Pure."""
    if not isinstance(body, dict) or not isinstance(body.get("method"), str):
        return "no command"
    if not body.keys() <= _FIELDS or not isinstance(body.get("arguments") or {}, dict):
        return "a command with arguments that are none"

    destination, to = body.get("destination"), body.get("reply_to")
    if destination is not None and not isinstance(destination, list | tuple):
        return "a command to nowhere"
    if body.get("matcher") not in (None, "glob") or not isinstance(body.get("pattern") or "", str):
        return "a command to nowhere"  # an expression can be made to take for ever
    if not isinstance(body.get("ticket") or "", str):
        return "a command whose reply would go nowhere"
    if to is not None and not _is_address(to):
        return "a command whose reply would go nowhere"

    clock = headers.get("clock") or 0
    if not isinstance(clock, int) or not 0 <= clock < MAX_CLOCK:
        return "a command of no time"

    return None


def _is_address(to: object) -> bool:
    return isinstance(to, dict) and all(
        isinstance(to.get(name), str) for name in ("exchange", "routing_key")
    )


class ReadOnlyNode(Node):
    """One worker's end of the remote control, which takes commands that look, and no others."""

    def handle_message(self, body: Any, message: Any = None) -> Any:
        """Take up a command, if it is one."""
        why = why_malformed(body, (message.headers or {}) if message is not None else {})
        if why is not None:
            log.error("command_refused", extra={"why": why, "alike": why})
            return None

        # kombu carries few types.
        return super().handle_message(body, message)  # type: ignore[no-untyped-call]

    def handle(self, method: str, arguments: dict[str, Any] | None = None) -> Any:
        """Carry out a command that looks, and no other."""
        if method not in READ_ONLY_COMMANDS:
            remedy = "Nothing was changed. Whoever can write to Redis has sent it: see who can."
            why = method[:40] if method in (self.handlers or {}) else "unknown"
            log.error("command_refused", extra={"why": why, "remedy": remedy, "alike": why})
            return {
                "error": "certmail's workers answer those who look, and nobody who would change them"
            }

        given = dict(arguments or {})
        if method == "hello":
            given["revoked"] = None
        answer = super().handle(method, given)  # type: ignore[no-untyped-call]  # as above
        return _without_passwords(answer) if method == "stats" else answer


def _without_passwords(stats: Any) -> Any:
    """What a worker says of itself, without what Celery forgets to hide of its sentinels."""
    broker = stats.get("broker") if isinstance(stats, dict) else None
    if not isinstance(broker, dict):
        return stats
    options = dict(broker.get("transport_options") or {})
    options.pop("sentinel_kwargs", None)
    return {**stats, "broker": {**broker, "alternates": [], "transport_options": options}}


def refuse_changes(app: Celery) -> None:
    """Make the remote control of this app's workers read-only."""
    app.control.mailbox.node_cls = ReadOnlyNode
