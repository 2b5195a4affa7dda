"""Rights as Redis's own rules: the words of an ACL SETUSER, or of a line of an ACL file. Pure.

From Redis 7 on each command is let at its own keys, and to read or to write them; a server before
that knows only which commands, and which keys.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from certmail_config.base.redis_errors import channels
from certmail_config.rights.commands import Want, want_of
from certmail_config.rights.roles import Rights
from certmail_config.rights.touches import Touch


class ServerVersion(StrEnum):
    """The oldest that the rules are for; Valkey understands the newest."""

    REDIS_6_2 = "6.2"
    REDIS_7_0 = "7.0"
    REDIS_7_2 = "7.2"


_UNKNOWN: Final = {
    ServerVersion.REDIS_6_2: frozenset({"+client|setinfo", "+acl|dryrun"}),
    ServerVersion.REDIS_7_0: frozenset({"+client|setinfo"}),
    ServerVersion.REDIS_7_2: frozenset[str](),
}
"""Commands that came later: a server that has none refuses a rule that names it."""


def rules_of(rights: Rights, server: ServerVersion, database: int) -> list[str]:
    """The words that follow a user's name, but for its password."""
    words = ["resetkeys", "resetchannels", "-@all"]
    if rights.channels:
        words += [f"&{each}" for each in channels(database)]
    for each in rights.keyless:
        words += [rule for rule in each.rules if rule not in _UNKNOWN[server]]

    keys = {touch.key for touch in rights.touches}
    if server is ServerVersion.REDIS_6_2 or len(keys) == 1:
        words += [f"~{pattern(key)}" for key in sorted(keys)]
        return words + _allowed(touch.command for touch in rights.touches)

    for (want, of), commands in _groups(rights.touches):
        inside = [f"{want}{pattern(key)}" for key in sorted(of)] + _allowed(commands)
        words += f"({' '.join(inside)})".split()
    return words


def pattern(key: str) -> str:
    """The pattern of a key of certmail's; what ends with a colon begins many."""
    return f"{key}*" if key.endswith(":") else key


def _groups(
    touches: Iterable[Touch],
) -> list[tuple[tuple[Want, frozenset[str]], list[str]]]:
    """The commands that want the same of the same keys; each command is in one group."""
    keys_of: dict[str, set[str]] = defaultdict(set)
    for touch in touches:
        keys_of[touch.command].add(touch.key)

    groups: dict[tuple[Want, frozenset[str]], list[str]] = defaultdict(list)
    for command, keys in keys_of.items():
        groups[want_of(command), frozenset(keys)].append(command)
    return sorted(groups.items(), key=lambda group: sorted(group[1]))


def _allowed(commands: Iterable[str]) -> list[str]:
    return [f"+{command.lower()}" for command in sorted(set(commands))]
