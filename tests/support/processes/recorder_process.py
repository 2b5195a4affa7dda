"""The recorder alone in a process, so that it can be killed at any moment.

It is run as a module, by what `commands.py` keeps ready.

It says `recording` once it is about to begin. Settings come from the environment, as for every
process of certmail's.
"""

from __future__ import annotations

import asyncio
import sys

from certmail_config.settings import Settings
from certmail_config.sql.engine import open_database
from certmail_config.stores.connect import connect_async, database_url, open_vault
from certmail_worker.google.tenant_cache import Directory
from certmail_worker.recording.recorder import record
from certmail_worker.services.keeper import _run_forever


async def _main() -> None:
    settings = Settings.from_env()
    assert settings.redis_url is not None
    redis, engine = connect_async(settings.redis_url), open_database(database_url(settings))
    directory = Directory(redis, open_vault(settings))
    sys.stdout.write("recording\n")
    sys.stdout.flush()
    await _run_forever("recorder", lambda: record(redis, directory, engine))


if __name__ == "__main__":
    asyncio.run(_main())
