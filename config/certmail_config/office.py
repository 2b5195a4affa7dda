"""What an operator does with tenants and connections: each step writes SQL first, then the working copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from email_validator import EmailNotValidError, validate_email
from redis import Redis
from sqlalchemy import Connection as Db
from sqlalchemy import Engine

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
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.sql.engine import check_version, open_database, reachable, upgrade
from certmail_config.stores import connect, database_url, redis_server, vault_keys
from certmail_config.uncertain import Policy
from certmail_config.vault import Vault
from certmail_config.working_copy import (
    read_project_share,
    version_of,
    write_connection,
    write_deployment,
    write_project_share,
    write_tenant,
)

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
        # The connection first: a producer that sees the tenant must find the lane.
        self._write(connection, salt, settle_lane=True)
        write_tenant(self.redis, made, [connection])
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
        write_tenant(self.redis, changed, connections)
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
            _address(service_account, "--service-account"),
            _address(mailbox, "--mailbox"),
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

    def save(self, connection: Connection) -> Connection:
        """Write a changed connection, all but its limits, and open or suspend its lane as its state says; raises Refused."""
        with self.db() as db:
            saved = registry.save_connection(db, connection)
        self._publish(saved)
        return saved

    def change_limits(self, id_or_name: str, changes: Mapping[str, int]) -> Connection:
        """Change only the limits named, at once; whether the lane is open stays as it is. Raises Refused, WrongUse."""
        with self.db() as db:
            found = registry.get_connection(db, id_or_name)
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
        """Write what the working copy lacks, or has in an older version; gives how many connections.

        The others are written too, but for what concerns their lanes' state: limits change without a new version.
        """
        with self.db() as db:
            salt = registry.deployment_salt(db)
            tenants, connections = registry.list_tenants(db), registry.list_connections(db)
        write_deployment(self.redis, salt)
        written = 0
        for connection in connections:
            lags = self._lags(connection)
            self._write(connection, salt, settle_lane=lags)
            written += lags
        write_project_share(self.redis, self._share)
        for tenant in tenants:
            write_tenant(self.redis, tenant, [each for each in connections if each.tenant == tenant.id])
        return written

    def publish_limits(self) -> bool:
        """Bring the limits of all lanes up to date with PROJECT_SHARE; gives whether there was anything to do.

        So lanes made by a certmail that did not know of projects get theirs, too. What is missing or older in the working
        copy is left alone: after a loss of Redis it is a repair that decides.
        """
        if read_project_share(self.redis) == self._share:
            return False
        with self.db() as db:
            salt, connections = registry.deployment_salt(db), registry.list_connections(db)
        for connection in connections:
            if not self._lags(connection):
                self._write(connection, salt, settle_lane=False)
        write_project_share(self.redis, self._share)
        return True

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

    def _publish(self, connection: Connection, *, settle_lane: bool = True) -> None:
        with self.db() as db:
            salt = registry.deployment_salt(db)
            tenant = registry.get_tenant(db, connection.tenant)
        write_deployment(self.redis, salt)
        self._write(connection, salt, settle_lane=settle_lane)
        write_tenant(self.redis, tenant, [connection])

    def _write(self, connection: Connection, salt: bytes, *, settle_lane: bool) -> None:
        share = self.settings.project_share
        write_connection(
            self.redis, self.vault, connection, salt, settle_lane=settle_lane, project_share=share
        )


@contextmanager
def open_office(settings: Settings, *, make_key: bool = False, supervise: bool = False) -> Iterator[Office]:
    """Open stores and vault; the SQLite database of the data directory is made and brought up to date by itself."""
    vault = Vault(vault_keys(settings, make=make_key))
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


def _address(value: str, option: str) -> str:
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise WrongUse("invalid_address", f"{option} {value!r} is not an email address: {error}") from None
