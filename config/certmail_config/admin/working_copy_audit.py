"""The audit of the working copy: compared with what SQL says, and put right.

Producers believe it, and whoever can write Redis can write it too: a tenant's public key, say, so
that they could read what is sealed to it. A version that is older than SQL's only lags, and is the
projector's matter. What differs in the same version, or claims a later one than there is, somebody
else wrote: that is reported.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from redis import Redis
from sqlalchemy import Connection as Db

from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused, SealBroken
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.signing import is_signed, public_half, sign
from certmail_config.crypto.strongbox import place_in
from certmail_config.crypto.vault import Vault
from certmail_config.sql import registry
from certmail_config.sql.registry import Named
from certmail_config.tenants.models import Tenant
from certmail_config.tenants.sealed_fields import with_own_public_key
from certmail_config.tenants.working_copy import distrust, read_version, tenant_fields

_PAGE: Final = 500
Fields = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class CopyDifference:
    """The fields that somebody else wrote, and those that are to be written without a word.

    The latter are new, or a name's.
    """

    forged: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


def difference(found: Fields, wanted: Mapping[str, str], version: int) -> CopyDifference:
    """Compare a hash with what it should hold; pure."""
    text = found.get(b"version")
    stands = read_version(text)
    if text is not None and stands < version:
        return CopyDifference() if text.isdigit() else CopyDifference(forged=("version",))

    wrong = [
        name
        for name, value in wanted.items()
        if found.get(name.encode(), value.encode()) != value.encode()
    ]
    # A connection that was set up anew has another id before its tenant's hash says so.
    forged = [name for name in wrong if not name.startswith("connection:")]
    lacking = [name for name in wanted if name.encode() not in found]
    if stands > version:
        forged.append("version")
    return CopyDifference(
        tuple(forged), tuple(lacking + [name for name in wrong if name not in forged])
    )


@dataclass(slots=True)
class TenantAudit:
    """The caretaker's audit of tenants.

    It remembers which public half belongs to which private one, since that is dear to find out.
    """

    admin: Admin
    _halves: dict[bytes, bytes] = field(default_factory=dict)

    def put_right(self) -> int:
        """Compare everything, write what is wrong and report what was forged; gives how much.

        Raises StoresUnreachable, RedisError.
        """
        seen = self._look()

        # Redis was read before SQL is read again: what was changed meanwhile cannot seem to be
        # ahead of it.
        put_right = sum(
            self._tenant(id_, seen.hashes[id_], seen.signing_key) for id_ in seen.doubtful
        )

        return put_right + sum(self._connection(id_, version) for id_, version in seen.late.items())

    def found(self) -> list[str]:
        """The places where somebody else has written; nothing is put right.

        Raises StoresUnreachable, RedisError.
        """
        seen = self._look()
        tenants = [
            place_in(redis_keys.TENANT + id_, name)
            for id_, found in seen.doubtful.items()
            for name in found.forged
        ]

        return tenants + [place_in(redis_keys.CONNECTION + id_, "version") for id_ in seen.late]

    def _look(self) -> _Seen:
        with self.admin.db() as db:
            tenants, connections = registry.list_tenants(db), registry.named_connections(db)
            signing_key = _signing_key(db, self.admin.vault)

        theirs = defaultdict(list)
        for each in connections:
            theirs[each.tenant].append(each)
        hashes = _hashes(self.admin.redis, [each.id for each in tenants])
        differences = {
            each.id: self._difference(hashes[each.id], each, theirs[each.id], signing_key)
            for each in tenants
        }
        versions = _versions(self.admin.redis, [each.id for each in connections])

        return _Seen(
            signing_key,
            hashes,
            {id_: found for id_, found in differences.items() if found != CopyDifference()},
            {
                each.id: versions[each.id]
                for each in connections
                if versions[each.id] > each.version
            },
        )

    def _tenant(self, tenant: str, hash_: Fields, signing_key: bytes | None) -> bool:
        with self.admin.db() as db:
            try:
                row = registry.get_tenant(db, tenant)
            except Refused:
                return False  # removed meanwhile
            connections = registry.list_connections(db, tenant)

        named = [Named(each.id, tenant, each.name, each.version) for each in connections]
        found = self._difference(hash_, row, named, signing_key)
        if found == CopyDifference():
            return False

        for name in found.forged:
            self.admin.strongbox.report(place_in(redis_keys.TENANT + tenant, name), "not_as_in_sql")
        if found.forged:
            distrust(self.admin.redis, redis_keys.TENANT + tenant)
        self.admin.projector.publish_tenant(self._trusted(row), connections)
        return True

    def _connection(self, connection: ConnectionId, version: int) -> bool:
        with self.admin.db() as db:
            try:
                found = registry.get_connection(db, connection)
            except Refused:
                return False

        if version <= found.version:
            return False

        self.admin.strongbox.report(
            place_in(redis_keys.CONNECTION + connection, "version"), "not_as_in_sql"
        )
        distrust(self.admin.redis, redis_keys.CONNECTION + connection)
        self.admin.projector.republish_connection(connection)

        return True

    def _difference(
        self, hash_: Fields, tenant: Tenant, connections: Iterable[Named], signing_key: bytes | None
    ) -> CopyDifference:
        if not hash_:
            return CopyDifference()  # lost, which is the projector's matter
        trusted = self._trusted(tenant)
        names = {each.name: each.id for each in connections}
        wanted = tenant_fields(trusted, names, _signature(hash_, trusted, signing_key))
        return difference(hash_, wanted, tenant.version)

    def _trusted(self, tenant: Tenant) -> Tenant:
        """The tenant with the public half that belongs to its private one."""
        half = self._halves.get(tenant.private_key)
        if half is None:
            try:
                half = with_own_public_key(self.admin.vault, tenant).public_key
            except SealBroken:
                return tenant  # doctor and the log say so elsewhere
            self._halves[tenant.private_key] = half

        return replace(tenant, public_key=half)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What differed at first sight: tenants, and connections of a later version than SQL has."""

    signing_key: bytes | None
    hashes: Mapping[str, Fields]
    doubtful: Mapping[str, CopyDifference]
    late: Mapping[ConnectionId, int]


def _signing_key(db: Db, vault: Vault) -> bytes | None:
    try:
        return registry.signing_key(db, vault)
    except SealBroken:
        return None  # as of `_trusted`


def _signature(hash_: Fields, tenant: Tenant, signing_key: bytes | None) -> bytes:
    """The right signature of a tenant's key: the one that stands there, if it is right.

    To verify one again and again costs nothing.
    """
    if signing_key is None:
        return b""

    try:
        stands = base64.b64decode(hash_.get(b"signature", b""))
    except binascii.Error:
        stands = b""

    if is_signed(public_half(signing_key), tenant.id, tenant.public_key, stands):
        return stands
    return sign(signing_key, tenant.id, tenant.public_key)


def _hashes(redis: Redis, tenants: Sequence[str]) -> dict[str, Fields]:
    found: dict[str, Fields] = {}
    for page in (tenants[start : start + _PAGE] for start in range(0, len(tenants), _PAGE)):
        with redis.pipeline(transaction=False) as pipe:
            for id_ in page:
                pipe.hgetall(redis_keys.TENANT + id_)
            found |= zip(page, pipe.execute(), strict=True)
    return found


def _versions(redis: Redis, connections: Sequence[ConnectionId]) -> dict[ConnectionId, int]:
    found: dict[ConnectionId, int] = {}
    for page in (connections[start : start + _PAGE] for start in range(0, len(connections), _PAGE)):
        with redis.pipeline(transaction=False) as pipe:
            for id_ in page:
                pipe.hget(redis_keys.CONNECTION + id_, "version")
            texts = pipe.execute()
        found |= {id_: read_version(text) for id_, text in zip(page, texts, strict=True)}
    return found
