"""The administration of tenants and connections.

Each step writes SQL first, then the working copy.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from redis import Redis
from sqlalchemy import Connection as Db
from sqlalchemy import Engine

from certmail_config.admin.projector import Projector
from certmail_config.base.addresses import address, impersonated_address, service_account_address
from certmail_config.base.errors import Refused
from certmail_config.crypto.certificates import new_key_pair
from certmail_config.crypto.strongbox import Strongbox
from certmail_config.crypto.vault import Vault
from certmail_config.jobs.uncertain_policy import Policy
from certmail_config.ledger import Act, Suspension, act, run, suspend_lane
from certmail_config.settings import Settings
from certmail_config.sql import registry
from certmail_config.sql.engine import reachable, ready_database
from certmail_config.stores.connect import connect, open_vault, redis_server
from certmail_config.tenants.domains import check_domain, read_domains
from certmail_config.tenants.models import (
    DEFAULT_NAME,
    Connection,
    ConnectionKind,
    ConnectionState,
    GoogleLimits,
    Tenant,
    check_name,
)
from certmail_config.tenants.sealed_fields import open_from, renew_connection, seal_for, why_closed

log = logging.getLogger(__name__)

MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Admin:
    """Both stores and the vault, open, and what an operator does with them.

    `actor` is who does things, for the record: empty is certmail itself.
    """

    settings: Settings
    engine: Engine
    redis: Redis
    vault: Vault
    actor: str = ""

    def acting_as(self, actor: str) -> Admin:
        """The same administration, on behalf of somebody."""
        return replace(self, actor=actor)

    def record(
        self, what: Act, tenant: str = "*", *, connection: str = "", reason: str = ""
    ) -> None:
        """Put on record what was done, in the actor's name; raises RedisError."""
        run(self.redis, act(what, tenant, connection=connection, reason=reason, by=self.actor))

    @contextmanager
    def db(self) -> Iterator[Db]:
        """One transaction; raises StoresUnreachable."""
        with reachable(self.engine), self.engine.begin() as db:
            yield db

    @property
    def strongbox(self) -> Strongbox:
        """What keeps in Redis what only certmail may write."""
        return Strongbox(self.redis, self.vault)

    @property
    def projector(self) -> Projector:
        """What writes to Redis as SQL has it."""
        return Projector(
            self.engine, self.redis, self.vault, self.settings.project_share, self.actor
        )

    def add_tenant(
        self,
        tenant: str,
        *,
        name: str = "",
        uncertain: str | None = None,
        domains: Sequence[str] = (),
        reply_to: str = "",
    ) -> tuple[Tenant, Connection]:
        """Make a tenant with its connection `default`; raises Refused, WrongUse."""
        check_name(tenant, "tenant")
        if uncertain is not None:
            Policy.parse(uncertain)

        with self.db() as db:
            made, connection = registry.add_tenant(
                db,
                self.vault,
                tenant,
                datetime.now(UTC),
                name=name.strip()[:MAX_NAME],
                uncertain=uncertain,
                domains=read_domains(domains),
                reply_to=self._reply_to(tenant, reply_to),
            )

        self.projector.publish(connection)
        self.record(Act.TENANT_ADDED, tenant)
        return made, connection

    def change_tenant(
        self,
        tenant: str,
        *,
        name: str | None = None,
        uncertain: str | None = None,
        domains: Sequence[str] | None = None,
        reply_to: str | None = None,
    ) -> Tenant:
        """Change what is given of a tenant.

        An empty `uncertain` goes back to the deployment's rule, no domain allows any, an empty
        `reply_to` names nobody.

        Raises Refused, WrongUse. Connections of a domain that is no longer allowed go on.
        """
        changes: dict[str, str | bytes | None] = {}
        if name is not None:
            changes["name"] = name.strip()[:MAX_NAME]
        if uncertain is not None:
            changes["uncertain"] = str(uncertain) if uncertain and Policy.parse(uncertain) else None
        if domains is not None:
            changes["domains"] = read_domains(domains)
        if reply_to is not None:
            changes["reply_to"] = self._reply_to(tenant, reply_to)

        with self.db() as db:
            changed = registry.change_tenant(db, tenant, changes)
            connections = registry.list_connections(db, tenant)

        self.projector.publish_tenant(changed, connections)
        self.record(Act.TENANT_CHANGED, tenant, reason=", ".join(sorted(changes)))
        return changed

    def reply_to_of(self, tenant: Tenant) -> str | None:
        """The address that a tenant's reviewers may write to, if there is one.

        Raises SealBroken.
        """
        sealed = tenant.reply_to
        return open_from(self.vault, sealed, tenant.id, "reply_to").decode() if sealed else None

    def _reply_to(self, tenant: str, given: str) -> bytes | None:
        if not given.strip():
            return None
        return seal_for(
            self.vault, address(given.strip(), "--reply-to").encode(), tenant, "reply_to"
        )

    def add_customer_owned_app(
        self,
        tenant: str,
        name: str,
        *,
        service_account: str,
        mailbox: str,
        limits: GoogleLimits,
        valid_days: int,
        verify: bool = False,
    ) -> Connection:
        """Set up a connection with a key and certificate of its own.

        It waits for the administrator's steps at Google.
        """
        check_name(name, "connection")
        service_account, mailbox = (
            service_account_address(service_account, "--service-account"),
            impersonated_address(mailbox, "--mailbox"),
        )
        pair = new_key_pair(datetime.now(UTC), valid_days=valid_days)

        with self.db() as db:
            check_domain(registry.get_tenant(db, tenant), mailbox)
            draft = self._draft(db, tenant, name)
            registry.save_connection(
                db,
                replace(
                    draft,
                    kind=ConnectionKind.CUSTOMER_OWNED_APP,
                    state=ConnectionState.PENDING,
                    service_account=service_account,
                    mailbox=mailbox,
                    private_key=seal_for(self.vault, pair.private_key, draft.owner, "private_key"),
                    certificate=pair.certificate,
                    not_after=pair.not_after,
                    verify=verify,
                ),
            )

            connection = registry.change_limits(db, draft.id, asdict(limits))

        self.projector.publish(connection)
        self.record(
            Act.CONNECTION_SET_UP, tenant, connection=connection.id, reason=str(connection.kind)
        )
        return connection

    def connection(self, id_or_name: str) -> Connection:
        """One connection by id or TENANT/NAME; raises Refused."""
        with self.db() as db:
            return registry.get_connection(db, id_or_name)

    def save(self, connection: Connection, *, careful: bool = False) -> Connection:
        """Write a changed connection, all but its limits, and open or suspend its lane as it says.

        `careful`: it did not work before, so one reminder goes first. Raises Refused, and
        SealBroken where the vault opens nothing of it.
        """
        self._check_that_it_opens(connection)
        with self.db() as db:
            saved = registry.save_connection(db, renew_connection(connection, self.vault))
        self.projector.publish(saved, careful=careful)
        return saved

    def note(self, connection: Connection) -> Connection:
        """Write only what is known of a connection's state; stop its lane if it needs attention.

        Its version stays: a consent that is under way goes on. Raises Refused.
        """
        with self.db() as db:
            noted = registry.note_state(db, connection)
        if noted.state is ConnectionState.ATTENTION:
            code, message = noted.waits_for()
            run(
                self.redis,
                suspend_lane(
                    noted.id,
                    Suspension(code, message, noted.version, noted.remedy or ""),
                    by=self.actor,
                ),
            )

        return noted

    def rotate(self, id_or_name: str, *, valid_days: int) -> Connection:
        """Make the next key and certificate of a customer owned application.

        The present ones go on until Google knows those.

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
                next_private_key=seal_for(
                    self.vault, pair.private_key, found.owner, "next_private_key"
                ),
                next_certificate=pair.certificate,
                next_not_after=pair.not_after,
            )

            noted = registry.note_next(db, rotating)

        self.record(Act.CERTIFICATE_MADE, noted.tenant, connection=noted.id)
        return noted

    def change_limits(self, id_or_name: str, changes: Mapping[str, int]) -> Connection:
        """Change only the limits named, at once; whether the lane is open stays as it is.

        Raises Refused, WrongUse, SealBroken.
        """
        with self.db() as db:
            found = registry.get_connection(db, id_or_name)
            self._check_that_it_opens(found)
            changed = registry.change_limits(db, found.id, changes)

        # Where an earlier change never reached the copy, this one carries it along, with what it
        # meant for the lane.
        self.projector.publish(changed, settle_lane=self.projector.lags(changed))
        told = ", ".join(f"{name}={value}" for name, value in sorted(changes.items()))
        self.record(Act.LIMITS_CHANGED, changed.tenant, connection=changed.id, reason=told)

        return changed

    def add_service_provider_app(
        self, tenant: str, name: str, *, limits: GoogleLimits
    ) -> Connection:
        """Set up a connection that an administrator will link by signing in with Google."""
        check_name(name, "connection")

        with self.db() as db:
            draft = self._draft(db, tenant, name)
            pending = replace(
                draft, kind=ConnectionKind.SERVICE_PROVIDER_APP, state=ConnectionState.PENDING
            )
            registry.save_connection(db, pending)
            connection = registry.change_limits(db, draft.id, asdict(limits))

        self.projector.publish(connection)
        self.record(
            Act.CONNECTION_SET_UP, tenant, connection=connection.id, reason=str(connection.kind)
        )
        return connection

    def check_vault(self, id_or_name: str) -> None:
        """Require that what a connection's reminders need can be opened.

        That is its own secret, and its tenant's. Raises SealBroken, Refused.
        """
        with self.db() as db:
            found = registry.get_connection(db, id_or_name)
            tenant = registry.get_tenant(db, found.tenant)

        open_from(self.vault, tenant.private_key, tenant.id, "private_key")
        for name in ("private_key", "refresh_token"):
            if (sealed := getattr(found, name)) is not None:
                open_from(self.vault, sealed, found.owner, name)

    def connection_health(self) -> list[registry.ConnectionHealth]:
        """All connections, as the caretaker looks at them; raises StoresUnreachable."""
        with self.db() as db:
            return registry.connection_health(db)

    def _draft(self, db: Db, tenant: str, name: str) -> Connection:
        """The draft of that name; `default` was made with its tenant, any other is made now."""
        registry.get_tenant(db, tenant)
        found = registry.find_connection(db, tenant, name)
        if found is None:
            assert name != DEFAULT_NAME, "every tenant has it"
            return registry.add_connection(db, tenant, name, datetime.now(UTC))

        if found.state is not ConnectionState.DRAFT:
            message = f"The connection {name!r} of {tenant} is set up already."
            raise Refused("connection_exists", message, "Give the new one a --name of its own.")
        return found

    def _check_that_it_opens(self, connection: Connection) -> None:
        if (broken := why_closed(connection, self.vault)) is not None:
            raise broken


@contextmanager
def open_admin(
    settings: Settings, *, make_key: bool = False, supervise: bool = False, actor: str = ""
) -> Iterator[Admin]:
    """Open stores and vault.

    The SQLite database of the data directory is made and brought up to date by itself.
    """
    vault = open_vault(settings, make=make_key)

    with (
        ready_database(settings, patient=supervise) as engine,
        redis_server(settings, supervise=supervise) as url,
        connect(url) as redis,
    ):
        yield Admin(settings, engine, redis, vault, actor)
