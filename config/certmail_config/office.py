"""What an operator does with tenants and connections: each step writes SQL first, then the working copy."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from email_validator import EmailNotValidError, validate_email
from redis import Redis
from sqlalchemy import Connection as Db
from sqlalchemy import Engine

from certmail_config import keys
from certmail_config.certificates import new_key_pair
from certmail_config.connections import (
    DEFAULT_NAME,
    Connection,
    ConnectionState,
    Kind,
    Limits,
    Tenant,
    check_name,
)
from certmail_config.errors import Refused, WrongUse
from certmail_config.ids import ConnectionId
from certmail_config.ledger import Suspension, pause, run, suspend_lane
from certmail_config.pauses import paused_in
from certmail_config.renewal import renew_connection, renew_tenant, why_closed
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.sql.engine import check_version, open_database, reachable, upgrade
from certmail_config.sql.pausing import read_pauses, take_turns
from certmail_config.stores import connect, database_url, open_vault, redis_server
from certmail_config.uncertain import Policy
from certmail_config.vault import Vault
from certmail_config.withdrawal import known_in, withdraw_others
from certmail_config.working_copy import (
    older,
    read_project_share,
    version_of,
    write_connection,
    write_deployment,
    write_project_share,
    write_tenant,
)

log = logging.getLogger(__name__)

MOST_NAME = 200


@dataclass(frozen=True, slots=True)
class Office:
    """Both stores and the vault, open."""

    settings: Settings
    engine: Engine
    redis: Redis
    vault: Vault

    @contextmanager
    def db(self) -> Iterator[Db]:
        """One transaction; raises StoresUnreachable."""
        with reachable(self.engine), self.engine.begin() as db:
            yield db

    def add_tenant(
        self, tenant: str, *, name: str = "", uncertain: str | None = None
    ) -> tuple[Tenant, Connection]:
        """Make a tenant with its connection `default`; raises Refused, WrongUse."""
        check_name(tenant, "tenant")
        if uncertain is not None:
            Policy.parse(uncertain)
        with self.db() as db:
            salt = registry.deployment_salt(db)
            made, connection = registry.add_tenant(
                db,
                self.vault,
                tenant,
                datetime.now(UTC),
                name=name.strip()[:MOST_NAME],
                uncertain=uncertain,
            )
        write_deployment(self.redis, salt)
        self.publish_pauses()
        # The connection first: a producer that sees the tenant must find the lane.
        self._write(connection, salt, settle_lane=True)
        self._write_tenant(made, [connection])
        return made, connection

    def change_tenant(self, tenant: str, *, name: str | None, uncertain: str | None) -> Tenant:
        """Change what is given; an empty `uncertain` goes back to the deployment's rule. Raises Refused, WrongUse."""
        changes: dict[str, str | None] = {}
        if name is not None:
            changes["name"] = name.strip()[:MOST_NAME]
        if uncertain is not None:
            changes["uncertain"] = str(uncertain) if uncertain and Policy.parse(uncertain) else None
        with self.db() as db:
            changed = registry.change_tenant(db, tenant, changes)
            connections = registry.list_connections(db, tenant)
        self._write_tenant(changed, connections)
        return changed

    def add_customer_owned_app(
        self,
        tenant: str,
        name: str,
        *,
        service_account: str,
        mailbox: str,
        limits: Limits,
        valid_days: int,
        verify: bool = False,
    ) -> Connection:
        """Set up a connection with a key and certificate of its own; it waits for the administrator's steps at Google."""
        check_name(name, "connection")
        service_account, mailbox = (
            address(service_account, "--service-account"),
            address(mailbox, "--mailbox"),
        )
        pair = new_key_pair(datetime.now(UTC), valid_days=valid_days)
        with self.db() as db:
            draft = self._draft(db, tenant, name)
            registry.save_connection(
                db,
                replace(
                    draft,
                    kind=Kind.CUSTOMER_OWNED_APP,
                    state=ConnectionState.PENDING,
                    service_account=service_account,
                    mailbox=mailbox,
                    private_key=self.vault.seal(pair.private_key, owner=draft.owner),
                    certificate=pair.certificate,
                    not_after=pair.not_after,
                    verify=verify,
                ),
            )
            connection = registry.change_limits(db, draft.id, asdict(limits))
        self._publish(connection)
        return connection

    def connection(self, id_or_name: str) -> Connection:
        """One connection by id or TENANT/NAME; raises Refused."""
        with self.db() as db:
            return registry.get_connection(db, id_or_name)

    def save(self, connection: Connection, *, careful: bool = False) -> Connection:
        """Write a changed connection, all but its limits, and open or suspend its lane as its state says.

        `careful`: it did not work before, so one reminder goes first. Raises Refused, and SealBroken where the vault opens
        nothing of it.
        """
        self._see_that_it_opens(connection)
        with self.db() as db:
            saved = registry.save_connection(db, renew_connection(connection, self.vault))
        self._publish(saved, careful=careful)
        return saved

    def note(self, connection: Connection) -> Connection:
        """Write only what is known of a connection's state, and stop its lane if it needs attention; raises Refused.

        Its version stays: a consent that is under way goes on.
        """
        with self.db() as db:
            noted = registry.note_state(db, connection)
        if noted.state is ConnectionState.ATTENTION:
            code, message = noted.waits_for()
            run(
                self.redis,
                suspend_lane(noted.id, Suspension(code, message, noted.version, noted.remedy or "")),
            )
        return noted

    def rotate(self, id_or_name: str, *, valid_days: int) -> Connection:
        """Make the next key and certificate of a customer owned application; the present ones go on until Google knows those.

        Made again, they replace what was not uploaded yet. Raises Refused.
        """
        pair = new_key_pair(datetime.now(UTC), valid_days=valid_days)
        with self.db() as db:
            found = registry.get_connection(db, id_or_name)
            if found.certificate is None:
                remedy = "Only a customer owned application has one."
                raise Refused("no_certificate", "This connection has no certificate.", remedy)
            rotating = replace(
                found,
                next_private_key=self.vault.seal(pair.private_key, owner=found.owner),
                next_certificate=pair.certificate,
                next_not_after=pair.not_after,
            )
            return registry.note_next(db, rotating)

    def change_limits(self, id_or_name: str, changes: Mapping[str, int]) -> Connection:
        """Change only the limits named, at once; whether the lane is open stays as it is. Raises Refused, WrongUse, SealBroken."""
        with self.db() as db:
            found = registry.get_connection(db, id_or_name)
            self._see_that_it_opens(found)
            changed = registry.change_limits(db, found.id, changes)
        # Where an earlier change never reached the copy, this one carries it along, with what it meant for the lane.
        self._publish(changed, settle_lane=self._lags(changed))
        return changed

    def add_service_provider_app(self, tenant: str, name: str, *, limits: Limits) -> Connection:
        """Set up a connection that an administrator will link by signing in with Google."""
        check_name(name, "connection")
        with self.db() as db:
            draft = self._draft(db, tenant, name)
            pending = replace(draft, kind=Kind.SERVICE_PROVIDER_APP, state=ConnectionState.PENDING)
            registry.save_connection(db, pending)
            connection = registry.change_limits(db, draft.id, asdict(limits))
        self._publish(connection)
        return connection

    def publish_missing(self) -> int:
        """Write what the working copy lacks, or has in an older version; gives how many connections. What was removed goes.

        The others are written too, but for what concerns their lanes' state: limits change without a new version.
        """
        known = known_in(self.redis)
        with self.db() as db:
            salt = registry.deployment_salt(db)
            tenants, connections = registry.list_tenants(db), registry.list_connections(db)
        write_deployment(self.redis, salt)
        withdraw_others(self.redis, known, [tenant.id for tenant in tenants], connections)
        self.publish_pauses()
        written = 0
        ours = self._ours_to_write(connections)
        for connection in ours:
            written += self._lags(connection)
            self._write(connection, salt, settle_lane=self._lane_lags(connection))
        if len(ours) == len(connections):
            write_project_share(self.redis, self._share)
        for tenant in tenants:
            self._write_tenant(tenant, [each for each in connections if each.tenant == tenant.id])
        return written

    def publish(self, connection: Connection) -> None:
        """Write a connection that is new in SQL to Redis, with its lane."""
        self._publish(connection)

    def publish_pauses(self, reason: str = "as the database says") -> None:
        """Let exactly that wait in Redis which SQL says is to wait, before anything else there may leave."""
        with self.db() as db:
            if paused_in(self.redis) == read_pauses(db).keys():
                return
            take_turns(db)  # else one that read earlier could undo what another has decided since
            found, wanted = paused_in(self.redis), read_pauses(db).keys()
            for name in wanted - found:
                run(self.redis, pause(name, on=True, reason=reason))
            for name in found - wanted:
                lanes = [each.id for each in registry.list_connections(db, name)]
                run(self.redis, pause(name, on=False, reason=reason, connections=lanes))

    def publish_limits(self) -> bool:
        """Bring the limits of all lanes up to date with PROJECT_SHARE; gives whether there was anything to do.

        So lanes made by a certmail that did not know of projects get theirs, too. What is missing or older in the working
        copy is left alone: after a loss of Redis it is a repair that decides.
        """
        if read_project_share(self.redis) == self._share:
            return False
        with self.db() as db:
            salt, connections = registry.deployment_salt(db), registry.list_connections(db)
        ours = self._ours_to_write(connections)
        for connection in ours:
            if not self._lags(connection):
                self._write(connection, salt, settle_lane=False)
        if len(ours) == len(connections):  # else it is for a process that has the other keys
            write_project_share(self.redis, self._share)
        return True

    def check_vault(self, id_or_name: str) -> None:
        """See that what a connection's reminders need can be opened: its own secret, and its tenant's. Raises SealBroken, Refused."""
        with self.db() as db:
            found = registry.get_connection(db, id_or_name)
            tenant = registry.get_tenant(db, found.tenant)
        self.vault.open(tenant.private_key, owner=tenant.id)
        for sealed in (found.private_key, found.refresh_token):
            if sealed is not None:
                self.vault.open(sealed, owner=found.owner)

    def glances(self) -> list[registry.Glance]:
        """All connections, as the caretaker looks at them; raises StoresUnreachable."""
        with self.db() as db:
            return registry.glances(db)

    def copy_missing(self) -> int:
        """Write what the working copy lacks, or has in an older version; gives how much that was. Raises StoresUnreachable.

        A lane that is missing is made. One that is there is opened or suspended only where SQL has a newer version than the
        lane itself: what delivery found out about this one is newer than SQL.
        """
        self.publish_pauses()
        with self.db() as db:
            salt = registry.deployment_salt(db)
            connections: dict[str, int] = {each.id: each.version for each in registry.glances(db)}
            tenants = registry.tenant_versions(db)
            late = older(self.redis, keys.CONNECTION, connections)
            late_tenants = older(self.redis, keys.TENANT, tenants)
            found = [registry.get_connection(db, id_) for id_ in late]
            found_tenants = [
                (registry.get_tenant(db, id_), registry.list_connections(db, id_)) for id_ in late_tenants
            ]
        if found or found_tenants or not self.redis.exists(keys.DEPLOYMENT):
            write_deployment(self.redis, salt)
        ours = self._ours_to_write(found)
        for connection in ours:
            self._write(connection, salt, settle_lane=self._lane_lags(connection))
        for tenant, theirs in found_tenants:
            self._write_tenant(tenant, theirs)
        return len(ours) + len(found_tenants)

    def _lane_lags(self, connection: Connection) -> bool:
        """Whether its lane was last opened or suspended for an older version."""
        return bool(older(self.redis, keys.LANE_INFO, {connection.id: connection.version}))

    def republish_tenant(self, tenant: str) -> None:
        """Write a tenant from SQL, where its working copy cannot be read any more; raises Refused."""
        with self.db() as db:
            found, connections = registry.get_tenant(db, tenant), registry.list_connections(db, tenant)
        self._write_tenant(found, connections)

    def republish_connection(self, connection: ConnectionId) -> None:
        """As `republish_tenant`; what delivery found out about the lane stays. Raises Refused."""
        found = self.connection(connection)
        self._publish(found, settle_lane=self._lane_lags(found))

    @property
    def _share(self) -> str:
        return str(float(self.settings.project_share))

    def _lags(self, connection: Connection) -> bool:
        """Whether the working copy lacks a connection, or has an older version."""
        return version_of(self.redis, connection.id) < connection.version

    def _draft(self, db: Db, tenant: str, name: str) -> Connection:
        """The draft of that name; `default` was made with its tenant, any other is made now."""
        registry.get_tenant(db, tenant)
        for found in registry.list_connections(db, tenant):
            if found.name == name:
                if found.state is not ConnectionState.DRAFT:
                    remedy = "Give the new one a --name of its own."
                    raise Refused(
                        "connection_exists", f"The connection {name!r} of {tenant} is set up already.", remedy
                    )
                return found
        assert name != DEFAULT_NAME, "every tenant has it"
        return registry.add_connection(db, tenant, name, datetime.now(UTC))

    def _see_that_it_opens(self, connection: Connection) -> None:
        if (broken := why_closed(connection, self.vault)) is not None:
            raise broken

    def _ours_to_write(self, connections: Iterable[Connection]) -> list[Connection]:
        """All but those that others can open and we cannot, as `why_closed` says; the log names them.

        One that has no working copy yet is written all the same: a producer that sees its tenant must find the lane.
        """
        found = []
        for connection in connections:
            broken = why_closed(connection, self.vault)
            if broken is None or version_of(self.redis, connection.id) == 0:
                found.append(connection)
            else:
                log.error("copy_not_written", extra={"code": broken.code, "error": broken.message})
        return found

    def _publish(self, connection: Connection, *, settle_lane: bool = True, careful: bool = False) -> None:
        with self.db() as db:
            salt = registry.deployment_salt(db)
            tenant = registry.get_tenant(db, connection.tenant)
        write_deployment(self.redis, salt)
        self.publish_pauses()
        self._write(connection, salt, settle_lane=settle_lane, careful=careful)
        self._write_tenant(tenant, [connection])

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
            project_share=self.settings.project_share,
        )

    def _write_tenant(self, tenant: Tenant, connections: Iterable[Connection]) -> None:
        write_tenant(self.redis, renew_tenant(tenant, self.vault), connections)


@contextmanager
def open_office(settings: Settings, *, make_key: bool = False, supervise: bool = False) -> Iterator[Office]:
    """Open stores and vault; the SQLite database of the data directory is made and brought up to date by itself."""
    vault = open_vault(settings, make=make_key)
    engine = open_database(database_url(settings))
    try:
        if settings.database_url is None:
            upgrade(engine)
        else:
            check_version(engine)
        with redis_server(settings, supervise=supervise) as url, connect(url) as redis:
            yield Office(settings, engine, redis, vault)
    finally:
        engine.dispose()


def address(value: str, what: str) -> str:
    """The address in its usual form; raises WrongUse that says what it was meant as."""
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise WrongUse("invalid_address", f"{what} {value!r} is not an email address: {error}") from None
