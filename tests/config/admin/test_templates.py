"""Publishing templates: in SQL with all versions, then in Redis; what failed, and what somebody altered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import delete, update

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.erasing import erase_tenant
from certmail_config.admin.templates.publishing import publish, reset, templates_of, version_of
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.ledger import run, suspend_template
from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_config.sql.templates.versions import list_versions
from certmail_config.templates.documents import EMPTY, Document, read_document
from certmail_config.templates.findings import TemplatesRefused
from certmail_config.tenants.working_copy import read_tenant

PLACE = "en/reminder/ask"


@pytest.fixture
def admin(redis: Redis, redis_url: str, ready_database: str, tmp_path: Path) -> Iterator[Admin]:
    settings = Settings(
        redis_url=redis_url,
        database_url=ready_database,
        data_dir=tmp_path,
        logo_hosts="static.acme.example",
    )
    with open_admin(settings, make_key=True, actor="anna") as made:
        made.add_tenant("acme", name="ACME")
        yield made


def _saying(text: str, **more: Any) -> Document:
    return read_document({"texts": {"en": {"reminder": {"ask": {"text": text}}}}, **more})


def _copy(admin: Admin) -> dict[str, str]:
    found: Any = admin.redis.hgetall(redis_keys.TEMPLATES + "acme")
    return {name.decode(): value.decode() for name, value in found.items()}


def test_what_is_published_stands_in_both_stores_and_every_version_is_kept(admin: Admin) -> None:
    first, hints = publish(admin, "acme", _saying("Please decide."))
    second, _ = publish(admin, "acme", _saying("Decide, please."))
    again, _ = publish(admin, "acme", _saying("Decide, please."))

    assert (first.version, second.version, again.version, hints) == (1, 2, 2, [])
    assert _copy(admin) == {"version": "2", "document": second.document.written()}
    assert templates_of(admin, "acme").document == second.document
    assert version_of(admin, "acme", 1)[0] == first.document
    [override] = second.document.overrides()
    assert len(override.base) == 12
    with admin.db() as db:
        assert [(n, by) for n, _, by in list_versions(db, "acme")] == [(2, "anna"), (1, "anna")]

    assert reset(admin, "acme").document == EMPTY
    assert _copy(admin) == {"version": "3", "document": "{}"}


def test_what_has_a_fault_is_not_published(admin: Admin) -> None:
    logo = {"url": "https://elsewhere.example/x.png", "alt": "x"}
    with pytest.raises(TemplatesRefused) as refused:
        publish(admin, "acme", _saying("{{ campain }}", brand={"logo": logo}))

    assert [each.place for each in refused.value.findings] == ["brand/logo/url", PLACE]
    assert _copy(admin) == {}
    assert reset(admin, "acme").version == 0
    with pytest.raises(Refused, match="no tenant 'nobody'"):
        publish(admin, "nobody", _saying("x"))
    with pytest.raises(Refused, match="no version 7"):
        version_of(admin, "acme", 7)


def test_who_did_not_see_the_last_version_is_told(admin: Admin) -> None:
    publish(admin, "acme", _saying("a"), instead_of=0)

    with pytest.raises(Refused, match="changed by somebody else"):
        publish(admin, "acme", _saying("b"), instead_of=0)
    publish(admin, "acme", _saying("b"), instead_of=1)


def test_what_failed_is_left_out_until_something_is_published_again(admin: Admin) -> None:
    publish(admin, "acme", _saying("a"))

    assert run(admin.redis, suspend_template("acme", 1, PLACE, "it writes too much"))
    assert not run(admin.redis, suspend_template("acme", 1, PLACE, "it writes too much"))
    assert not run(
        admin.redis, suspend_template("acme", 2, PLACE, "of a version that is not there")
    )
    assert templates_of(admin, "acme").off == {PLACE: "it writes too much"}
    found: Any = admin.redis.xrevrange(redis_keys.EVENTS, count=1)
    [entry] = found
    event = {name.decode(): value.decode() for name, value in entry[1].items()}
    assert (event["type"], event["tenant"], event["place"]) == ("template_suspended", "acme", PLACE)

    admin.projector.copy_missing()
    assert templates_of(admin, "acme").off
    assert publish(admin, "acme", _saying("a"))[0].version == 2
    assert templates_of(admin, "acme").off == {}


def test_a_lost_or_older_copy_is_written_again_and_a_removed_tenants_goes(admin: Admin) -> None:
    publish(admin, "acme", _saying("a"))
    admin.redis.delete(redis_keys.TEMPLATES + "acme")
    assert admin.projector.copy_missing() == 1
    assert _copy(admin)["version"] == "1"
    assert admin.projector.copy_missing() == 0

    erase_tenant(admin, "acme", ())
    assert _copy(admin) == {}
    with admin.db() as db:
        assert list_versions(db, "acme") == []


def test_what_is_newer_than_a_restored_database_does_not_keep_a_publication_away(
    admin: Admin,
) -> None:
    admin.redis.hset(redis_keys.TEMPLATES + "acme", mapping={"version": "9", "document": "{}"})

    state, _ = publish(admin, "acme", _saying("a"))
    assert _copy(admin) == {"version": "1", "document": state.document.written()}


def test_what_somebody_made_unreadable_in_sql_counts_for_nothing(admin: Admin) -> None:
    publish(admin, "acme", _saying("a"))
    with admin.db() as db:
        db.execute(update(tables.templates).values(document="{{ not JSON"))

    assert templates_of(admin, "acme").document == EMPTY
    assert publish(admin, "acme", _saying("b"))[0].version == 2
    with admin.db() as db:
        db.execute(delete(tables.templates))


class TestDefaultLanguage:
    """Producers read it with all else that they need of a tenant, and say it in receipts."""

    def test_is_where_producers_look_as_long_as_it_is_published(self, admin: Admin) -> None:
        assert _locale(admin) is None
        publish(admin, "acme", _saying("a", locale="de-CH"))
        assert _locale(admin) == "de-CH"
        publish(admin, "acme", _saying("a", locale="pt"))
        assert _locale(admin) == "pt"
        reset(admin, "acme")
        assert _locale(admin) is None

    def test_outlives_other_changes_of_the_tenant_and_a_lost_redis(self, admin: Admin) -> None:
        publish(admin, "acme", _saying("a", locale="de-CH"))
        admin.change_tenant("acme", name="Acme Inc.")
        assert _locale(admin) == "de-CH"

        admin.redis.flushdb()
        admin.projector.copy_missing()
        assert _locale(admin) == "de-CH"
        admin.redis.delete(redis_keys.TENANT + "acme")
        admin.projector.publish_missing()
        assert _locale(admin) == "de-CH"

    def test_follows_where_its_publication_reached_only_the_database(self, admin: Admin) -> None:
        publish(admin, "acme", _saying("a", locale="de-CH"))
        before: Any = admin.redis.hgetall(redis_keys.TENANT + "acme")
        copy: Any = admin.redis.hgetall(redis_keys.TEMPLATES + "acme")
        publish(admin, "acme", _saying("a", locale="pt"))
        admin.redis.hset(redis_keys.TENANT + "acme", mapping=before)
        admin.redis.hset(redis_keys.TEMPLATES + "acme", mapping=copy)

        admin.projector.copy_missing()
        assert _locale(admin) == "pt"

    def test_is_none_where_somebody_made_its_document_unreadable(self, admin: Admin) -> None:
        for document in ("{", "[]", '{"locale": 7}', "null"):
            publish(admin, "acme", _saying(document, locale="de"))
            with admin.db() as db:
                db.execute(update(tables.templates).values(document=document))
            admin.projector.republish_tenant("acme")
            assert _locale(admin) is None


def _locale(admin: Admin) -> str | None:
    fields: Any = admin.redis.hgetall(redis_keys.TENANT + "acme")
    view = read_tenant(fields, "acme")
    assert view is not None
    return view.locale
