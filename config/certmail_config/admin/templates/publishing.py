"""Publishing what a tenant writes in its mails itself: checked, kept in SQL, then in Redis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from certmail_config.admin.admin import Admin
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.base.redis_answers import hash_of
from certmail_config.compose.own.whole_mails import all_findings
from certmail_config.ledger import Act
from certmail_config.sql import registry
from certmail_config.sql.history import CERTMAIL
from certmail_config.sql.templates.versions import (
    Published,
    add_version,
    changed_meanwhile,
    read_templates,
)
from certmail_config.templates.differences import based, to_keep
from certmail_config.templates.documents import EMPTY, Document, read_json
from certmail_config.templates.findings import Finding, TemplatesRefused, faults_of
from certmail_config.tenants.templates_copy import read_templates_copy


@dataclass(frozen=True, slots=True)
class TemplatesState:
    """A tenant's templates: the version that counts, None for none, and what of it failed."""

    tenant: str
    document: Document
    published: Published | None
    off: Mapping[str, str]

    @property
    def version(self) -> int:
        """0 where there is none."""
        return self.published.version if self.published else 0


def templates_of(admin: Admin, tenant: str) -> TemplatesState:
    """What a tenant has published; raises Refused, StoresUnreachable, RedisError."""
    with admin.db() as db:
        registry.get_tenant(db, tenant)
        published = read_templates(db, tenant)

    copy = read_templates_copy(hash_of(admin.redis, redis_keys.TEMPLATES + tenant))
    known = copy is not None and published is not None and copy.version == published.version
    return TemplatesState(
        tenant, _document(published), published, copy.off if known and copy else {}
    )


def publish(
    admin: Admin, tenant: str, document: Document, *, instead_of: int | None = None
) -> tuple[TemplatesState, list[Finding]]:
    """Publish templates; gives how they stand then, and the hints.

    What is the same as before stays as it is, unless something of it failed. `instead_of` is the
    version that they are to follow. Raises TemplatesRefused, which says all that is wrong, Refused,
    StoresUnreachable.
    """
    findings = all_findings(document, admin.settings.logo_hosts)
    if faults_of(findings):
        raise TemplatesRefused(findings)

    document = read_json(based(document).written())  # within the bounds of every store
    before = templates_of(admin, tenant)
    if instead_of is not None and before.version != instead_of:
        raise changed_meanwhile(tenant)

    published, made = before.published, None
    if published is None and document == EMPTY:
        return before, findings
    if published is None or published.digest != document.digest() or before.off:
        kept = to_keep(document, before.document, published.own_words if published else {})
        published = Published(
            before.version + 1,
            document.written(),
            document.digest(),
            kept,
            datetime.now(UTC),
            admin.actor or CERTMAIL,
        )
        with admin.db() as db:
            registry.get_tenant(db, tenant)
            add_version(db, tenant, published)
        made = published.version

    admin.projector.write_templates(tenant, published)
    if made is not None:
        admin.record(Act.TEMPLATES_PUBLISHED, tenant, reason=f"version {made}")
    return replace(before, document=document, published=published, off={}), findings


def reset(admin: Admin, tenant: str) -> TemplatesState:
    """Go back to certmail's own words and look; the versions before are kept.

    Raises Refused, StoresUnreachable.
    """
    return publish(admin, tenant, EMPTY)[0]


def version_of(admin: Admin, tenant: str, version: int) -> tuple[Document, Published]:
    """A version that was published before; raises Refused."""
    with admin.db() as db:
        published = read_templates(db, tenant, version)
    if published is None:
        raise Refused(
            "unknown_version",
            f"There is no version {version} of the templates of {tenant}.",
            "See `certmail templates list TENANT`.",
        )
    return _document(published), published


def _document(published: Published | None) -> Document:
    """The document of a version; what somebody made unreadable in the database counts for none."""
    if published is None:
        return EMPTY
    try:
        return read_json(published.document)
    except TemplatesRefused:
        return EMPTY
