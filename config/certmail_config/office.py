"""What an operator does with tenants and connections: each step writes SQL first, then the working copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
from certmail_config.vault import Vault
from certmail_config.working_copy import version_of, write_connection, write_deployment, write_tenant


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

    def add_tenant(self, tenant: str, *, name: str = "") -> tuple[Tenant, Connection]:
        """Make a tenant with its connection `default`; raises Refused, WrongUse."""
        check_name(tenant, "tenant")
        with self.db() as db:
            salt = registry.deployment_salt(db)
            made, connection = registry.add_tenant(
                db, self.vault, tenant, datetime.now(UTC), name=name.strip()[:200]
            )
        write_deployment(self.redis, salt)
        # The connection first: a producer that sees the tenant must find the lane.
        write_connection(self.redis, self.vault, connection, salt, settle_lane=True)
        write_tenant(self.redis, made, [connection])
        return made, connection

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
            connection = registry.save_connection(
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
                    limits=limits,
                    verify=verify,
                ),
            )
        self._publish(connection)
        return connection

    def connection(self, id_or_name: str) -> Connection:
        """One connection by id or TENANT/NAME; raises Refused."""
        with self.db() as db:
            return registry.get_connection(db, id_or_name)

    def save(self, connection: Connection) -> Connection:
        """Write a changed connection, and open or suspend its lane as its state says; raises Refused."""
        with self.db() as db:
            saved = registry.save_connection(db, connection)
        self._publish(saved)
        return saved

    def add_service_provider_app(self, tenant: str, name: str, *, limits: Limits) -> Connection:
        """Set up a connection that an administrator will link by signing in with Google."""
        check_name(name, "connection")
        with self.db() as db:
            draft = self._draft(db, tenant, name)
            pending = replace(
                draft, kind=Kind.SERVICE_PROVIDER_APP, state=ConnectionState.PENDING, limits=limits
            )
            connection = registry.save_connection(db, pending)
        self._publish(connection)
        return connection

    def publish_missing(self) -> int:
        """Write what the working copy lacks, or has in an older version; gives how many connections."""
        with self.db() as db:
            salt = registry.deployment_salt(db)
            tenants, connections = registry.list_tenants(db), registry.list_connections(db)
        write_deployment(self.redis, salt)
        written = 0
        for connection in connections:
            if version_of(self.redis, connection.id) < connection.version:
                write_connection(self.redis, self.vault, connection, salt, settle_lane=True)
                written += 1
        for tenant in tenants:
            write_tenant(self.redis, tenant, [each for each in connections if each.tenant == tenant.id])
        return written

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

    def _publish(self, connection: Connection) -> None:
        with self.db() as db:
            salt = registry.deployment_salt(db)
            tenant = registry.get_tenant(db, connection.tenant)
        write_deployment(self.redis, salt)
        write_connection(self.redis, self.vault, connection, salt, settle_lane=True)
        write_tenant(self.redis, tenant, [connection])


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
