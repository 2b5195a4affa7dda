"""API keys: shown once, kept as a digest, limited, and checked without SQL."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.api_keys import create_key, list_keys, publish_keys, revoke_key
from certmail_config.admin.erasing import erase_tenant
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.crypto.strongbox import place_in
from certmail_config.crypto.vault import Vault
from certmail_config.settings import Settings
from certmail_config.tenants.api_keys import (
    EVERY_TENANT,
    KeyScope,
    check,
    digest,
    new_token,
    stated,
)

NOW = time.time()


@pytest.fixture
def admin(redis: Redis, redis_url: str, data_dir: Path) -> Iterator[Admin]:
    """Open stores with the tenants `acme` and `globex`."""
    with open_admin(Settings(data_dir=data_dir, redis_url=redis_url)) as admin:
        admin.add_tenant("acme")
        admin.add_tenant("globex")
        yield admin


def acme_key(admin: Admin, **more: Any) -> tuple[str, str]:
    given: dict[str, Any] = {"tenants": ["acme"], "scopes": [KeyScope.REMINDERS_WRITE]}
    key, token = create_key(admin, "iga", **(given | more))
    return key.id, token


class TestCheck:
    def test_a_key_allows_what_it_was_made_for(self, admin: Admin) -> None:
        id_, token = acme_key(admin)
        grant = check(admin.strongbox, token, NOW)
        assert grant is not None
        assert grant.id == id_
        assert grant.scopes == {KeyScope.REMINDERS_WRITE}
        assert grant.reaches("acme")
        assert not grant.reaches("globex")

    def test_one_for_every_tenant_reaches_those_that_come_later(self, admin: Admin) -> None:
        grant = check(admin.strongbox, acme_key(admin, tenants=[EVERY_TENANT])[1], NOW)
        assert grant is not None
        assert grant.reaches("initech")

    @pytest.mark.parametrize(
        "token", ["", "cm_", "cm_aaaaaaaa_" + "A" * 43, "x" * 10_000, "cm_ä", "Bearer"]
    )
    def test_what_is_no_key_allows_nothing(self, admin: Admin, token: str) -> None:
        assert check(admin.strongbox, token, NOW) is None

    def test_the_right_id_with_another_secret_allows_nothing(self, admin: Admin) -> None:
        _, token = acme_key(admin)
        other = token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:]
        assert check(admin.strongbox, other, NOW) is None

    def test_it_ends_when_it_was_to_end(self, admin: Admin) -> None:
        end = datetime.now(UTC) + timedelta(days=1)
        _, token = acme_key(admin, expires_at=end)
        assert check(admin.strongbox, token, end.timestamp() - 1) is not None
        assert check(admin.strongbox, token, end.timestamp()) is None

    def test_a_scope_that_this_version_does_not_know_is_none(self, admin: Admin) -> None:
        id_, token = acme_key(admin)
        [key] = list_keys(admin)
        value = stated(key) | {"scopes": ["new:one", "reminders:write"]}
        place = place_in(redis_keys.API_KEYS, id_)
        admin.redis.hset(redis_keys.API_KEYS, id_, admin.strongbox.seal(place, value))
        grant = check(admin.strongbox, token, NOW)
        assert grant is not None
        assert grant.scopes == {KeyScope.REMINDERS_WRITE}


class TestWhoeverCanWriteRedis:
    """But has no vault key: a producer, say."""

    def forged(self, **changes: object) -> tuple[str, bytes, str]:
        """A key of their own making.

        Its id, what the working copy would say of it, and the key itself.
        """
        id_, token = new_token()
        made = {"tenants": ["*"], "scopes": list(KeyScope), "expires_at": None}
        value = {"digest": digest(token).hex(), **made, **changes}
        return id_, json.dumps(value).encode(), token

    def test_can_make_no_key(self, admin: Admin, caplog: pytest.LogCaptureFixture) -> None:
        id_, value, token = self.forged()
        another = Vault([(admin.vault.key_ids[0], bytes(32))])
        for forged in (
            value,
            another.seal(value, owner=place_in(redis_keys.API_KEYS, id_)),
            b"",
            b"\x01\xff",
        ):
            admin.redis.hset(redis_keys.API_KEYS, id_, forged)
            assert check(admin.strongbox, token, NOW) is None

        assert f"{redis_keys.API_KEYS}/{id_}" in {
            getattr(record, "key", None) for record in caplog.records
        }
        assert place_in(redis_keys.API_KEYS, id_).encode() in dict(
            admin.redis.hgetall(redis_keys.FORGED)
        )

    def test_can_give_a_key_the_rights_of_no_other(self, admin: Admin) -> None:
        small, all_ = (
            acme_key(admin),
            acme_key(admin, tenants=[EVERY_TENANT], scopes=list(KeyScope)),
        )
        admin.redis.hset(
            redis_keys.API_KEYS, small[0], admin.redis.hget(redis_keys.API_KEYS, all_[0]) or b""
        )
        assert check(admin.strongbox, small[1], NOW) is None
        assert check(admin.strongbox, all_[1], NOW) is not None

    def test_can_bring_a_revoked_key_back_only_until_somebody_looks(
        self, admin: Admin, caplog: pytest.LogCaptureFixture
    ) -> None:
        id_, token = acme_key(admin)
        before: Any = admin.redis.hgetall(redis_keys.API_KEYS)
        revoke_key(admin, id_)
        admin.redis.hset(redis_keys.API_KEYS, mapping=before)
        assert publish_keys(admin, ours=False) == 1
        assert check(admin.strongbox, token, NOW) is None
        assert [record.message for record in caplog.records] == ["api_key_not_in_sql"]

    def test_cannot_take_the_place_of_a_key_that_there_is(self, admin: Admin) -> None:
        id_, token = acme_key(admin)
        _, value, _ = self.forged()
        admin.redis.hset(redis_keys.API_KEYS, id_, value)
        assert check(admin.strongbox, token, NOW) is None, "it is refused while the copy is wrong"
        assert publish_keys(admin, ours=False) == 1
        grant = check(admin.strongbox, token, NOW)
        assert grant is not None
        assert grant.tenants == {"acme"}


class TestUpgrade:
    def test_what_an_older_gateway_reads_loses_what_is_revoked(self, admin: Admin) -> None:
        id_, _ = acme_key(admin)
        admin.redis.hset(redis_keys.OPEN_API_KEYS, mapping={id_: b"{}", "gone": b"{}"})
        assert publish_keys(admin)
        assert admin.redis.hkeys(redis_keys.OPEN_API_KEYS) == [id_.encode()]
        revoke_key(admin, id_)
        assert not admin.redis.exists(redis_keys.OPEN_API_KEYS)

    def test_a_process_with_another_vault_key_leaves_the_copy_alone(self, admin: Admin) -> None:
        _, token = acme_key(admin)
        other = replace(admin, vault=Vault([("another", bytes(32))]))
        assert publish_keys(other) == 0
        assert check(admin.strongbox, token, NOW) is not None


class TestKeeping:
    def test_the_key_itself_is_in_no_store(self, admin: Admin) -> None:
        id_, token = acme_key(admin)
        secret = token.removeprefix(f"cm_{id_}_").encode()
        assert all(
            secret not in value for value in dict(admin.redis.hgetall(redis_keys.API_KEYS)).values()
        )
        admin.engine.dispose()
        assert secret not in (admin.settings.data_dir / "certmail.sqlite").read_bytes()
        assert token not in repr(list_keys(admin))

    def test_a_revoked_one_is_good_for_nothing_at_once_and_stays_listed(self, admin: Admin) -> None:
        id_, token = acme_key(admin)
        first = revoke_key(admin, id_).revoked_at
        assert check(admin.strongbox, token, NOW) is None
        assert revoke_key(admin, id_).revoked_at == first
        assert [key.revoked_at for key in list_keys(admin)] == [first]

    def test_what_redis_forgot_comes_back_and_what_was_revoked_does_not(self, admin: Admin) -> None:
        kept, revoked = acme_key(admin), acme_key(admin)
        before: Any = admin.redis.hgetall(redis_keys.API_KEYS)
        revoke_key(admin, revoked[0])
        admin.redis.delete(redis_keys.API_KEYS)
        admin.redis.hset(redis_keys.API_KEYS, mapping=before)  # a copy of before it was revoked
        assert publish_keys(admin)
        assert check(admin.strongbox, revoked[1], NOW) is None

        admin.redis.delete(redis_keys.API_KEYS)
        assert publish_keys(admin)
        assert check(admin.strongbox, kept[1], NOW) is not None
        assert not publish_keys(admin)

    def test_a_tenant_that_takes_the_name_of_a_removed_one_is_not_reached(
        self, admin: Admin
    ) -> None:
        _, token = acme_key(admin, tenants=["acme", "globex"])
        erase_tenant(admin, "acme", [])
        admin.add_tenant("acme")
        grant = check(admin.strongbox, token, NOW)
        assert grant is not None
        assert grant.tenants == {"globex"}

    def test_what_makes_no_sense_is_refused(self, admin: Admin) -> None:
        with pytest.raises(Refused, match="no tenant 'nobody'"):
            acme_key(admin, tenants=["nobody"])
        with pytest.raises(WrongUse, match="without a tenant"):
            acme_key(admin, scopes=[])
        with pytest.raises(WrongUse, match="expired already"):
            acme_key(admin, expires_at=datetime.now(UTC))
        with pytest.raises(Refused, match="no API key"):
            revoke_key(admin, "nobody")
        assert list_keys(admin) == []


def test_keys_are_made_of_256_random_bits() -> None:
    id_, token = new_token(lambda size: bytes(range(size)))
    assert id_ == "aaaqeaye"
    assert token == "cm_aaaqeaye_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
