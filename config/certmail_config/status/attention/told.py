"""What needs a person as API and command line give it: each thing with why, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from certmail_config.sql.campaigns.campaigns import KeptCampaign
from certmail_config.sql.webhooks.endpoints import Endpoint
from certmail_config.status.attention.attention import Attention
from certmail_config.status.attention.standing import ConnectionStanding
from certmail_config.status.ending_certificates import EndingCertificate
from certmail_config.webhooks.health import EndpointState
from certmail_config.webhooks.targets import host_of

NO_WORKER: Final = "No worker is running: nothing is sent, and nothing can be checked."
START_ONE: Final = "Start a worker: certmail worker, or certmail up."
_OF_OUTCOME: Final = (
    "job", "tenant", "campaign", "kind", "recipient", "mailbox", "reason", "waits_for",
    "possible_duplicate", "updated_at",
)  # fmt: skip


def told(found: Attention, now: datetime) -> dict[str, Any]:
    """The whole of it, as values by name."""
    return {
        "calm": found.calm,
        "stopped": list(_stopped(found)),
        "connections": [_connection(each) for each in found.connections],
        "uncertain": {
            "reminders": [_outcome(row) for row in found.uncertain.rows],
            "total": found.uncertain.total,
            "capped": found.uncertain.capped,
        },
        "webhooks": [_webhook(each) for each in found.webhooks],
        "certificates": [_certificate(each, now) for each in found.certificates],
        "campaigns": [_campaign(each) for each in found.campaigns],
    }


def _stopped(found: Attention) -> list[dict[str, str]]:
    """What stops everything."""
    stops = [] if found.workers else [(NO_WORKER, START_ONE)]
    stops += [found.paused] if found.paused is not None else []
    return [{"message": message, "remedy": remedy} for message, remedy in stops]


def _connection(each: ConnectionStanding) -> dict[str, Any]:
    connection = each.connection
    return {
        "id": connection.id,
        "tenant": connection.tenant,
        "name": connection.name,
        "mailbox": connection.mailbox,
        "code": connection.code,
        "message": each.message,
        "remedy": each.remedy,
        "waiting": each.lane.waiting,
    }


def _outcome(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _OF_OUTCOME}


def _webhook(each: Endpoint) -> dict[str, Any]:
    disabled = each.health.state is EndpointState.DISABLED
    return {
        "id": each.id,
        "host": host_of(each.url),
        "state": each.health.state,
        "code": each.health.code,
        "since": each.health.since,
        "message": each.error or "It takes no messages.",
        "remedy": f"Mend the receiver, then: certmail webhooks resume {each.id}"
        if disabled
        else f"certmail webhooks test {each.id}",
    }


def _certificate(each: EndingCertificate, now: datetime) -> dict[str, Any]:
    name = f"{each.tenant}/{each.name}"
    return {
        "connection": each.connection,
        "tenant": each.tenant,
        "name": each.name,
        "not_after": each.not_after,
        "ended": each.not_after <= now,
        "remedy": f"Upload the next one: certmail connections certificate {name}"
        if each.rotating
        else f"Make the next one, and upload it: certmail connections rotate {name}",
    }


def _campaign(each: KeptCampaign) -> dict[str, Any]:
    tenant, id_ = each.key
    return {
        "tenant": tenant,
        "campaign": id_,
        "failures": each.failures,
        "message": each.error or "It could not be planned.",
        "tried_again": each.retry_at,
        "remedy": f"Mend what it names, then: certmail campaign show {tenant}/{id_}",
    }
