"""Durability: what survives a crash of Redis, and how that is proven.

It holds for a receipt, and for the record that a request is about to leave.

    fsync        the server has it on disk before it answers
                 proven: seen in the server's configuration
    replicas:N   so many replicas have it too
                 proven: counted at the start, waited for at each enqueue and begin
    declared     the operator says so of a server that hides it
                 not proven: doctor warns
    none         nothing is promised: not to lose, nor to send only once

What is not proven is refused, since a promise that breaks with the next power cut is found out too
late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from certmail_config.base import redis_keys
from certmail_config.base.errors import StoresUnreachable
from certmail_config.base.redis_answers import value_of
from certmail_config.base.redis_errors import refused

CODES: Final = frozenset({"durability_unproven", "not_durable"})
PATTERN: Final = r"^(fsync|replicas:[1-9][0-9]?|declared|none)$"
"""How CERTMAIL_DURABILITY is written."""
NOTHING_PROMISED: Final = "CERTMAIL_DURABILITY=none: reminders may be lost, or sent twice, when Redis stops. Neither is certmail's promise here."
_CHOICES: Final = (
    "or choose another CERTMAIL_DURABILITY: fsync (appendonly yes, appendfsync always), replicas:N (N replicas confirm each "
    "write), declared (you vouch for a server that hides its CONFIG), none (nothing is promised)."
)


class DurabilityKind(StrEnum):
    """The choices; see the module."""

    FSYNC = "fsync"
    REPLICAS = "replicas"
    DECLARED = "declared"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Durability:
    """One choice; `replicas` is how many must confirm, 0 where none is asked."""

    kind: DurabilityKind
    replicas: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read CERTMAIL_DURABILITY, whose form the settings have checked."""
        kind, _, count = text.partition(":")
        return cls(DurabilityKind(kind), int(count or 0))

    def __str__(self) -> str:
        return f"{self.kind}:{self.replicas}" if self.replicas else str(self.kind)


FSYNC: Final = Durability(DurabilityKind.FSYNC)


@dataclass(frozen=True, slots=True)
class Server:
    """What a server shows of itself.

    `online` counts its replicas; `appendonly` and `appendfsync` are None where it hides them.
    `vouched`: a worker, which may see them, has seen what `fsync` wants in this run of the server.
    """

    role: str
    online: int
    eviction: str | None
    aof_enabled: bool
    aof_written: bool
    appendonly: str | None
    appendfsync: str | None
    vouched: bool = False


@dataclass(frozen=True, slots=True)
class Unproven:
    """Why something is not proven, and what would prove it."""

    why: str
    remedy: str


def find_unproven(server: Server, durability: Durability) -> Unproven | None:
    """Decide whether a server keeps what was chosen; pure. None when nothing speaks against it."""
    if durability.kind is DurabilityKind.NONE:
        return None
    if server.role != "master":
        return Unproven("it is a replica", "Name the primary in CERTMAIL_REDIS_URL")
    if server.eviction is None and durability.kind is not DurabilityKind.DECLARED:
        return Unproven("it hides its maxmemory-policy", "Let certmail's user run INFO")
    if server.eviction not in {None, "noeviction"}:
        why = f"its maxmemory-policy is {server.eviction}, so that it may throw away what it holds"
        return Unproven(why, "Set maxmemory-policy noeviction on the server")
    if durability.kind is DurabilityKind.REPLICAS and server.online < durability.replicas:
        why = f"{server.online} of {durability.replicas} replicas are online"
        return Unproven(why, "Attach its replicas, or bring them back")
    if durability.kind is DurabilityKind.FSYNC:
        return _find_unproven_fsync(server)

    return None


def _find_unproven_fsync(server: Server) -> Unproven | None:
    if not server.aof_enabled or server.appendonly == "no":
        return Unproven(
            "appendonly is no, so that it keeps nothing on disk", "Set appendonly yes on the server"
        )
    if server.appendfsync is None and not server.vouched:
        return Unproven(
            "it hides its CONFIG, and no worker has seen that since it was started",
            "Start a worker or a gateway, whose user may run CONFIG GET",
        )
    if server.appendfsync not in {None, "always"}:
        why = f"appendfsync is {server.appendfsync}, so that a crash can lose what was acknowledged"
        return Unproven(why, "Set appendfsync always on the server")
    if not server.aof_written:
        return Unproven(
            "its last write to disk failed", "See its log, and whether its disk is full"
        )

    return None


def read_server(redis: Redis) -> Server:
    """Look at a server; raises RedisError."""
    with redis.pipeline(transaction=False) as pipe:
        for section in ("server", "replication", "memory", "persistence"):
            pipe.info(section)
        info: dict[str, Any] = {}
        for part in pipe.execute():
            info |= part

    appendfsync = _config(redis, "appendfsync")
    return Server(
        role=str(info.get("role")),
        online=online_replicas(info),
        eviction=info.get("maxmemory_policy"),
        aof_enabled=str(info.get("aof_enabled")) == "1",
        aof_written=info.get("aof_last_write_status") == "ok",
        appendonly=_config(redis, "appendonly"),
        appendfsync=appendfsync,
        vouched=appendfsync is None and _vouched(redis, str(info.get("run_id"))),
    )


def vouch(redis: Redis, durability: Durability) -> None:
    """Say that this run of the server was seen to keep what was chosen; raises RedisError.

    For producers, which need not see its CONFIG: with it they would see passwords.
    """
    run = redis.info("server")["run_id"]
    redis.set(redis_keys.PROVEN, f"{run}|{durability}")


def _vouched(redis: Redis, run: str) -> bool:
    try:
        return value_of(redis, redis_keys.PROVEN) == f"{run}|{DurabilityKind.FSYNC}".encode()
    except ResponseError:
        return False


def online_replicas(info: Mapping[str, Any]) -> int:
    """How many replicas are attached and have caught up, from INFO's section `replication`."""
    replicas = [
        value
        for name, value in info.items()
        if name.startswith("slave") and isinstance(value, dict)
    ]
    return sum(replica.get("state") == "online" for replica in replicas)


def _config(redis: Redis, name: str) -> str | None:
    """Read one value of the server's configuration.

    None where it is hidden: renamed, forbidden, or left out.
    """
    try:
        # Awaitable for the other client.
        found: dict[str, str] = redis.config_get(name)  # type: ignore[assignment]
    except ResponseError:
        return None
    return found.get(name)


def prove(redis: Redis, durability: Durability) -> None:
    """Require that a server keeps what was chosen.

    Raises StoresUnreachable, which says what is not proven.
    """
    try:
        found = find_unproven(read_server(redis), durability)
    except RedisError as error:
        if known := refused(error):
            raise known from error
        message = (
            f"CERTMAIL_DURABILITY={durability} cannot be proven: Redis does not answer: {error}"
        )
        raise StoresUnreachable(
            "redis_unreachable", message, "Start it, or check CERTMAIL_REDIS_URL."
        ) from error

    if found is not None:
        message = f"CERTMAIL_DURABILITY={durability} is not proven for this Redis: {found.why}."
        raise StoresUnreachable("durability_unproven", message, f"{found.remedy}, {_CHOICES}")


def not_durable(durability: Durability) -> StoresUnreachable:
    """What a producer is told when too few replicas confirmed in time."""
    return StoresUnreachable(
        "not_durable",
        f"Fewer than {durability.replicas} replicas of Redis confirmed within a second, so that nothing is promised.",
        "Bring the replicas back and send the same reminders again: what is in already is not sent twice.",
    )
