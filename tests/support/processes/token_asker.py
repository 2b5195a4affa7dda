"""One process of a fleet that asks for tokens.

It is run as `python -m support.processes.token_asker TIMES CONNECTION…`, with settings from the
environment.

Has what a worker has (lifecycle.py builds it so). Says `ready`, waits for a line, asks for the
token of each connection so many times at once, and says what it got: for each connection the
tokens, each once, with how often, and what was denied.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter

from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.vault import Vault
from certmail_config.settings import Settings
from certmail_config.settings.oauth_client import oauth_client
from certmail_config.stores.connect import connect_async, redis_server, vault_keys
from certmail_worker.google.http import new_session
from certmail_worker.google.tenant_cache import Directory
from certmail_worker.google.token_client import TokenClient
from certmail_worker.google.tokens import Token, Tokens


async def ask(
    settings: Settings, redis_url: str, times: int, ids: list[ConnectionId]
) -> dict[str, dict[str, int]]:
    """Wait for the start, then ask for all at once."""
    vault = Vault(vault_keys(settings))
    async with (
        new_session(ca_file=None, timeout_seconds=settings.http_timeout_seconds) as session,
        connect_async(redis_url) as redis,
    ):
        tokens = Tokens(
            redis,
            vault,
            TokenClient(session, settings.google_token_url, vault, oauth_client(settings)),
        )
        directory = Directory(redis, vault)
        connections = {id_: await directory.connection(id_) for id_ in ids}
        wanted = ids * times
        random.shuffle(wanted)
        print("ready", flush=True)  # noqa: T201 - the parent waits for it
        await asyncio.to_thread(sys.stdin.readline)

        async def one(id_: ConnectionId) -> tuple[str, str]:
            connection = connections[id_]
            assert connection is not None
            got = await tokens.get(connection)
            text = got.secret if isinstance(got, Token) else f"denied: {got.code}: {got.message}"
            return id_, text

        got: dict[str, Counter[str]] = {id_: Counter() for id_ in ids}
        for id_, secret in await asyncio.gather(*(one(id_) for id_ in wanted)):
            got[id_][secret] += 1
        await tokens.close()
        return {id_: dict(secrets) for id_, secrets in got.items()}


def main(times: str, *ids: str) -> None:
    """Print the result as JSON."""
    settings = Settings.from_env()
    with redis_server(settings) as url:
        got = asyncio.run(ask(settings, url, int(times), [ConnectionId(id_) for id_ in ids]))
    json.dump(got, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
