"""The numeric client IDs of service accounts, once Google has told them.

They are what a super administrator is to authorise.

They are sealed, since whoever could change one would have another's service account authorised.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from certmail_config.base import redis_keys
from certmail_config.crypto.strongbox import Strongbox
from certmail_config.tenants.models import Connection

LIFE: Final = timedelta(days=90)
"""How long a client ID is kept after the last time that Google told it.

It never changes, but an account may be made anew under the same address.
"""


def note_client_id(box: Strongbox, connection: Connection, client_id: str) -> None:
    """Remember what Google said of the connection's service account; raises RedisError."""
    value = {"service_account": connection.service_account, "client_id": client_id}
    box.put(redis_keys.CLIENT_ID + connection.id, value, seconds=int(LIFE.total_seconds()))


def client_id_of(box: Strongbox, connection: Connection) -> str:
    """The client ID of its service account; empty if Google has not told it. Raises RedisError."""
    if connection.service_account is None:
        return ""
    found = box.get(redis_keys.CLIENT_ID + connection.id)
    if found is None or found["service_account"] != connection.service_account:
        return ""
    return str(found["client_id"])
