"""The projector: writes what SQL says to Redis.

That is the working copy of tenants and connections, their lanes, limits and pauses.

Enqueueing, pacing and delivery read only that. What delivery found out about a lane stays, unless
SQL has a newer version.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from redis import Redis
from sqlalchemy import Connection as Db
from sqlalchemy import Engine

from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused, SealBroken
from certmail_config.base.ids import ConnectionId
from certmail_config.base.redis_answers import field_of
from certmail_config.crypto.signing import sign
from certmail_config.crypto.vault import Vault
from certmail_config.ledger import pause, run
from certmail_config.sql import registry, removing
from certmail_config.sql.engine import reachable
from certmail_config.sql.pausing import read_pauses, take_turns
from certmail_config.sql.templates.versions import (
    Published,
    default_locale,
    newest_versions,
    read_templates,
)
from certmail_config.tenants.models import Connection, Tenant
from certmail_config.tenants.pauses import paused_in
from certmail_config.tenants.sealed_fields import why_closed, with_own_public_key
from certmail_config.tenants.templates_copy import forget_templates, write_templates
from certmail_config.tenants.working_copy import (
    older,
    read_project_share,
    version_of,
    write_connection,
    write_deployment,
    write_project_share,
    write_tenant,
)
from certmail_config.tenants.working_copy_removal import (
    forget_connection,
    known_in,
    withdraw_others,
    withdraw_tenant,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Projector:
    """Writes to `redis` what `engine` holds; both belong to the caller.

    Each method may be called again at any time.
    """

    engine: Engine
    redis: Redis
    vault: Vault
    project_share: float
    actor: str = ""
    """Who acts, for the record; empty is certmail itself."""

    @contextmanager
    def _db(self) -> Iterator[Db]:
        with reachable(self.engine), self.engine.begin() as db:
            yield db

    def publish(
        self, connection: Connection, *, settle_lane: bool = True, careful: bool = False
    ) -> None:
        """Write a connection that is new in SQL, with its tenant.

        Open or suspend its lane as its state says.

        `careful`: one reminder goes first. Raises StoresUnreachable, RedisError.
        """
        with self._db() as db:
            salt = registry.deployment_salt(db)
            tenant = registry.get_tenant(db, connection.tenant)

        write_deployment(self.redis, salt)
        self.publish_pauses()
        self._write(connection, salt, settle_lane=settle_lane, careful=careful)
        self.publish_tenant(tenant, [connection])

    def publish_tenant(self, tenant: Tenant, connections: Sequence[Connection]) -> None:
        """Write a tenant, and where producers find its connections.

        Raises StoresUnreachable, RedisError.
        """
        self._write_tenant(tenant, connections)
        self._withdraw_removed(connections, [tenant])

    def publish_missing(self) -> int:
        """Write what the working copy lacks, or has in an older version; remove what SQL removed.

        Gives how many connections were written.

        The others are written too, but for what concerns their lanes' state: limits change without
        a new version.
        """
        known = known_in(self.redis)

        with self._db() as db:
            salt = registry.deployment_salt(db)
            tenants, connections = registry.list_tenants(db), registry.list_connections(db)

        write_deployment(self.redis, salt)
        withdraw_others(self.redis, known, [tenant.id for tenant in tenants], connections)
        self.publish_pauses()
        written = 0
        ours = self._ours_to_write(connections)

        for connection in ours:
            written += self.lags(connection)
            self._write(connection, salt, settle_lane=self._lane_lags(connection))

        if len(ours) == len(connections):
            write_project_share(self.redis, self._share)
        for tenant in tenants:
            self._write_tenant(tenant, [each for each in connections if each.tenant == tenant.id])
        self._withdraw_removed(connections, tenants)
        self.publish_templates()
        return written

    def copy_missing(self) -> int:
        """Write what the working copy lacks, or has in an older version; gives how much that was.

        A lane that is missing is made. One that is there is opened or suspended only where SQL has
        a newer version than the lane itself: what delivery found out about this one is newer than
        SQL. Raises StoresUnreachable.
        """
        self.publish_pauses()

        with self._db() as db:
            salt = registry.deployment_salt(db)
            connections: dict[str, int] = {
                each.id: each.version for each in registry.connection_health(db)
            }
            tenants = registry.tenant_versions(db)
            late = older(self.redis, redis_keys.CONNECTION, connections)
            late_tenants = older(self.redis, redis_keys.TENANT, tenants)
            found = [registry.get_connection(db, id_) for id_ in late]
            found_tenants = [
                (registry.get_tenant(db, id_), registry.list_connections(db, id_))
                for id_ in late_tenants
            ]

        if found or found_tenants or not self.redis.exists(redis_keys.DEPLOYMENT):
            write_deployment(self.redis, salt)
        ours = self._ours_to_write(found)
        for connection in ours:
            self._write(connection, salt, settle_lane=self._lane_lags(connection))
        for tenant, theirs in found_tenants:
            self._write_tenant(tenant, theirs)
        self._withdraw_removed(found, [tenant for tenant, _ in found_tenants])
        return len(ours) + len(found_tenants) + self.publish_templates()

    def publish_templates(self) -> int:
        """Write the templates that the working copy lacks, or has in an older version.

        Gives how many that were. Raises StoresUnreachable, RedisError.
        """
        with self._db() as db:
            versions = newest_versions(db)
            late = older(self.redis, redis_keys.TEMPLATES, versions)
            found = [(tenant, read_templates(db, tenant)) for tenant in late]

        for tenant, published in found:
            if published is not None:
                self.write_templates(tenant, published)
        return len(found)

    def write_templates(self, tenant: str, published: Published) -> None:
        """Write a version of a tenant's templates, and their locale where producers find it.

        Raises StoresUnreachable, RedisError.
        """
        with self._db() as db:
            newest = newest_versions(db, tenant).get(tenant)
            locale = default_locale(db, tenant)
        write_templates(self.redis, tenant, published.version, published.document, newest)
        if (field_of(self.redis, redis_keys.TENANT + tenant, "locale") or b"") != locale.encode():
            with suppress(Refused):  # removed just now
                self.republish_tenant(tenant)
        with self._db() as db:
            if not removing.tenants_left_of(db, [tenant]):  # likewise
                forget_templates(self.redis, tenant)

    def publish_pauses(self, reason: str = "as the database says") -> None:
        """Pause in Redis exactly what SQL says is paused, before anything else there may leave."""
        with self._db() as db:
            if paused_in(self.redis) == read_pauses(db).keys():
                return

            take_turns(db)  # else one that read earlier could undo what another has decided since
            found, wanted = paused_in(self.redis), read_pauses(db).keys()
            for name in wanted - found:
                run(self.redis, pause(name, on=True, reason=reason, by=self.actor))

            for name in found - wanted:
                lanes = [each.id for each in registry.list_connections(db, name)]
                run(
                    self.redis,
                    pause(name, on=False, reason=reason, by=self.actor, connections=lanes),
                )

    def publish_limits(self) -> bool:
        """Bring the limits of all lanes up to date with PROJECT_SHARE.

        Gives whether there was anything to do.

        So lanes made by a certmail that did not know of projects get theirs, too. What is missing
        or older in the working copy is left alone: after a loss of Redis it is a repair that
        decides.
        """
        if read_project_share(self.redis) == self._share:
            return False

        with self._db() as db:
            salt, connections = registry.deployment_salt(db), registry.list_connections(db)
        ours = self._ours_to_write(connections)
        for connection in ours:
            if not self.lags(connection):
                self._write(connection, salt, settle_lane=False)
        self._withdraw_removed(ours, [])

        if len(ours) == len(connections):  # else it is for a process that has the other keys
            write_project_share(self.redis, self._share)
        return True

    def republish_tenant(self, tenant: str) -> None:
        """Write a tenant from SQL, where its working copy cannot be read any more.

        Raises Refused.
        """
        with self._db() as db:
            found, connections = (
                registry.get_tenant(db, tenant),
                registry.list_connections(db, tenant),
            )
        self.publish_tenant(found, connections)

    def republish_connection(self, connection: ConnectionId) -> None:
        """Write a connection from SQL, where its working copy cannot be read any more.

        What delivery found out about the lane stays. Raises Refused.
        """
        with self._db() as db:
            found = registry.get_connection(db, connection)
        self.publish(found, settle_lane=self._lane_lags(found))

    def lags(self, connection: Connection) -> bool:
        """Whether the working copy lacks a connection, or has an older version."""
        return version_of(self.redis, connection.id) < connection.version

    def _lane_lags(self, connection: Connection) -> bool:
        """Whether its lane was last opened or suspended for an older version."""
        return bool(older(self.redis, redis_keys.LANE_INFO, {connection.id: connection.version}))

    @property
    def _share(self) -> str:
        return str(float(self.project_share))

    def _ours_to_write(self, connections: Iterable[Connection]) -> list[Connection]:
        """The connections but those that others can open and we cannot, as `why_closed` says.

        The log names them.

        One that has no working copy yet is written all the same: a producer that sees its tenant
        must find the lane.
        """
        found = []

        for connection in connections:
            broken = why_closed(connection, self.vault)
            if broken is None or version_of(self.redis, connection.id) == 0:
                found.append(connection)
            else:
                log.error("copy_not_written", extra={"code": broken.code, "error": broken.message})

        return found

    def _withdraw_removed(
        self, connections: Sequence[Connection], tenants: Sequence[Tenant]
    ) -> None:
        """Take out of the working copy what was removed between its reading and its writing.

        Who removes forgets in Redis once SQL has erased: whatever is written before that goes
        then, whatever is written after it goes here.
        """
        if not connections and not tenants:
            return

        with self._db() as db:
            left = removing.left_of(db, [each.id for each in connections])
            tenants_left = removing.tenants_left_of(
                db, {each.id for each in tenants} | {each.tenant for each in connections}
            )

        removed = [each for each in connections if each.id not in left]
        for each in removed:
            forget_connection(self.redis, each.tenant, each.name, each.id)
        for tenant in tenants:
            if tenant.id not in tenants_left:
                withdraw_tenant(self.redis, tenant.id)

        # Another connection may have its name by now.
        for name in {each.tenant for each in removed} & tenants_left:
            with suppress(Refused):  # the tenant itself was removed just now
                self.republish_tenant(name)

    def _write_tenant(self, tenant: Tenant, connections: Iterable[Connection]) -> None:
        own, signature = self._signed(tenant)
        with self._db() as db:
            locale = default_locale(db, tenant.id)
        write_tenant(self.redis, self.vault, own, connections, signature, locale)

    def _signed(self, tenant: Tenant) -> tuple[Tenant, bytes]:
        """The tenant with its own public key, and the deployment's signature of that.

        Where this process cannot sign it is what SQL says, without one. Raises StoresUnreachable.
        """
        try:
            own = with_own_public_key(self.vault, tenant)
            with self._db() as db:
                return own, sign(registry.signing_key(db, self.vault), own.id, own.public_key)
        except SealBroken as broken:
            # The sentence says it all.
            log.error("tenant_not_signed", extra={"code": broken.code, "error": broken.message})  # noqa: TRY400
            return tenant, b""

    def _write(
        self, connection: Connection, salt: bytes, *, settle_lane: bool, careful: bool = False
    ) -> None:
        write_connection(
            self.redis,
            self.vault,
            connection,
            salt,
            settle_lane=settle_lane,
            careful=careful,
            project_share=self.project_share,
            by=self.actor,
        )
