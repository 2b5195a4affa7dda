"""A server with certmail's users on it, each with the rights that `certmail redis acl` prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from certmail_config.rights.roles import Role, rights_of
from certmail_config.rights.rules import ServerVersion, rules_of
from support.servers.replication import DURABLE, Valkey, valkey

SECRET: Final = "a-secret-of-the-tests"
ASKED_FIRST: Final = ("certmail-producer", "command", "toplevel", "config|get")
COMMANDS: Final = {"worker": Role.WORKER, "gateway": Role.GATEWAY, "flower": Role.FLOWER}
"""Whatever else is run is run by an operator."""


@dataclass(frozen=True, slots=True)
class Users:
    """The server, and each user's URL; the server's own user is `default`, as the tests are."""

    server: Valkey

    def url(self, role: Role) -> str:
        return f"redis://certmail-{role}:{SECRET}@127.0.0.1:{self.server.port}/0"

    def url_for(self, command: str) -> str:
        """As whom a command of certmail's is run; `up` is all of them in one."""
        return (
            self.server.url if command == "up" else self.url(COMMANDS.get(command, Role.OPERATOR))
        )

    def denied(self) -> list[tuple[str, ...]]:
        """What was refused to whom, and why.

        A producer asks for the server's configuration first, and believes a worker if it must.
        """
        found: Any = self.server.redis.acl_log()
        every = [
            (each["username"], each["reason"], each["context"], each["object"]) for each in found
        ]
        return [each for each in every if each != ASKED_FIRST]


def add_users(server: Valkey, version: ServerVersion = ServerVersion.REDIS_7_2) -> Users:
    """Put certmail's users on a server that runs."""
    for role in Role:
        rules = rules_of(rights_of(role), version, 0)
        server.command("ACL", "SETUSER", f"certmail-{role}", "reset", "on", f">{SECRET}", *rules)
    return Users(server)


@contextmanager
def server_with_users(folder: Path, *options: str) -> Iterator[Users]:
    """Run a server that keeps what it is told, with certmail's users."""
    with valkey(folder, *DURABLE, "--maxmemory", "200mb", *options) as server:
        yield add_users(server)
