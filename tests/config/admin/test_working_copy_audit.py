"""What somebody else wrote into the working copy of a tenant.

It is told from what only lags, reported, and put right.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import update

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.working_copy_audit import CopyDifference, TenantAudit, difference
from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken
from certmail_config.crypto.sealing import new_pair
from certmail_config.crypto.signing import is_signed, public_half
from certmail_config.settings import Settings
from certmail_config.sql import registry, tables
from certmail_config.tenants.models import GoogleLimits
from certmail_config.tenants.working_copy import read_connection

ACME, GLOBEX = redis_keys.TENANT + "acme", redis_keys.TENANT + "globex"
RIGHT = {"public_key": "right", "connection:default": "c1"}


def seen(**fields: str) -> dict[bytes, bytes]:
    given = {"version": "2", **RIGHT, **fields}
    return {name.encode(): text.encode() for name, text in given.items()}


class TestTelling:
    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            (seen(), CopyDifference()),
            (seen(version="1", public_key="of before"), CopyDifference()),
            (seen(public_key="theirs"), CopyDifference(forged=("public_key",))),
            (seen(version="3"), CopyDifference(forged=("version",))),
            (seen(version="-1"), CopyDifference(forged=("version",))),
            (seen(version="9" * 5000), CopyDifference()),
            ({b"version": b"2"}, CopyDifference(lacking=("public_key", "connection:default"))),
            (seen(**{"connection:default": "c2"}), CopyDifference(lacking=("connection:default",))),
        ],
    )
    def test_what_differs_in_the_same_version_somebody_else_wrote(
        self, found: dict[bytes, bytes], expected: CopyDifference
    ) -> None:
        assert difference(found, RIGHT, 2) == expected


@pytest.fixture
def admin(redis: Redis, redis_url: str, data_dir: Path) -> Iterator[Admin]:
    with open_admin(Settings(data_dir=data_dir, redis_url=redis_url)) as admin:
        admin.add_tenant("acme", name="Acme")
        admin.add_tenant("globex")
        yield admin


def hash_of(admin: Admin, name: str) -> dict[bytes, bytes]:
    found: Any = admin.redis.hgetall(name)
    return dict(found)


class TestPuttingRight:
    def test_where_all_is_well_there_is_nothing_to_do(self, admin: Admin) -> None:
        audit = TenantAudit(admin)
        assert audit.put_right() == 0
        assert audit.found() == []
        admin.change_tenant("acme", name="Acme Ltd", uncertain="resend")
        admin.add_service_provider_app("acme", "second", limits=GoogleLimits())
        assert audit.put_right() == 0

    @pytest.mark.parametrize(
        "name", ["public_key", "salt", "organisation", "state", "uncertain", "signature"]
    )
    def test_what_was_written_over_is_written_anew_and_reported(
        self, admin: Admin, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = hash_of(admin, ACME)
        theirs = base64.b64encode(new_pair()[1]).decode()
        admin.redis.hset(ACME, name, theirs)
        audit = TenantAudit(admin)

        assert audit.found() == [f"{ACME}/{name}"]
        assert audit.put_right() == 1
        assert hash_of(admin, ACME) == before
        assert [record.__dict__["key"] for record in caplog.records] == [f"{ACME}/{name}"]
        assert admin.redis.hkeys(redis_keys.FORGED) == [f"{ACME}/{name}".encode()]
        assert audit.put_right() == 0

    def test_another_tenants_key_with_its_signature_is_not_acmes(self, admin: Admin) -> None:
        for name in ("public_key", "signature"):
            admin.redis.hset(ACME, name, admin.redis.hget(GLOBEX, name) or b"")
        assert set(TenantAudit(admin).found()) == {f"{ACME}/public_key", f"{ACME}/signature"}

    @pytest.mark.parametrize("version", ["99", "x", "9" * 5000])
    def test_a_version_that_there_is_not_stops_nobody_from_writing(
        self, admin: Admin, version: str
    ) -> None:
        connection = admin.connection("acme/default")
        copy = redis_keys.CONNECTION + connection.id
        before = hash_of(admin, ACME), hash_of(admin, copy)
        for name in (ACME, copy):
            admin.redis.hset(name, "version", version)
        TenantAudit(admin).put_right()
        admin.projector.copy_missing()

        assert hash_of(admin, ACME) == before[0]
        assert hash_of(admin, copy)[b"version"] == before[1][b"version"]

    def test_an_older_connection_that_is_put_back_is_not_used(self, admin: Admin) -> None:
        made = admin.add_service_provider_app("acme", "second", limits=GoogleLimits())
        before = hash_of(admin, redis_keys.CONNECTION + made.id)
        newer = admin.save(replace(made, mailbox="new@acme.example"))
        admin.redis.hset(redis_keys.CONNECTION + made.id, "sealed", before[b"sealed"])
        with pytest.raises(SealBroken, match="an older one"):
            read_connection(hash_of(admin, redis_keys.CONNECTION + made.id), made.id, admin.vault)
        admin.redis.hset(redis_keys.CONNECTION + made.id, "version", before[b"version"])
        assert admin.projector.copy_missing() == 1

        found = read_connection(
            hash_of(admin, redis_keys.CONNECTION + made.id), made.id, admin.vault
        )
        assert found == newer

    def test_a_copy_of_an_older_certmail_is_completed_without_a_word(
        self, admin: Admin, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = hash_of(admin, ACME)
        admin.redis.hdel(ACME, "signature", "connection:default")
        assert TenantAudit(admin).put_right() == 1
        assert hash_of(admin, ACME) == before
        assert not caplog.records

    def test_a_public_half_in_sql_that_is_not_the_private_ones_is_not_published(
        self, admin: Admin
    ) -> None:
        before = hash_of(admin, ACME)
        with admin.db() as db:
            where = tables.tenants.c.id == "acme"
            db.execute(update(tables.tenants).where(where).values(public_key=os.urandom(32)))
        admin.redis.delete(ACME)
        admin.projector.republish_tenant("acme")
        after = hash_of(admin, ACME)
        assert after[b"public_key"] == before[b"public_key"], "not for a moment"
        assert after[b"signature"] == before[b"signature"]

        admin.redis.hset(ACME, "public_key", base64.b64encode(os.urandom(32)))
        TenantAudit(admin).put_right()
        assert hash_of(admin, ACME)[b"public_key"] == before[b"public_key"]


class TestSignature:
    def test_each_tenants_public_key_is_signed_by_the_deployment(self, admin: Admin) -> None:
        with admin.db() as db:
            public = public_half(registry.signing_key(db, admin.vault))
            assert public_half(registry.signing_key(db, admin.vault)) == public

        for tenant, other in (("acme", "globex"), ("globex", "acme")):
            fields = hash_of(admin, redis_keys.TENANT + tenant)
            key, signature = (
                base64.b64decode(fields[name]) for name in (b"public_key", b"signature")
            )
            assert is_signed(public, tenant, key, signature)
            assert not is_signed(public, other, key, signature)
            assert not is_signed(os.urandom(32), tenant, key, signature)

    def test_its_private_half_is_in_no_store_in_clear(self, admin: Admin) -> None:
        with admin.db() as db:
            private = registry.signing_key(db, admin.vault)
        admin.engine.dispose()
        assert private not in (admin.settings.data_dir / "certmail.sqlite").read_bytes()
