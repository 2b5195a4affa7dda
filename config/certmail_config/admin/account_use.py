"""Who uses what a Google account has allowed certmail, and whose turn it is to change that.

Google keeps one grant for each account and OAuth client, and revoking any of its tokens ends all of
it ("Revokes all of the scopes that the user granted to the app", google.accounts.oauth2.revoke;
google.md §3.5). So it is given back only when no connection uses it; and looking for such
connections, and linking or revoking by what was seen, is one step that nobody else takes for the
same account meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Final

from redis import Redis
from redis.lock import Lock
from sqlalchemy import Connection as Db
from sqlalchemy import select

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.sql import tables
from certmail_config.sql.registry import get_connection
from certmail_config.tenants.models import Connection

TURN_SECONDS: Final = 120.0
"""How long a turn may last.

Its requests to Google included, it takes less; whoever dies in it holds up nobody for longer.
"""


def users_of(db: Db, sub: str, *, leaving: Collection[ConnectionId] = ()) -> list[Connection]:
    """The connections that use the grant of the account `sub`, but for those about to go."""
    table = tables.connections
    query = select(table.c.id).where((table.c.sub == sub) & table.c.refresh_token.is_not(None))
    found = db.execute(query.order_by(table.c.tenant, table.c.name)).scalars()
    return [get_connection(db, id_) for id_ in found if id_ not in leaving]


def turn(redis: Redis, sub: str) -> Lock:
    """The turn to link or revoke the account `sub`: a lock, as a context; waits for whoever has it.

    A permission that was given before the turn may have ended in somebody else's: look again before
    it is kept. Raises RedisError.
    """
    return Lock(
        redis,
        redis_keys.ACCOUNT_TURN + hashlib.sha256(sub.encode()).hexdigest(),
        timeout=TURN_SECONDS,
        blocking_timeout=2 * TURN_SECONDS,
        thread_local=False,  # an asyncio process takes and returns it in whichever thread is free
        raise_on_release_error=False,  # if it ran out, there is nothing to return
    )
