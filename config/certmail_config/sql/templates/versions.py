"""What tenants write in their mails themselves, in SQL: each version of it, the highest counts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection as Db
from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from certmail_config.base.errors import Refused
from certmail_config.sql import tables

MOST_VERSIONS: Final = 500
"""So many of a tenant are kept, the newest: who publishes without end must not fill the database."""
_T: Final = tables.templates


@dataclass(frozen=True, slots=True)
class Published:
    """One version: its document as it was written, and certmail's own words that it was made on."""

    version: int
    document: str
    digest: str
    own_words: Mapping[str, Sequence[str]]
    at: datetime
    by: str


def read_templates(db: Db, tenant: str, version: int | None = None) -> Published | None:
    """The newest version of a tenant, or the one asked for; None where there is none."""
    query = select(_T).where(_T.c.tenant == tenant).order_by(_T.c.version.desc()).limit(1)
    return _read(db, query if version is None else query.where(_T.c.version == version))


def list_versions(db: Db, tenant: str) -> list[tuple[int, datetime, str]]:
    """Which versions there are, when and by whom each was published; the newest first."""
    query = select(_T.c.version, _T.c.published_at, _T.c.published_by)
    rows = db.execute(query.where(_T.c.tenant == tenant).order_by(_T.c.version.desc()))
    return [(row.version, row.published_at, row.published_by) for row in rows]


def newest_versions(db: Db, tenant: str | None = None) -> dict[str, int]:
    """The newest version of each tenant that has templates, or of one."""
    query = select(_T.c.tenant, func.max(_T.c.version)).group_by(_T.c.tenant)
    query = query if tenant is None else query.where(_T.c.tenant == tenant)
    return {str(tenant): int(version) for tenant, version in db.execute(query)}


def default_locale(db: Db, tenant: str) -> str:
    """The locale that a tenant's newest templates name; empty where they name none.

    What somebody made unreadable in the database names none.
    """
    newest = select(_T.c.document).where(_T.c.tenant == tenant).order_by(_T.c.version.desc())
    document = db.execute(newest.limit(1)).scalar_one_or_none()
    try:
        found = json.loads(document or "{}").get("locale")
    except (ValueError, AttributeError):
        return ""
    return found if isinstance(found, str) else ""


def add_version(db: Db, tenant: str, published: Published) -> None:
    """Write the next version; raises Refused where somebody else wrote it meanwhile."""
    row = {
        "tenant": tenant,
        "version": published.version,
        "document": published.document,
        "digest": published.digest,
        "own_words": json.dumps(published.own_words, ensure_ascii=False),
        "published_at": published.at,
        "published_by": published.by,
    }
    try:
        with db.begin_nested():
            db.execute(insert(_T).values(**row))
    except IntegrityError:
        raise changed_meanwhile(tenant) from None

    old = published.version - MOST_VERSIONS
    db.execute(delete(_T).where(_T.c.tenant == tenant, _T.c.version <= old))


def changed_meanwhile(tenant: str) -> Refused:
    """Somebody else has published since."""
    return Refused(
        "templates_changed",
        f"The templates of {tenant} were changed by somebody else.",
        "Look at them, and publish again.",
    )


def _read(db: Db, query: Select[Any]) -> Published | None:
    row = db.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return Published(
        row["version"],
        row["document"],
        row["digest"],
        json.loads(row["own_words"]),
        row["published_at"],
        row["published_by"],
    )
