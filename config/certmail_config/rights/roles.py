"""Who certmail is to Redis, and what each needs there.

What the ledger's scripts touch is read off them (`touches`). What stands here is what each process
does beside them; that it is all of it is seen by the tests of a deployment with these users.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from certmail_config.base import redis_keys as keys
from certmail_config.ledger.script import SHARED, lua_files
from certmail_config.rights.touches import ANY, Touch, touches
from certmail_config.stores.broker import QUEUE


class Role(StrEnum):
    """One of certmail's users in Redis."""

    PRODUCER = "producer"
    GATEWAY = "gateway"
    WORKER = "worker"
    FLOWER = "flower"
    OPERATOR = "operator"


WHO: Final = {
    Role.PRODUCER: "upstream applications: Mailer and AsyncMailer",
    Role.GATEWAY: "certmail gateway: console, set-up links, HTTP API",
    Role.WORKER: "certmail worker: has the vault keys, and all of the ledger",
    Role.FLOWER: "certmail flower: looks at workers and the queue",
    Role.OPERATOR: "whoever runs certmail's commands: doctor, tenants, connections, erase, send",
}


@dataclass(frozen=True, slots=True)
class Keyless:
    """Rules for commands without keys, and what for."""

    rules: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Rights:
    """All that one of them may do; `channels`: whether Celery's two."""

    role: Role
    keyless: tuple[Keyless, ...]
    touches: frozenset[Touch]
    channels: bool = False


_CELERY: Final = keys.CELERY_PREFIX
_QUEUE: Final = f"{_CELERY}{QUEUE}"
_BINDINGS: Final = f"{_CELERY}_kombu.binding*"
_REPLIES: Final = (f"{_CELERY}*reply.celery.pidbox", f"{_CELERY}celeryev.*")
"""What Celery makes for each that asks workers something, or hears their events."""
_CONNECTING: Final = Keyless(
    ("+ping", "+client|setinfo", "+client|setname", "+select", "+info", "+time", "+acl|whoami"),
    "connecting, and looking at the server: version, memory, replicas, time",
)
_SCRIPTS: Final = Keyless(
    ("+script|load",), "a server that was started anew does not know the ledger's scripts"
)
_WAITING: Final = Keyless(("+wait",), "CERTMAIL_DURABILITY=replicas:N")
_TRANSACTIONS: Final = Keyless(
    ("+multi", "+exec", "+discard", "+unwatch"), "changing what nobody else has changed meanwhile"
)
_PROOF: Final = Keyless(("+config|get",), "to see appendonly and appendfsync")
_PUBSUB: Final = Keyless(
    ("+publish", "+subscribe", "+psubscribe", "+unsubscribe", "+punsubscribe"),
    "Celery's events, and its questions to workers, on its two channels",
)
_CELERYS_SCRIPTS: Final = Keyless(("+script|exists",), "Celery's own scripts")
_OWN_RIGHTS: Final = Keyless(
    ("+acl|users", "+acl|dryrun"), "certmail doctor: what producers may do"
)
_SCANNING: Final = Keyless(("+scan",), "looking through its keys: what is there that should not be")
_WIPING: Final = Keyless(
    ("+bgrewriteaof",), "what is erased goes from the append-only file at once"
)
_OF_WORKERS_ONLY: Final = frozenset(
    {keys.TOKEN, keys.TOKEN_LOCK, keys.REFUSAL, keys.TOKEN_HOLD, keys.KEEPER, keys.BODY}
)


def _of(scripts: Iterable[str]) -> frozenset[Touch]:
    called = frozenset().union(*(touches(name) for name in scripts))
    # One key is named for each, and it is this one.
    return frozenset(each for each in called if each.key) | {Touch("EVALSHA", keys.DUE)}


def _all(commands: str, *names: str) -> frozenset[Touch]:
    return frozenset(Touch(command, name) for command in commands.split() for name in names)


def every_key() -> frozenset[str]:
    """Every key of certmail's, and the beginnings of those that there are several of."""
    return frozenset(keys.lua_names().values()) - {keys.CELERY_PREFIX}


PRODUCERS_SCRIPTS: Final = (
    "enqueue",
    "cancel",
    "cancel_matching",
    "survey",
    "survey_places",
    "survey_project",
)
_SETTLING_SCRIPTS: Final = ("settle", "close")
"""What the console does with reminders of unknown outcome."""
_CAMPAIGNS_SCRIPTS: Final = ("mark_unwanted", "withdraw")
"""What the API does where a review is complete, a campaign stands still, or an address changes."""
_PRODUCERS_OWN: Final = (
    _all("HGETALL HMGET HGET", keys.TENANT, keys.JOB, keys.LANE_INFO, keys.MAILBOX, keys.PROJECT)
    | _all("ZCOUNT", keys.LATER)
    | _all("SMISMEMBER", keys.PAUSED)
    | _all("XLEN", keys.EVENTS)
    | _all("SCARD", keys.TENANTS)
    | _all("GET", keys.PROVEN)
    | _all("SET", keys.WITNESS)
)
_DATA: Final = """
    GET MGET GETDEL SET MSET DEL EXISTS EXPIRE PEXPIRE TTL PTTL INCR INCRBY DECRBY
    HGET HMGET HGETALL HKEYS HLEN HSET HSETNX HDEL
    SADD SREM SMEMBERS SISMEMBER SMISMEMBER SCARD ZADD ZREM ZCARD ZCOUNT ZSCORE ZSCAN
    ZRANGE ZRANGEBYSCORE XLEN XRANGE XREVRANGE XTRIM EVALSHA WATCH
"""
_SENDING_TO_CELERY: Final = _all("LPUSH LLEN", _QUEUE) | _all("SADD SMEMBERS", _BINDINGS)


def rights_of(role: Role) -> Rights:
    """What one of them needs."""
    return _RIGHTS[role](role)


def _of_producer(role: Role) -> Rights:
    own = _of(PRODUCERS_SCRIPTS) | _PRODUCERS_OWN
    return Rights(role, (_CONNECTING, _SCRIPTS, _WAITING), own)


def _of_gateway(role: Role) -> Rights:
    scripts = (*PRODUCERS_SCRIPTS, *_SETTLING_SCRIPTS, *_CAMPAIGNS_SCRIPTS)
    called = {each for each in _of(scripts) if each.key not in _OF_WORKERS_ONLY}
    return Rights(
        role,
        (_CONNECTING, _SCRIPTS, _WAITING, _TRANSACTIONS, _PROOF),
        _all(_DATA, *(every_key() - _OF_WORKERS_ONLY))
        | called
        | _all("SET MSET DEL", keys.BODY)
        | _all("EXISTS", keys.KEEPER)
        | _SENDING_TO_CELERY,
    )


def _of_worker(role: Role) -> Rights:
    celerys = (_PUBSUB, _CELERYS_SCRIPTS)
    more = "BLPOP BRPOP LPUSH RPOP RPUSH LLEN EVAL XREAD ZREVRANGEBYSCORE"
    return Rights(
        role,
        (_CONNECTING, _SCRIPTS, _WAITING, _TRANSACTIONS, _PROOF, *celerys, _SCANNING, _WIPING),
        _anywhere(more),
        channels=True,
    )


def _of_flower(role: Role) -> Rights:
    return Rights(
        role,
        (_CONNECTING, _SCRIPTS, _CELERYS_SCRIPTS, _PUBSUB, _TRANSACTIONS),
        _all("LLEN EXISTS", _QUEUE)
        | _all("SADD SMEMBERS SREM ZADD ZREM ZRANGEBYSCORE EXISTS DEL EVALSHA", _BINDINGS)
        | _all("BRPOP LPUSH LLEN DEL EXPIRE PEXPIRE EXISTS", *_REPLIES),
        channels=True,
    )


def _of_operator(role: Role) -> Rights:
    looking = (_PROOF, _OWN_RIGHTS, _SCANNING, _WIPING)
    return Rights(
        role,
        (_CONNECTING, _SCRIPTS, _WAITING, _TRANSACTIONS, *looking),
        _anywhere("LPUSH"),
    )


_RIGHTS: Final = {
    Role.PRODUCER: _of_producer,
    Role.GATEWAY: _of_gateway,
    Role.WORKER: _of_worker,
    Role.FLOWER: _of_flower,
    Role.OPERATOR: _of_operator,
}


def _anywhere(more: str) -> frozenset[Touch]:
    """What every script does, and more, on all keys, Celery's too."""
    called = {each.command for each in _of(lua_files().keys() - set(SHARED))}
    return _all(f"{_DATA} {more} {' '.join(called)}", ANY)
