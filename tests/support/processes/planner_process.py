"""The planner alone in a process, so that it can be killed at any moment.

It is run as a module, by what `commands.py` keeps ready. Its time is the ledger's, which a test
moves. It says `planning` once it is about to begin. Settings come from the environment, as for
every process of certmail's.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import Any

from certmail_config.admin.admin import open_admin
from certmail_config.base import redis_keys
from certmail_config.settings import Settings
from certmail_worker.planning.turn import due_tenants, plan_tenant
from certmail_worker.services.planner import planned_intake

PAUSE_SECONDS = 0.02


def _main() -> None:
    with open_admin(Settings.from_env()) as admin:

        def seconds() -> float:
            found: Any = admin.redis.get(redis_keys.CLOCK)
            return int(found) / 1000

        def now() -> datetime:
            return datetime.fromtimestamp(seconds(), UTC)

        intake = planned_intake(admin, now=seconds, clock=seconds)
        sys.stdout.write("planning\n")
        sys.stdout.flush()
        while True:
            due = due_tenants(admin, now())
            for tenant, campaigns in due.items():
                plan_tenant(admin, intake, tenant, campaigns, now)
            if not due:
                time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    _main()
