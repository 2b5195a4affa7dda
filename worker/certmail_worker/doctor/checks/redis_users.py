"""As whom certmail is in Redis, and what producers could do there that they need not.

What a user may do is asked of the server (ACL DRYRUN, Redis 7 or newer), where it lets us.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address
from typing import Any, Final

from redis import Redis
from redis.exceptions import ResponseError

from certmail_config.rights.excess import ADMINISTERING, PRODUCERS_NAME, READING, may
from certmail_config.settings import Settings
from certmail_worker.doctor.checks.findings import Finding, Severity

CHECK: Final = "redis users"
REMEDY: Final = (
    "Give each process a user of its own: `certmail redis acl` prints them (docs/redis-user.md)."
)
_SOME: Final = 4


def redis_users(redis: Redis, settings: Settings) -> Iterator[Finding]:
    """Whether somebody comes in without a password, and who may more than they need."""
    if settings.redis_url is None:
        yield _ok(
            "The embedded server lets in whoever can open its socket: the user that it runs as."
        )
        return

    own = _text(_asked(redis, "WHOAMI"))
    if own is None:
        yield _ok("Redis does not say as whom certmail is there, nor what producers could do.")
        return

    found = [*_open_to_all(redis, own), *_administers(redis, own), *_producers(redis, own)]
    yield from found or [
        _ok(f"certmail is the user {own}, and producers can neither read content nor administer.")
    ]


def _ok(message: str) -> Finding:
    return Finding(CHECK, Severity.OK, message)


def _open_to_all(redis: Redis, own: str) -> Iterator[Finding]:
    """Whether the user `default` is on and has no password, as in a server that is new."""
    if not _may_look_at_users(redis, own):
        return
    user = _asked(redis, "GETUSER", "default")
    if not isinstance(user, dict | list):
        return
    flags = dict(zip(user[::2], user[1::2], strict=False)) if isinstance(user, list) else user
    found: Any = flags.get(b"flags") or flags.get("flags") or []
    names = {_text(flag) for flag in found}
    if not {"on", "nopass"} <= names:
        return

    if _reachable(redis):
        message = "Anybody who reaches Redis can read and administer it: its user default has no password, and it listens on the network."
        yield Finding(CHECK, Severity.ERROR, message, REMEDY)
    else:
        message = "Whoever is on Redis's machine can read and administer it: its user default has no password."
        yield Finding(CHECK, Severity.WARNING, message, REMEDY)


def _may_look_at_users(redis: Redis, own: str) -> bool:
    """Whether we may; where that can be asked it is not tried, since the server logs what it refuses."""
    if _asked(redis, "DRYRUN", own, "PING") is None:
        return _asked(redis, "GETUSER", own) is not None
    return _allowed(redis, own, ("ACL", "GETUSER", own))


def _reachable(redis: Redis) -> bool:
    """Whether it answers others than its own machine."""
    try:
        shown: dict[str, Any] = {}
        for name in ("bind", "protected-mode"):
            answer: Any = redis.config_get(name)
            shown |= answer
    except ResponseError:
        return False
    if shown.get("protected-mode") != "no":
        return False  # without a password it answers nobody else
    return not all(map(_is_loopback, str(shown.get("bind") or "*").split()))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.removeprefix("-")).is_loopback
    except ValueError:
        return False


def _administers(redis: Redis, own: str) -> Iterator[Finding]:
    can = _may(redis, own, ADMINISTERING)
    if can is None:
        # Whoever may look at another user may do everything else, too.
        can = ["change its users"] if _may_look_at_users(redis, own) else []
    if can:
        yield Finding(
            CHECK,
            Severity.WARNING,
            f"certmail is the user {own} in Redis, which can {_listed(can)}; whoever has its URL can, too.",
            REMEDY,
        )


def _producers(redis: Redis, own: str) -> Iterator[Finding]:
    listed = _asked(redis, "USERS")
    names = [str(_text(name)) for name in listed] if isinstance(listed, list) else []
    producers = [name for name in names if PRODUCERS_NAME in name]

    if not isinstance(listed, list):
        if PRODUCERS_NAME not in own:
            yield _ok(
                f"The user {own} may not see which users Redis has, so it cannot be told what producers could do."
            )
        return
    if not producers:
        message = "There is no user for producers in Redis, so they can read and change whatever certmail can."
        yield Finding(CHECK, Severity.WARNING, message, REMEDY)

    for name in producers:
        can = _may(redis, name, (*READING, *ADMINISTERING))
        if can is None:
            yield _ok(f"This server does not say what the user {name} may do (ACL DRYRUN).")
        elif can:
            message = f"The user {name}, a producer by its name, can {_listed(can)} in Redis."
            yield Finding(CHECK, Severity.WARNING, message, REMEDY)


def _may(redis: Redis, user: str, attempts: Any) -> list[str] | None:
    """What of it a user may; None where that cannot be asked."""
    if _asked(redis, "DRYRUN", user, "PING") is None:
        return None
    return may(attempts, partial(_allowed, redis, user))


def _allowed(redis: Redis, user: str, words: tuple[str, ...]) -> bool:
    return _text(_asked(redis, "DRYRUN", user, *words)) == "OK"


def _asked(redis: Redis, *words: str) -> Any:
    """The answer of ACL; None where it is refused, or not known."""
    try:
        # redis-py has no type for it.
        return redis.execute_command("ACL", *words)  # type: ignore[no-untyped-call]
    except ResponseError:
        return None


def _text(value: Any) -> str | None:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _listed(things: list[str]) -> str:
    shown = things[:_SOME]
    return ", ".join(shown) + (f" and {len(things) - _SOME} more things" if things[_SOME:] else "")
