"""Certmail's users as an administrator of Redis gives them: commands, or an ACL file. Pure.

A user without a password is written as switched off: never as one that needs none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from certmail_config.rights.roles import PRODUCERS_SCRIPTS, WHO, Role, rights_of
from certmail_config.rights.rules import ServerVersion, rules_of

ADMINISTRATOR: Final = "default"
"""Redis's own user, which has every right; replicas and sentinels are it, too."""
_EVERY_RIGHT: Final = ("allkeys", "allchannels", "+@all")


@dataclass(frozen=True, slots=True)
class User:
    """One user of certmail's; there may be several producers."""

    name: str
    role: Role


def users(prefix: str, producers: Sequence[str] = ()) -> list[User]:
    """One for each process, named after it, and as many producers as are named."""
    named = [User(name, Role.PRODUCER) for name in producers]
    made = [User(f"{prefix}-{role}", role) for role in Role]
    return [*named, *(each for each in made if not (named and each.role is Role.PRODUCER))]


def as_commands(
    made: Sequence[User], passwords: Mapping[str, str], server: ServerVersion, database: int
) -> Iterator[str]:
    """Lines of ACL SETUSER; those that begin with # say why."""
    yield f"# For {_name_of(server)}, database {database}. After another version of certmail: print it again, and give it before that starts."

    for user in made:
        yield ""
        yield from (f"# {line}" for line in _why(user, server))
        words = [*_entry(passwords.get(user.name)), *_rules(user, server, database)]
        yield f"ACL SETUSER {user.name} reset {' '.join(words)}"

    yield ""
    if ADMINISTRATOR in passwords:
        yield "# Last: nobody comes in without a name and a password any more."
        words = [*_entry(passwords[ADMINISTRATOR]), *_EVERY_RIGHT]
        yield f"ACL SETUSER {ADMINISTRATOR} reset {' '.join(words)}"
    else:
        yield f"# Left to you: the user {ADMINISTRATOR}, as whom whoever gives no name comes in. Give it a password, or switch it off."


def as_file(
    made: Sequence[User], passwords: Mapping[str, str], server: ServerVersion, database: int
) -> Iterator[str]:
    """Lines of a server's `aclfile`, which has no comments.

    `passwords` must have the administrator's: a file without that user leaves it open to all.
    """
    yield f"user {ADMINISTRATOR} {' '.join([*_entry(passwords[ADMINISTRATOR]), *_EVERY_RIGHT])}"
    for user in made:
        words = [*_entry(passwords.get(user.name)), *_rules(user, server, database)]
        yield f"user {user.name} {' '.join(words)}"


def _rules(user: User, server: ServerVersion, database: int) -> list[str]:
    return rules_of(rights_of(user.role), server, database)


def _entry(password: str | None) -> list[str]:
    if password is None:
        return ["off"]
    return ["on", f"#{hashlib.sha256(password.encode()).hexdigest()}"]


def _name_of(server: ServerVersion) -> str:
    return {
        ServerVersion.REDIS_6_2: "Redis 6.2",
        ServerVersion.REDIS_7_0: "Redis 7.0",
        ServerVersion.REDIS_7_2: "Redis 7.2 and newer, and Valkey",
    }[server]


def _why(user: User, server: ServerVersion) -> Iterator[str]:
    rights = rights_of(user.role)
    yield f"{user.name}: {WHO[user.role]}."
    for each in rights.keyless:
        yield f"  {' '.join(each.rules)}: {each.why}"
    if rights.channels:
        yield "  &…celery.pidbox, &…celeryev/*: Celery's channels"

    match user.role:
        case Role.PRODUCER:
            yield f"  the rest: what the scripts {', '.join(PRODUCERS_SCRIPTS)} do, and what a Mailer looks at"
            if server is ServerVersion.REDIS_6_2:
                yield "  Redis 6.2 knows no right to write alone: a producer can also read what others have enqueued, which is sealed, and take it away."
            else:
                yield "  It can put content in, and take it away, but not read it; nor has it tokens, connections, API keys or sessions."
        case Role.GATEWAY:
            yield "  the rest: data of certmail's keys, but no tokens, and content only to put in"
        case Role.FLOWER:
            yield "  the rest: how long the queue is, and the answers to what it asks workers"
        case Role.WORKER | Role.OPERATOR:
            yield "  the rest: data of certmail's keys"
