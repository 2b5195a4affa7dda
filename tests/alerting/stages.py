"""Where scenes are played, in order; what cannot be put right again has a stage of its own.

Not played are CertmailNoKeeper, CertmailWorkingCopyBehind, CertmailSampleStale, CertmailReplicaMissing
and CertmailGatewayFailing, which a system that works does not let happen for so long, and the two
that go by whole days (…Slowly): promtool judges them (scenarios.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from alerting import scenes
from alerting.judging import Findings, play, storm
from alerting.prometheus import Monitoring
from alerting.scenes import Scene
from alerting.stage import stage
from support.servers.postgres import Postgres


def everyday(folder: Path, watched: Monitoring, server: Postgres, found: Findings) -> None:
    """A storm without trouble, and then whatever can be put right again."""
    away = scenes.the_database_is_away(server)
    # fmt: off
    order = (
        Scene("a worker is killed", "ProcessDown", scenes.a_worker_is_killed),
        Scene("all workers are killed", "NoWorkers", scenes.all_workers_are_killed, may="ProcessDown"),
        Scene("the gateway is killed", "GatewayGone", scenes.the_gateway_is_killed, may="ProcessDown"),
        Scene("a process stands still, and goes on", "LoopBlocked", scenes.a_process_stands_still, may="ProcessDown GatewayGone"),
        Scene("a connection breaks", "ConnectionsInAttention", scenes.a_connection_breaks),
        Scene("a receiver of webhooks is gone", "WebhookDisabled", scenes.a_receiver_is_gone),
        Scene("a certificate ends in ten days", "CertificateEnding", scenes.a_certificate_of(10)),
        Scene("a certificate ends tomorrow", "CertificateEndsNow", scenes.a_certificate_of(1), may="CertificateEnding"),
        Scene("Redis fills", "RedisFilling", scenes.redis_has(0.78)),
        Scene("Redis is full", "RedisFull", scenes.redis_has(0.9), may="RedisFilling"),
        Scene("Redis is so full that nothing leaves", "RedisFull PacingStopped", scenes.redis_has(0.97), may="RedisFilling"),
        Scene("Redis stands still", "StoreDown", scenes.redis_stands_still, may="LoopBlocked NoKeeper NoWorkers ProcessDown"),
        Scene("the database is away", "StoreDown", away),
        Scene("sending is paused", "PauseForgotten", scenes.somebody_pauses),
        Scene("something else reads the queue", "DoorbellsUnanswered", scenes.a_thief_reads_the_queue, may="DueNotLeaving"),
        Scene("a table of connections is locked", "ServiceStandsStill", scenes.somebody_locks("connections"), may="SampleStale"),
        Scene("Google refuses everything", "GoogleFailing", scenes.google_refuses_everything),
        Scene("Google gives us no tokens", "OwnClientRefused", scenes.google_gives_us_no_tokens, may="ConnectionsInAttention"),
    )
    # fmt: on
    allowed = {"CERTMAIL_WEBHOOK_ALLOW": "http://127.0.0.1"}
    with stage("everyday", folder, watched, server, **allowed) as made:
        made.add_tenants(8)
        made.add_worker()
        made.add_worker()
        storm(made, found)
        for scene in order:
            play(made, scene, found)


def record(folder: Path, watched: Monitoring, server: Postgres, found: Findings) -> None:
    """The recorder stops, and the stream is short."""
    stops = scenes.somebody_locks("events", 15)
    scene = Scene("the recorder stops", "RecorderStopped StreamFilling", stops)
    with stage("record", folder, watched, server, CERTMAIL_EVENTS_MAX="400") as made:
        made.add_tenants(6)
        made.add_worker()
        play(made, scene, found)


def uncertain(folder: Path, watched: Monitoring, server: Postgres, found: Findings) -> None:
    """Answers are lost; that is not forgotten soon."""
    told, may = "OutcomesUncertain UncertainHeld", "OutcomesUncertainSlowly"
    lost = scenes.answers_are_lost
    scene = Scene("Google's answers are lost", told, lost, may=may, lasts=True)
    with stage("uncertain", folder, watched, server) as made:
        made.add_tenants(12)  # a mailbox waits after each, so that few of one are lost
        made.add_worker()
        play(made, scene, found)


def late(folder: Path, watched: Monitoring, server: Postgres, found: Findings) -> None:
    """Workers stand still for longer than the objective allows."""
    may = "NoWorkers ProcessDown DueNotLeaving RemindersLateSlowly LoopBlocked ServiceStandsStill"
    still = scenes.workers_stand_still
    scene = Scene("workers stand still", "RemindersLate", still, may=may, lasts=True)
    with stage("late", folder, watched, server) as made:
        made.add_tenants(12)  # of each mailbox the first counts: those behind it go by its pace
        made.add_worker()
        play(made, scene, found)


def small(folder: Path, watched: Monitoring, server: Postgres, found: Findings) -> None:
    """One delivery at a time, for too many tenants."""
    may = "RemindersLate RemindersLateSlowly"
    slow = scenes.google_is_slow_and_workers_few
    scene = Scene("workers are too few", "DueNotLeaving", slow, may=may, lasts=True)
    with stage("small", folder, watched, server) as made:
        made.add_tenants(40)
        made.add_worker(CERTMAIL_CONCURRENCY="1")
        play(made, scene, found)


def spoiled(folder: Path, watched: Monitoring, server: Postgres, found: Findings) -> None:
    """What is remembered for days: each is told beside those before."""
    all_of_it = "EventsSetAside Forged ClockOff"
    may = f"{all_of_it} NoWorkers ProcessDown GatewayGone"
    # fmt: off
    order = (
        Scene("somebody writes events", "EventsSetAside", scenes.somebody_writes_events, lasts=True),
        Scene("somebody forges a key", "EventsSetAside Forged", scenes.somebody_forges_a_key, lasts=True),
        Scene("a clock is off", all_of_it, scenes.googles_clock_is_ahead, lasts=True),
        Scene("all is down", "NotSeen", scenes.all_is_down, may=may, lasts=True),
    )
    # fmt: on
    with stage("spoiled", folder, watched, server) as made:
        made.add_tenants(2)
        made.add_worker()
        for scene in order:
            play(made, scene, found)


STAGES: Final[dict[str, Callable[[Path, Monitoring, Postgres, Findings], None]]] = {
    "everyday": everyday,
    "record": record,
    "uncertain": uncertain,
    "late": late,
    "small": small,
    "spoiled": spoiled,
}
SIDES: Final = ({"everyday"}, STAGES.keys() - {"everyday"})
"""What is played side by side: it mostly waits."""
