"""What `certmail doctor` says of the server: what it keeps, and how full it is. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from redis import Redis

from certmail_config.base.durability import NOTHING_PROMISED, Durability, DurabilityKind, prove
from certmail_config.base.errors import CertmailError
from certmail_config.stores.capacity import (
    PACING_SHARE,
    SHARE,
    Figures,
    StoreLimits,
    ask,
    read_figures,
    room,
)

NEARLY = 0.7
"""From this share on somebody should know."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was looked at."""

    check: Literal["durability", "memory", "stream"]
    severity: Literal["ok", "warning", "error"]
    message: str
    remedy: str = ""


def server_facts(redis: Redis, durability: Durability, limits: StoreLimits) -> Iterator[Fact]:
    """Durability, memory and stream; raises RedisError."""
    yield durability_fact(redis, durability)
    with redis.pipeline(transaction=False) as pipe:
        ask(pipe)
        figures = read_figures(pipe.execute())
    yield from fill(figures, limits)


def durability_fact(redis: Redis, durability: Durability) -> Fact:
    """Whether what was chosen is proven, declared, given up, or violated."""
    try:
        prove(redis, durability)
    except CertmailError as error:
        return Fact("durability", "error", error.message, error.remedy)

    match durability.kind:
        case DurabilityKind.FSYNC:
            return Fact("durability", "ok", "Every write is on disk before it is acknowledged.")
        case DurabilityKind.REPLICAS:
            return Fact(
                "durability",
                "ok",
                f"{durability.replicas} replicas confirm each receipt and each begin.",
            )
        case DurabilityKind.DECLARED:
            message = "CERTMAIL_DURABILITY=declared: what Redis keeps in a crash is not proven, but vouched for."
            remedy = (
                "Make sure with whoever runs it that each write is kept before it is acknowledged."
            )
            return Fact("durability", "warning", message, remedy)
        case DurabilityKind.NONE:
            remedy = "Set CERTMAIL_DURABILITY=fsync, or replicas:N."
            return Fact("durability", "warning", NOTHING_PROMISED, remedy)


def fill(figures: Figures, limits: StoreLimits) -> Iterator[Fact]:
    """How full memory and stream are; pure."""
    full = room(figures, limits)
    limit = figures.memory_limit(limits)
    if limit:
        share = figures.used / limit
        remedy = full.remedy if full and full.code == "redis_full" else "Give Redis more memory."
        message = f"{share:.0%} of Redis's memory is used; nothing more is taken in at {SHARE:.0%}, nothing more is sent at {PACING_SHARE:.0%}."
        yield Fact("memory", *_grade(share, message, remedy))
    else:
        remedy = "Set maxmemory on the server, or CERTMAIL_REDIS_MEMORY_MAX."
        yield Fact(
            "memory", "warning", "Redis does not say how much memory it may use, so certmail cannot stop in time.", remedy
        )  # fmt: skip

    share = figures.events / limits.events_max
    remedy = (
        full.remedy if full and full.code == "stream_full" else "See that the recorder reaches SQL."
    )
    message = f"{figures.events:,} events are in the stream, {share:.0%} of its bound; certmail stops at {SHARE:.0%}."
    yield Fact("stream", *_grade(share, message, remedy))


def _grade(
    share: float, message: str, remedy: str
) -> tuple[Literal["ok", "warning", "error"], str, str]:
    if share >= SHARE:
        return "error", message, remedy
    return ("warning", message, remedy) if share >= NEARLY else ("ok", message, "")
