"""Lua scripts as values: a `Call` says what to run and how to read the answer.

`run`, `arun` and their kin do it.

Deciding what to call is the same for synchronous producers and asynchronous workers; only these few
lines differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from redis.exceptions import NoScriptError, RedisError, ResponseError

from certmail_config.base import redis_keys
from certmail_config.ledger.assembly import assemble

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

T = TypeVar("T")
Value = str | bytes | int
SHARED = ("prelude", "meters", "moves")
"""Files whose definitions each script may name, in this order."""
WAIT_MS = 1000
"""How long replicas may take to confirm."""


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua file, with what it needs of the shared ones before it."""

    name: str
    source: str
    sha: str


@cache
def lua_files() -> dict[str, Traversable]:
    """The Lua files by their names, whichever folder of `lua/` they lie in.

    A script is known by its name alone.
    """
    folders = [folder for folder in files(__package__).joinpath("lua").iterdir() if folder.is_dir()]
    found = [file for folder in folders for file in folder.iterdir() if file.name.endswith(".lua")]
    return {file.name.removesuffix(".lua"): file for file in found}


@cache
def load(name: str) -> Script:
    """Read a script with what it needs of the shared files; once per process."""
    found = lua_files()
    *shared, script = (found[part].read_text("utf-8") for part in (*SHARED, name))
    source = assemble(script, shared, redis_keys.lua_names())
    return Script(name, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A script with its arguments, and how its answer is read."""

    script: Script
    args: tuple[Value, ...]
    read: Callable[[Any], T]

    def evalsha(self) -> tuple[str, int, str, *tuple[Value, ...]]:
        # One key is named for routing; all others share its hash tag.
        return (self.script.sha, 1, redis_keys.DUE, *self.args)


def run(redis: Redis, call: Call[T]) -> T:
    """Run one call; a server that does not know the script is given it."""
    try:
        answer = redis.evalsha(*call.evalsha())
    except NoScriptError:
        redis.script_load(call.script.source)
        answer = redis.evalsha(*call.evalsha())
    return call.read(answer)


async def arun(redis: AsyncRedis, call: Call[T]) -> T:
    """Run one call on an asyncio client; as `run`."""
    try:
        answer = await redis.evalsha(*call.evalsha())
    except NoScriptError:
        await redis.script_load(call.script.source)
        answer = await redis.evalsha(*call.evalsha())
    return call.read(answer)


async def arun_durably(redis: AsyncRedis, call: Call[T], replicas: int) -> tuple[T, bool]:
    """Run one call on an asyncio client; gives also whether so many replicas confirmed it.

    With 0 `replicas` none is asked.
    """
    if not replicas:
        return await arun(redis, call), True

    async with redis.pipeline(transaction=False) as pipe:
        for command in commands([call], replicas):
            pipe.execute_command(*command)  # queued
        answer, _, confirmed = await pipe.execute(raise_on_error=False)

    if isinstance(answer, NoScriptError):
        await redis.script_load(call.script.source)
        return await arun_durably(redis, call, replicas)

    return call.read(_sound(answer)), _sound(confirmed) >= replicas


def run_many(redis: Redis, calls: Sequence[Call[T]], *, replicas: int = 0) -> tuple[list[T], bool]:
    """Run many calls in one round trip, so that one fsync serves them all; each stays atomic.

    Gives also whether so many replicas have confirmed all of them; 0 asks none.
    """
    answers, durable = run_each(redis, calls, replicas=replicas)
    return [_sound(answer) for answer in answers], durable


def run_each(
    redis: Redis, calls: Sequence[Call[T]], *, replicas: int = 0
) -> tuple[list[T | RedisError], bool]:
    """As `run_many`, but a call that the server refuses does not spoil the others.

    Its error stands in the place of its answer.
    """
    if len(calls) == 1 and not replicas:
        try:
            return [run(redis, calls[0])], True
        except ResponseError as error:
            return [error], True

    answers = _pipeline(redis, calls, replicas)
    # A server that was started anew meanwhile.
    if any(isinstance(answer, NoScriptError) for answer in answers):
        for script in {call.script.sha: call.script for call in calls}.values():
            redis.script_load(script.source)
        answers = _pipeline(redis, calls, replicas)  # called again, they give the same answers

    return read_each(calls, answers, replicas)


def read_each(
    calls: Sequence[Call[T]], answers: Sequence[Any], replicas: int
) -> tuple[list[T | RedisError], bool]:
    """What `run_each` gives, from the answers to its `commands`."""
    confirmed = _sound(answers[-1]) if replicas else 0
    read = [
        answer if isinstance(answer, RedisError) else call.read(answer)
        for call, answer in zip(calls, answers, strict=False)
    ]
    return read, confirmed >= replicas


def commands(calls: Sequence[Call[Any]], replicas: int) -> list[tuple[Value, ...]]:
    """All that is sent for some calls; each command is answered once."""
    sent: list[tuple[Value, ...]] = [("EVALSHA", *call.evalsha()) for call in calls]
    return sent + _witnessed(replicas) if replicas else sent


def _pipeline(redis: Redis, calls: Sequence[Call[T]], replicas: int) -> list[Any]:
    """All calls in one round trip; gives what came back, refusals too.

    Raises RedisError where nothing did.
    """
    with redis.pipeline(transaction=False) as pipe:
        for command in commands(calls, replicas):
            pipe.execute_command(*command)  # type: ignore[no-untyped-call]
        return pipe.execute(raise_on_error=False)


def _witnessed(replicas: int) -> list[tuple[Value, ...]]:
    """What waits for replicas at the end of a pipeline.

    WAIT speaks of what its own connection wrote, and a call that was made before (a duplicate, a
    retried command) writes nothing: without a write of ours it would confirm at once what no
    replica has.
    """
    return [("SET", redis_keys.WITNESS, b""), ("WAIT", replicas, WAIT_MS)]


def _sound(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer
