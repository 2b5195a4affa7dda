"""The tables. Times are stored in UTC and come back aware, on SQLite too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC; SQLite has no zones of its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    # SQLAlchemy passes the dialect, whether it is used or not.
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Refuse a time without zone; it would be stored as something else than meant."""
        if value is None:
            return None
        assert value.tzinfo is not None, "times in the record are aware"
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give it back aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

deployment = Table(
    "deployment",
    metadata,
    Column("id", Integer, primary_key=True),  # one row, 1
    Column("salt", LargeBinary, nullable=False),  # keys the hashes that name mailboxes in Redis
    # By an operator: nothing leaves.
    Column("paused", Boolean, nullable=False, server_default=false()),
    # Sealed by the vault: signs the tenants' public keys; null until it is first used.
    Column("signing_key", LargeBinary),
)

tenants = Table(
    "tenants",
    metadata,
    Column("id", String(63), primary_key=True),
    Column("name", String(200), nullable=False),  # what its mails call it; '' means its id
    Column("state", String(16), nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("private_key", LargeBinary, nullable=False),  # sealed by the vault
    Column("salt", LargeBinary, nullable=False),
    Column("uncertain", String(200)),  # its rule for unknown outcomes; null means the deployment's
    # Comma separated; '' is any.
    Column("domains", Text, nullable=False, server_default=text("''")),
    # An address, sealed by the vault; null means the mailbox that a mail leaves from.
    Column("reply_to", LargeBinary),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

templates = Table(
    "templates",
    metadata,
    Column("tenant", ForeignKey("tenants.id"), primary_key=True),
    Column("version", Integer, primary_key=True),  # the highest is what its mails are written with
    Column("document", Text, nullable=False),  # JSON: brand and texts, as templates/documents.py
    Column("digest", String(64), nullable=False),  # SHA-256 of that
    # JSON: certmail's own words by place, as they were when the tenant's were made on them.
    Column("own_words", Text, nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
    Column("published_by", Text, nullable=False),
)

connections = Table(
    "connections",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("tenant", ForeignKey("tenants.id"), nullable=False),
    Column("name", String(63), nullable=False),
    Column("kind", String(32)),
    Column("state", String(16), nullable=False),
    Column("code", String(64)),
    Column("message", Text),
    Column("remedy", Text),
    Column("mailbox", String(320)),
    Column("service_account", String(320)),
    Column("private_key", LargeBinary),  # sealed by the vault
    Column("certificate", Text),
    Column("not_after", UtcDateTime),
    Column("key_id", String(64)),
    # Sealed by the vault; these three: while certificates are rotated.
    Column("next_private_key", LargeBinary),
    Column("next_certificate", Text),
    Column("next_not_after", UtcDateTime),
    # Since when Google refuses what an administrator may have set up just now.
    Column("refused_since", UtcDateTime),
    Column("sub", String(64)),  # Google's own name for a linked account
    Column("refresh_token", LargeBinary),  # sealed by the vault
    Column("verify", Boolean, nullable=False),  # whether gmail.metadata was granted too
    Column("units_per_minute", Integer, nullable=False),
    Column("in_flight", Integer, nullable=False),
    Column("per_day", Integer, nullable=False, server_default="2000"),
    Column("project_units_per_minute", Integer, nullable=False, server_default="1200000"),
    Column("project_units_per_day", Integer, nullable=False, server_default="80000000"),
    Column("warm_up_days", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("tenant", "name"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(200), nullable=False),  # what it is for, in an operator's words
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the key, which is kept nowhere
    Column("tenants", Text, nullable=False),  # JSON: ids, or `*`
    Column("scopes", Text, nullable=False),  # JSON
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

operators = Table(
    "operators",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(63), nullable=False),
    # Sealed by the vault: name, role, hash of the password, address, whether disabled.
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("name"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("job", String(36), primary_key=True),
    Column("tenant", String(63), nullable=False),
    Column("connection", String(36), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("campaign", String(300)),
    Column("recipient", String(320)),  # in lower case; null once erased
    Column("mailbox", String(320)),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("held", Boolean, nullable=False),
    Column("possible_duplicate", Boolean, nullable=False),
    Column("enqueued_at", UtcDateTime, nullable=False),
    Column("send_at", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("dedupe", String(128)),  # its key and content, as keyed hashes: what a repair of Redis
    Column("fingerprint", String(64)),  # needs to know, so that nothing is sent a second time
    Column("decided_by", Text),  # who called it off or settled it, in the words of the record
    # Pages are read in this order, whatever is asked for (deliveries.py): each index ends with it.
    Index(None, "enqueued_at", "job"),
    Index(None, "state", "enqueued_at", "job"),
    Index(None, "recipient", "enqueued_at", "job"),
    Index(None, "campaign", "enqueued_at", "job"),
    Index(None, "campaign", "state", "enqueued_at", "job"),
    Index(None, "tenant", "enqueued_at", "job"),
    Index(None, "tenant", "state", "enqueued_at", "job"),
    Index(None, "tenant", "campaign", "enqueued_at", "job"),
    Index(None, "tenant", "campaign", "state", "enqueued_at", "job"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("job", ForeignKey("deliveries.job"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("worker", String(128)),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", String(16)),
    Column("http_status", Integer),
    Column("google_reason", Text),
    Column("gmail_id", String(64)),
    Column("gmail_thread_id", String(64)),
    Column("reason", Text),  # what became of it, in certmail's words
    Column("latency_ms", Integer),  # from the first byte of the request to the end of the answer
    # Of the certificate whose key was used; null for a linked account.
    Column("key_id", String(64)),
    Column("connection_version", Integer),
    # These four: which words were sent. Null where the worker was lost, or of an older version.
    Column("template_version", Integer),  # of the tenant's own words; null: certmail's alone
    Column("locale", String(35)),
    Column("message_sha256", String(64)),  # of the bytes that Gmail was given
    Column("subject_sha256", String(64)),  # of the Subject as people read it, in UTF-8
    # These two: what else it takes to write the same bytes again.
    Column("composed_at", UtcDateTime),  # the moment that the message was written for
    Column("release", String(80)),  # version and revision of the certmail that wrote it
)

events = Table(
    "events",
    metadata,
    # The event's id in the Redis stream, "ms-n", in two parts.
    Column("stream_ms", BigInteger, primary_key=True),
    Column("stream_n", BigInteger, primary_key=True),
    Column("type", String(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("tenant", String(63)),
    Column("job", String(36)),
    Column("data", Text, nullable=False),  # JSON of the event's other fields, without the payload
    Index(None, "job"),
    Index(None, "at"),
    # Migration 0011 makes one more, of what happened to no reminder. Named here it would load both
    # dialects, in each command.
)

set_aside = Table(
    "set_aside",
    metadata,
    Column("id", String(64), primary_key=True),  # of the event in the Redis stream
    Column("at", UtcDateTime, nullable=False),  # when it was set aside
    Column("reason", Text, nullable=False),  # why it could not be recorded
    Column("type", String(32)),  # these three: as far as they can be read
    Column("tenant", String(63)),
    Column("job", String(36)),
    # JSON of what it holds, shortened, without payload and addresses.
    Column("fields", Text, nullable=False),
)

recorder = Table(
    "recorder",
    metadata,
    Column("id", Integer, primary_key=True),  # one row, 1
    Column("cursor", String(64), nullable=False),  # the last event recorded
    Column("epoch", String(36)),  # names the ledger that is recorded; Redis holds the same
    Column("seen_at", UtcDateTime),  # when it was last seen that nothing more had happened
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(200), nullable=False),  # what it is for, in somebody's words
    Column("url", Text, nullable=False),
    Column("types", Text, nullable=False),  # JSON: what it is told of, or `*`
    Column("secret", LargeBinary, nullable=False),  # sealed by the vault; signs what it is sent
    Column("previous_secret", LargeBinary),  # likewise; signs as well until the time beside it
    Column("previous_until", UtcDateTime),
    # From here to `error`: how it takes its messages (webhooks/health.py), and why it last did not.
    Column("state", String(16), nullable=False),
    Column("code", String(64)),
    Column("since", UtcDateTime),
    Column("failures", Integer, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("next_at", UtcDateTime),
    Column("succeeded_at", UtcDateTime),
    Column("error", Text),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

webhook_subscriptions = Table(
    "webhook_subscriptions",
    metadata,
    Column("tenant", String(63), primary_key=True),  # whose events the endpoint is told; `*`: all
    Column("endpoint", ForeignKey("webhook_endpoints.id"), primary_key=True, index=True),
)

webhook_messages = Table(
    "webhook_messages",
    metadata,
    # No foreign key: the recorder must not fail where an endpoint is removed meanwhile. Retention
    # forgets what is nobody's.
    Column("endpoint", String(36), primary_key=True),
    # The event's id in the Redis stream, "ms-n"; what is no event of a stream has an n beyond its.
    Column("ms", BigInteger, primary_key=True),
    Column("n", BigInteger, primary_key=True),
    Column("type", String(64), nullable=False),
    Column("tenant", String(63)),
    Column("job", String(36)),
    Column("body", Text, nullable=False),  # JSON, as it is signed and sent
    Column("state", String(16), nullable=False),  # waiting, delivered, failed
    Column(
        "attempts", Integer, nullable=False
    ),  # also the fence: who knows an older number is late
    Column("due_at", UtcDateTime, nullable=False),  # while it is under way: when that is over
    Column("ended_at", UtcDateTime),
    Column("status", Integer),  # of the last answer
    Column("error", Text),
    Index(None, "endpoint", "state", "due_at"),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("tenant", ForeignKey("tenants.id"), primary_key=True),
    Column("id", String(200), primary_key=True),
    Column("body", Text, nullable=False),  # JSON: what somebody wrote of it, as campaign.toml
    Column("connection", String(63), nullable=False),  # its name, as the body has it
    Column("state", String(16), nullable=False),  # running, paused, stopped
    Column("version", Integer, nullable=False),  # of body and state: its ETag
    # Counts whatever was changed, progress too: who planned by an older number plans again.
    Column("changes", BigInteger, nullable=False),
    Column("next_plan_at", UtcDateTime, index=True),  # null: until somebody changes it
    Column("planned_at", UtcDateTime),
    Column("failures", Integer, nullable=False),  # of planning, one after the other
    Column("error", Text),  # why planning failed last
    Column("retry_at", UtcDateTime),  # when that is tried again, of whom it failed
    # Some are gone since it was planned last, whose mails are to be withdrawn.
    Column("reviewers_removed", Boolean, nullable=False, server_default=false()),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

campaign_reviewers = Table(
    "campaign_reviewers",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("campaign", String(200), primary_key=True),
    Column("id", String(200), primary_key=True),
    # Sealed to the tenant's public key as reminders are: address, name, manager, deputy, and so on.
    Column("sealed", LargeBinary, nullable=False),
    # Keyed hashes: of all that is sealed, and of the address as the record has it.
    Column("fingerprint", String(32), nullable=False),
    Column("person", String(32), nullable=False),
    Column("roster", String(64)),  # the list that named them last; who is not in the newest goes
    Column("pending", Integer),  # these two: as the newest news of them has it
    Column("completed", Integer),
    # One of these two orders the news of a reviewer; both are null until there was any.
    Column("progress_at", UtcDateTime),
    Column("progress_sequence", BigInteger),
    Column("plan_at", UtcDateTime),  # when they are planned next; null: until something changes
    # Counts what was changed of them: who planned by an older number plans again.
    Column("changes", BigInteger, nullable=False, server_default=text("0")),
    ForeignKeyConstraint(["tenant", "campaign"], ["campaigns.tenant", "campaigns.id"]),
    Index(None, "tenant", "person"),
    # Of those alone who are planned: without statistics PostgreSQL would take it to find one by id.
    Index(
        None,
        "tenant",
        "campaign",
        "plan_at",
        postgresql_where=text("plan_at IS NOT NULL"),
        sqlite_where=text("plan_at IS NOT NULL"),
    ),
)

campaign_moments = Table(
    "campaign_moments",
    metadata,
    # A mail's identity, which no change of date touches.
    Column("tenant", String(63), primary_key=True),
    Column("campaign", String(200), primary_key=True),
    Column("reviewer", String(200), primary_key=True),
    Column("rule", String(64), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("digest", String(64), nullable=False),  # of what was planned: the same is left alone
    Column("generation", Integer, nullable=False),  # how often another job took its place
    Column("job", String(36), index=True),
    Column("state", String(16), nullable=False),  # planned, enqueued, ended, withdrawn
    Column("outcome", String(64)),
    ForeignKeyConstraint(["tenant", "campaign"], ["campaigns.tenant", "campaigns.id"]),
)
