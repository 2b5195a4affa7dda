"""The working copy of tenants and connections in Redis.

Enqueue and delivery read only this, never SQL.

Lane state is not part of it; only the ledger's own transitions open or suspend a lane.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from redis import Redis
from redis.client import Pipeline

from certmail_config.base import redis_keys
from certmail_config.base.addresses import kept_address
from certmail_config.base.errors import SealBroken
from certmail_config.base.ids import ConnectionId
from certmail_config.base.redis_answers import field_of
from certmail_config.crypto.vault import Vault
from certmail_config.ledger import open_lane, run, set_lane, suspend_lane
from certmail_config.ledger.values import Suspension, join_words
from certmail_config.tenants.models import (
    Connection,
    ConnectionKind,
    ConnectionState,
    GoogleLimits,
    Tenant,
)
from certmail_config.tenants.sealed_fields import OF_CONNECTION, renew_connection, renew_tenant

_PAGE = 1000
_DIGITS = 9
_TIMES = ("not_after", "next_not_after", "refused_since")


@dataclass(frozen=True, slots=True)
class TenantView:
    """What a producer needs of a tenant: to seal, to name jobs, and to find the lane.

    No secret among it. `locale` is its mails' where the reviewer's language is none of theirs.
    """

    id: str
    state: str
    public_key: bytes
    salt: bytes
    connections: Mapping[str, ConnectionId]
    locale: str | None = None


def write_deployment(redis: Redis, salt: bytes) -> None:
    """Put the deployment's salt in place."""
    redis.hset(redis_keys.DEPLOYMENT, "salt", _b64(salt))


def read_project_share(redis: Redis) -> str | None:
    """The PROJECT_SHARE that the limits of all lanes were last written with.

    None before certmail knew of it.
    """
    found = field_of(redis, redis_keys.DEPLOYMENT, "project_share")
    return found.decode() if found is not None else None


def write_project_share(redis: Redis, share: str) -> None:
    """Note that the limits of all lanes are written with this share."""
    redis.hset(redis_keys.DEPLOYMENT, "project_share", share)


def write_tenant(
    redis: Redis,
    vault: Vault,
    tenant: Tenant,
    connections: Iterable[Connection],
    signature: bytes = b"",
    locale: str = "",
) -> None:
    """Write a tenant under the newest key, unless a newer version is there already.

    `signature` is the deployment's of its public key, `locale` what its newest templates name.
    """
    tenant = renew_tenant(tenant, vault)
    key = redis_keys.TENANT + tenant.id
    fields: dict[Any, Any] = {
        **tenant_fields(tenant, {each.name: each.id for each in connections}, signature),
        "private_key": _b64(tenant.private_key),
        "reply_to": _b64(tenant.reply_to or b""),
        "locale": locale,
        "version": str(tenant.version),
    }

    _put(redis, key, tenant.version, fields)
    redis.sadd(redis_keys.TENANTS, tenant.id)


def distrust(redis: Redis, key: str) -> None:
    """Make a tenant's or a connection's hash older than whatever is written next."""
    redis.hdel(key, "version")


def tenant_fields(
    tenant: Tenant, names: Mapping[str, ConnectionId], signature: bytes
) -> dict[str, str]:
    """What the working copy says of a tenant in clear, its connections by name among it."""
    # Who cannot sign leaves what there is.
    signed = {"signature": _b64(signature)} if signature else {}

    return {
        "state": tenant.state,
        "organisation": tenant.organisation,
        "public_key": _b64(tenant.public_key),
        **signed,
        "salt": _b64(tenant.salt),
        "uncertain": tenant.uncertain or "",
        **{f"connection:{name}": id_ for name, id_ in names.items()},
    }


def write_connection(
    redis: Redis,
    vault: Vault,
    connection: Connection,
    deployment_salt: bytes,
    *,
    settle_lane: bool,
    careful: bool = False,
    project_share: float = 1.0,
    by: str = "",
) -> None:
    """Write a connection, sealed, and its lane's limits, unless a newer version is there already.

    With `settle_lane` also open or suspend the lane as the connection's state says. Who only
    repairs the copy or changes limits passes False: what delivery found out about a lane is newer
    than SQL. A lane that is new is always settled. `careful`: of one that is opened, one reminder
    goes first. `by`: who did it, for the record.
    """
    sealed = vault.seal(
        encode_connection(renew_connection(connection, vault)), owner=connection.owner
    )
    fields: dict[Any, Any] = {
        "tenant": connection.tenant,
        "version": str(connection.version),
        "sealed": sealed,
    }
    if not _put(redis, redis_keys.CONNECTION + connection.id, connection.version, fields):
        return

    code, message = connection.waits_for()
    words = join_words(message, connection.remedy or "")
    new = run(
        redis, set_lane(connection.lane(deployment_salt, project_share), code=code, message=words)
    )
    if not (settle_lane or new):
        return

    if connection.state is ConnectionState.ACTIVE:
        run(redis, open_lane(connection.id, connection.version, careful=careful, by=by))
    else:
        suspension = Suspension(code, message, connection.version, connection.remedy or "")
        run(redis, suspend_lane(connection.id, suspension, by=by))


def older(redis: Redis, prefix: str, versions: Mapping[str, int]) -> list[str]:
    """The ids whose hash under `prefix` is missing, or of an older version than this."""
    found: list[str] = []
    ids = list(versions)
    for start in range(0, len(ids), _PAGE):
        page = ids[start : start + _PAGE]
        with redis.pipeline(transaction=False) as pipe:
            for id_ in page:
                pipe.hget(prefix + id_, "version")
            for id_, version in zip(page, pipe.execute(), strict=True):
                if read_version(version) < versions[id_]:
                    found.append(id_)

    return found


def version_of(redis: Redis, connection: ConnectionId) -> int:
    """The version of a connection that the working copy has; 0 if none."""
    return read_version(field_of(redis, redis_keys.CONNECTION + connection, "version"))


def read_version(text: bytes | None) -> int:
    """A version as it stands in a hash; what is none is older than any, and so written anew."""
    return int(text) if text is not None and text.isdigit() and len(text) <= _DIGITS else 0


def read_tenant(fields: Mapping[bytes, bytes], tenant: str) -> TenantView | None:
    """Read the hash of a tenant; None if there is none."""
    if not fields:
        return None

    value = {name.decode(): text.decode() for name, text in fields.items()}
    prefix = "connection:"
    return TenantView(
        id=tenant,
        state=value["state"],
        public_key=base64.b64decode(value["public_key"]),
        salt=base64.b64decode(value["salt"]),
        connections={
            name[len(prefix) :]: ConnectionId(id_)
            for name, id_ in value.items()
            if name.startswith(prefix)
        },
        locale=value.get("locale") or None,
    )


def read_connection(
    fields: Mapping[bytes, bytes], connection: ConnectionId, vault: Vault
) -> Connection | None:
    """Read the hash of a connection; None if there is none. Raises SealBroken."""
    if not fields:
        return None

    owner = f"{fields[b'tenant'].decode()}/{connection}"
    value: dict[str, Any] = json.loads(vault.open(fields[b"sealed"], owner=owner))
    if str(value["version"]).encode() != fields.get(b"version"):
        message = f"The working copy of {owner} is not of the version that stands beside it: somebody put an older one there."
        raise SealBroken(
            "vault_mismatch", message, "It is written anew when the connection works again."
        )

    return Connection(
        **{
            **value,
            "id": ConnectionId(value["id"]),
            "kind": ConnectionKind(value["kind"]) if value["kind"] else None,
            "state": ConnectionState(value["state"]),
            "mailbox": kept_address(value["mailbox"]) if value["mailbox"] else None,
            **{name: base64.b64decode(value[name]) for name in OF_CONNECTION if value.get(name)},
            **{name: datetime.fromisoformat(value[name]) for name in _TIMES if value.get(name)},
            "limits": GoogleLimits(**value["limits"]),
        }
    )


def encode_connection(connection: Connection) -> bytes:
    """What is sealed of a connection: all of it."""
    value = asdict(connection)
    value |= {name: _b64(value[name]) for name in OF_CONNECTION if value[name]}
    value |= {name: value[name].isoformat() for name in _TIMES if value[name]}
    return json.dumps(value).encode()


def _put(redis: Redis, key: str, version: int, fields: dict[Any, Any]) -> bool:
    """Write a hash, unless a newer version is there already; says whether it was written."""
    written = False

    def write(pipe: Pipeline) -> None:
        nonlocal written
        written = read_version(field_of(pipe, key, "version")) <= version
        pipe.multi()
        if written:
            pipe.hset(key, mapping=fields)

    redis.transaction(write, key)
    return written


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
