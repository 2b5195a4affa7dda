"""The Python client: what is taken in and what is not, each answered for itself.

On a real server.
"""

from __future__ import annotations

import base64
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from certmail import (
    BatchInterrupted,
    Cancellation,
    JobView,
    Mailer,
    Receipt,
    Reminder,
    ReminderRejected,
    StoresUnreachable,
)
from certmail.client.batches import BATCH, UNDER_WAY
from certmail_config.base import redis_keys
from certmail_config.base.errors import SealBroken, SettingsError
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.sealing import Opener, new_pair
from certmail_config.crypto.signing import new_signing_key, public_half, sign, write_public
from certmail_config.crypto.vault import Vault
from certmail_config.jobs.states import State
from certmail_config.settings import PREFIX, Settings
from certmail_config.stores.connect import connect
from certmail_config.stores.embedded import embedded_server
from certmail_config.tenants.models import Connection, ConnectionKind, ConnectionState, Tenant
from certmail_config.tenants.pinning import opened_by
from certmail_config.tenants.working_copy import write_connection, write_deployment, write_tenant

_VAULT = Vault([("k1", os.urandom(32))])
_PRIVATE, _PUBLIC = new_pair()
_SALT = os.urandom(32)
_DEFAULT, _APAC = ConnectionId("c-default"), ConnectionId("c-apac")
NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=2)


@dataclass
class Acme:
    """The tenant `acme`: its connection `default` is open, `apac` waits to be set up."""

    redis: Redis
    private: bytes = _PRIVATE
    default: ConnectionId = _DEFAULT
    apac: ConnectionId = _APAC

    def write(self, *, state: str = "active", version: int = 1, locale: str = "") -> None:
        connections = [
            Connection(
                self.default,
                "acme",
                "default",
                kind=ConnectionKind.CUSTOMER_OWNED_APP,
                state=ConnectionState.ACTIVE,
                mailbox="reviews@acme.example",
            ),
            Connection(self.apac, "acme", "apac"),
        ]

        write_deployment(self.redis, _SALT)
        for connection in connections:
            write_connection(self.redis, _VAULT, connection, _SALT, settle_lane=True)
        sealed = _VAULT.seal(_PRIVATE, owner="acme")
        tenant = Tenant("acme", state, _PUBLIC, sealed, _SALT, version)
        write_tenant(self.redis, _VAULT, tenant, connections, locale=locale)


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of whoever runs the tests must not decide them."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture
def acme(redis: Redis) -> Acme:
    """The tenant, written to the emptied server."""
    acme = Acme(redis)
    acme.write()
    return acme


@pytest.fixture
def mailer(acme: Acme) -> Iterator[Mailer]:
    """A client of the same server."""
    with Mailer(acme.redis) as mailer:
        yield mailer


def reminder(n: int = 0, **more: Any) -> Reminder:
    given: dict[str, Any] = {
        "tenant": "acme",
        "to": f"reviewer{n}@acme.example",
        "campaign": "q4",
        "name": "Ann Lee",
    }
    return Reminder(**(given | more))


def rejection(mailer: Mailer, **fields: Any) -> ReminderRejected:
    with pytest.raises(ReminderRejected) as raised:
        mailer.send(reminder(**fields))
    return raised.value


class TestPublicKey:
    """Which key a reminder is sealed to: who can write Redis could put one of their own there."""

    SIGNING = new_signing_key()

    def pinned(self, redis: Redis) -> Mailer:
        """As a producer that was given the deployment's public half."""
        key = write_public(public_half(self.SIGNING))
        return Mailer.over(redis, Settings(deployment_key=key))

    def sign(self, redis: Redis, tenant: str = "acme", public: bytes = _PUBLIC) -> None:
        signature = base64.b64encode(sign(self.SIGNING, tenant, public))
        redis.hset(redis_keys.TENANT + "acme", "signature", signature)

    def swap(self, redis: Redis) -> bytes:
        """Put another public key in the tenant's place; gives its private half."""
        private, public = new_pair()
        redis.hset(redis_keys.TENANT + "acme", "public_key", base64.b64encode(public))
        return private

    def test_a_signed_one_is_sealed_to(self, acme: Acme) -> None:
        self.sign(acme.redis)
        with self.pinned(acme.redis) as mailer:
            assert isinstance(mailer.send(reminder()), Receipt)

    def test_one_that_the_deployment_has_not_signed_is_refused(self, acme: Acme) -> None:
        for other in ("", "acme's of another tenant", "another key"):
            if other:
                self.sign(
                    acme.redis, *(("globex",) if "tenant" in other else ("acme", os.urandom(32)))
                )
            with self.pinned(acme.redis) as mailer:
                refused = rejection(mailer)
                assert (refused.code, refused.field) == ("tenant_key_unproven", "tenant")
                assert mailer.check(reminder()) is not None

    def test_one_that_is_swapped_is_noticed_and_nothing_is_sealed_to_it(self, acme: Acme) -> None:
        self.sign(acme.redis)
        self.swap(acme.redis)
        with self.pinned(acme.redis) as mailer:
            assert rejection(mailer).code == "tenant_key_unproven"
            assert not list(acme.redis.scan_iter(redis_keys.BODY + "*"))

    def test_whoever_has_the_vault_needs_no_signature(self, acme: Acme) -> None:
        with Mailer.over(acme.redis, Settings(), pin=opened_by(_VAULT)) as mailer:
            assert isinstance(mailer.send(reminder()), Receipt)
        self.swap(acme.redis)
        with Mailer.over(acme.redis, Settings(), pin=opened_by(_VAULT)) as mailer:
            assert rejection(mailer).code == "tenant_key_unproven"

    def test_the_deployments_public_half_is_understood_or_refused_by_name(self) -> None:
        for wrong in ("", "x", "AAAA"):
            with pytest.raises(SettingsError, match="DEPLOYMENT_KEY"):
                Settings.from_env(deployment_key=wrong)


def everything(redis: Redis) -> str:
    """All that somebody who reads Redis can see."""
    commands = {
        b"string": "GET",
        b"hash": "HGETALL",
        b"set": "SMEMBERS",
        b"zset": "ZRANGE",
        b"stream": "XRANGE",
        b"list": "LRANGE",
    }

    arguments: dict[bytes, list[str]] = {b"zset": ["0", "-1"], b"stream": ["-", "+"]}
    arguments[b"list"] = arguments[b"zset"]
    found = []

    for key in redis.scan_iter():
        kind: Any = redis.type(key)
        execute: Any = redis.execute_command
        found.append((key, execute(commands[kind], key, *arguments.get(kind, []))))

    return repr(found)


def timeless(views: list[JobView | None]) -> list[JobView | None]:
    """But for the forecast, which goes on with the clock."""
    return [view and replace(view, forecast_at=None) for view in views]


class TestSend:
    def test_a_receipt_names_a_job_that_waits_in_its_lane(self, acme: Acme, mailer: Mailer) -> None:
        receipt = mailer.send(reminder())
        assert (receipt.state, receipt.duplicate) == (State.READY, False)
        assert uuid.UUID(receipt.id).version == 7
        assert acme.redis.zscore(redis_keys.LANE + acme.default, receipt.id) is not None
        assert acme.redis.zscore(redis_keys.DUE, receipt.id) is not None

    def test_it_takes_one_round_trip_and_one_script(self, acme: Acme, mailer: Mailer) -> None:
        mailer.send(reminder(0))
        acme.redis.config_resetstat()
        begun = time.monotonic()
        receipts = [mailer.send(reminder(n)) for n in range(1, 21)]
        looks = int(time.monotonic() - begun) + 1

        stats: Any = acme.redis.info("commandstats")
        assert stats["cmdstat_evalsha"]["calls"] <= 20 + looks, "the lane is seen once a second"
        times = [receipt.forecast_at for receipt in receipts]
        assert all(one and two and one <= two for one, two in pairwise(times))

    def test_ids_follow_the_order_in_which_reminders_came(self, mailer: Mailer) -> None:
        first = mailer.send(reminder(1))
        later = Mailer(mailer.redis, now=lambda: NOW.timestamp() + 3600)
        assert first.id < later.send(reminder(2)).id

    def test_one_that_is_for_later_is_scheduled(self, acme: Acme, mailer: Mailer) -> None:
        receipt = mailer.send(reminder(send_at=LATER))
        assert receipt.state is State.SCHEDULED
        assert acme.redis.zscore(redis_keys.DUE, receipt.id) == round(LATER.timestamp() * 1000)
        assert acme.redis.zcard(redis_keys.LANE + acme.default) == 0

    def test_one_whose_time_has_come_is_ready(self, mailer: Mailer) -> None:
        assert mailer.send(reminder(send_at=NOW - timedelta(hours=1))).state is State.READY

    def test_one_with_nothing_left_to_decide_is_suppressed_and_on_record(
        self, acme: Acme, mailer: Mailer
    ) -> None:
        receipt = mailer.send(reminder(pending=0, completed=42))
        assert (receipt.state, receipt.duplicate) == (State.SUPPRESSED, False)
        assert not acme.redis.exists(redis_keys.BODY + receipt.id)
        view = mailer.status(receipt.id)
        assert view is not None
        assert (view.reason or "").startswith("review_complete")

    def test_a_named_connection_is_used(self, acme: Acme, mailer: Mailer) -> None:
        receipt = mailer.send(reminder(connection="apac"))
        assert acme.redis.zscore(redis_keys.LANE + acme.apac, receipt.id) is not None

    def test_it_expires_when_it_says_or_after_fourteen_days(self, mailer: Mailer) -> None:
        def expiry(sent: Reminder) -> datetime:
            view = mailer.status(mailer.send(sent).id)
            assert view is not None
            return view.expires_at

        assert abs(expiry(reminder(1)) - (datetime.now(UTC) + timedelta(days=14))) < timedelta(
            seconds=10
        )
        assert expiry(reminder(2, send_at=LATER)) == _ms(LATER + timedelta(days=14))
        assert expiry(reminder(3, expires_at=LATER)) == _ms(LATER)

    def test_a_finished_one_is_remembered_as_long_as_the_settings_say(self, acme: Acme) -> None:
        receipt = Mailer(acme.redis, dedupe_days=3).send(reminder(pending=0))
        days: Any = acme.redis.pttl(redis_keys.JOB + receipt.id)
        assert 2.99 < days / 86_400_000 <= 3

    def test_a_receipt_is_printed_in_the_form_of_every_interface(self, mailer: Mailer) -> None:
        receipt = mailer.send(reminder())
        assert receipt.forecast_at is not None
        shown = receipt.forecast_at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

        assert receipt.as_json() == {
            "id": receipt.id,
            "state": "ready",
            "duplicate": False,
            "forecast_at": shown,
            "language": "en",
            "language_note": None,
        }
        assert json.dumps(receipt.as_json())
        assert replace(receipt, forecast_at=None).as_json()["forecast_at"] is None

    def test_a_receipt_says_which_language_it_will_be_in_and_why_it_is_another(
        self, mailer: Mailer
    ) -> None:
        german, swedish = (
            mailer.send(reminder(n, locale=locale)) for n, locale in ((1, "de-CH"), (2, "sv"))
        )
        assert (german.as_json()["language"], german.as_json()["language_note"]) == ("de", None)

        again = mailer.send(reminder(2, locale="sv"))
        for receipt in (swedish, again):
            shown = receipt.as_json()
            assert shown["language"] == "en"
            assert "no mail in 'sv'" in str(shown["language_note"])

    def test_a_receipt_knows_the_language_that_the_tenant_has_for_all_others(
        self, acme: Acme, mailer: Mailer
    ) -> None:
        acme.write(locale="de-CH")
        swedish, french, unknown = (
            mailer.send(reminder(n, locale=locale))
            for n, locale in ((1, "sv"), (2, "fr"), (3, None))
        )
        assert (swedish.language, french.language, unknown.language) == ("de", "fr", "de")
        assert "so it will be in 'de'" in str(swedish.language_note)
        assert (french.language_note, unknown.language_note) == (None, None)

        assert mailer.language_note(reminder(4, locale="sv")) == swedish.language_note
        assert mailer.language_note(reminder(4, locale="fr")) is None
        assert "in 'en'" in str(mailer.language_note(reminder(4, locale="sv", tenant="nobody")))


def _ms(time: datetime) -> datetime:
    """As Redis keeps it."""
    return datetime.fromtimestamp(round(time.timestamp() * 1000) / 1000, UTC)


class TestDuplicates:
    def test_the_same_reminder_again_is_answered_with_the_first_one(
        self, acme: Acme, mailer: Mailer
    ) -> None:
        first = mailer.send(reminder())
        again = mailer.send(reminder())
        assert again == replace(first, duplicate=True, forecast_at=again.forecast_at)
        assert acme.redis.zcard(redis_keys.LANE + acme.default) == 1

    def test_so_it_is_from_another_process_and_however_it_is_written(
        self, acme: Acme, mailer: Mailer
    ) -> None:
        first = mailer.send(reminder(due_at="2026-12-11T17:00:00+01:00"))
        again = Mailer(acme.redis).send(
            reminder(to="REVIEWER0@Acme.example", due_at="2026-12-11T16:00:00Z")
        )
        assert (again.id, again.duplicate) == (first.id, True)

    def test_a_duplicate_tells_what_has_become_of_the_first(self, mailer: Mailer) -> None:
        first = mailer.send(reminder(pending=0))
        assert mailer.send(reminder(pending=0)) == replace(
            first, state=State.SUPPRESSED, duplicate=True
        )

    def test_twice_in_one_batch_is_once(self, mailer: Mailer) -> None:
        first, second = mailer.send_many([reminder(), reminder()])
        assert isinstance(first, Receipt)
        assert second == replace(first, duplicate=True)

    def test_another_campaign_is_another_reminder(self, mailer: Mailer) -> None:
        assert mailer.send(reminder()).id != mailer.send(reminder(campaign="q1")).id

    def test_a_key_that_was_used_for_other_content_is_refused(self, mailer: Mailer) -> None:
        first = mailer.send(reminder(key="k"))
        assert mailer.send(reminder(key="k")).duplicate
        rejected = rejection(mailer, n=1, key="k")
        assert (rejected.code, rejected.field) == ("key_reused", "key")
        assert first.id in rejected.message
        assert rejected.remedy

    def test_so_is_the_same_occasion_with_other_words(self, mailer: Mailer) -> None:
        mailer.send(reminder(pending=3))
        assert rejection(mailer, pending=2).code == "key_reused"

    def test_a_key_is_the_tenants_own(self, acme: Acme, mailer: Mailer) -> None:
        beta = new_pair()[1]
        acme.redis.hset(redis_keys.TENANT + "beta", mapping=_tenant_like(acme, beta))
        first = mailer.send(reminder(key="k"))
        assert mailer.send(reminder(tenant="beta", key="k")).id != first.id


def _tenant_like(acme: Acme, public_key: bytes) -> dict[Any, Any]:
    fields: Any = acme.redis.hgetall(redis_keys.TENANT + "acme")
    return {**fields, b"public_key": base64.b64encode(public_key)}


class TestRejections:
    def test_an_unknown_tenant_is_named(self, mailer: Mailer) -> None:
        rejected = rejection(mailer, tenant="nobody")
        assert (rejected.code, rejected.field) == ("unknown_tenant", "tenant")
        assert "'nobody'" in rejected.message

    def test_an_unknown_connection_is_named(self, mailer: Mailer) -> None:
        rejected = rejection(mailer, connection="emea")
        assert (rejected.code, rejected.field) == ("unknown_connection", "connection")
        assert "'emea'" in rejected.message

    def test_a_tenant_without_a_default_connection_is_told_so(
        self, acme: Acme, mailer: Mailer
    ) -> None:
        acme.redis.hdel(redis_keys.TENANT + "acme", "connection:default")
        assert "'default'" in rejection(mailer).message

    def test_a_connection_that_was_removed_meanwhile_takes_nothing(
        self, acme: Acme, mailer: Mailer
    ) -> None:
        acme.redis.delete(redis_keys.LANE_INFO + acme.default)
        assert rejection(mailer).code == "unknown_connection"
        assert not list(acme.redis.scan_iter(redis_keys.BODY + "*"))

    def test_a_suspended_tenant_takes_nothing(self, acme: Acme, mailer: Mailer) -> None:
        acme.write(state="suspended", version=2)
        rejected = rejection(mailer)
        assert (rejected.code, rejected.field) == ("tenant_suspended", "tenant")

    @pytest.mark.parametrize(
        "fields",
        [{"expires_at": NOW - timedelta(seconds=1)}, {"send_at": NOW - timedelta(days=15)}],
    )
    def test_what_has_expired_already_is_not_taken(
        self, mailer: Mailer, fields: dict[str, Any]
    ) -> None:
        rejected = rejection(mailer, **fields)
        assert (rejected.code, rejected.field) == ("already_expired", "expires_at")

    def test_nothing_of_a_rejected_reminder_stays_behind(self, acme: Acme, mailer: Mailer) -> None:
        before = everything(acme.redis)
        for fields in (
            {"tenant": "nobody"},
            {"connection": "emea"},
            {"expires_at": NOW - timedelta(days=1)},
        ):
            rejection(mailer, **fields)

        assert everything(acme.redis) == before


class TestMappings:
    """Whoever has records need not make Reminders of them; what is none is said in words."""

    FIELDS = {"tenant": "acme", "to": "ann@acme.example", "pending": "3", "due_at": LATER}  # noqa: RUF012

    def test_one_is_sent_as_the_reminder_that_it_means(self, mailer: Mailer) -> None:
        receipt = mailer.send(self.FIELDS)
        again = mailer.send(Reminder(tenant="acme", to="ann@acme.example", pending=3, due_at=LATER))
        assert (again.id, again.duplicate) == (receipt.id, True)
        assert mailer.check(self.FIELDS) is None

    def test_what_is_wrong_with_one_is_said_as_of_any(self, mailer: Mailer) -> None:
        with pytest.raises(ReminderRejected) as raised:
            mailer.send(self.FIELDS | {"pending": True})
        assert (raised.value.code, raised.value.field) == ("invalid_number", "pending")
        why = mailer.check({"tenant": "acme"})
        assert why is not None
        assert (why.code, why.field) == ("missing", "to")

    def test_of_many_each_is_answered_in_its_place(self, mailer: Mailer) -> None:
        given = [
            self.FIELDS,
            {"tenant": "acme"},
            reminder(1),
            {**self.FIELDS, "to": "x"},
            {1: 2},
            {**self.FIELDS, "to": "b@acme.example"},
            unreadable := ReminderRejected("invalid_encoding", "not valid UTF-8"),
        ]

        # Among them is a mapping whose key is no name.
        answers = list(mailer.send_many(given))  # type: ignore[arg-type]
        assert [isinstance(each, Receipt) for each in answers] == [
            True,
            False,
            True,
            False,
            False,
            True,
            False,
        ]
        assert answers[-1] is unreadable

    @pytest.mark.parametrize(
        "given", [None, "ann@acme.example", 7, ["acme", "ann@acme.example"], b"{}"]
    )
    def test_what_could_never_be_one_is_a_type_error_that_says_what_is_wanted(
        self, mailer: Mailer, given: Any
    ) -> None:
        for send in (mailer.send, mailer.check, lambda each: list(mailer.send_many([each]))):
            with pytest.raises(
                TypeError, match=r"wants a Reminder, or a mapping of its fields such as .*, not "
            ):
                send(given)

    @pytest.mark.parametrize("given", [FIELDS, reminder(), "acme"])
    def test_one_instead_of_many_is_said(self, mailer: Mailer, given: Any) -> None:
        with pytest.raises(TypeError, match="for one there is send"):
            list(mailer.send_many(given))


class TestSendMany:
    def test_500_mixed_reminders_are_answered_in_their_order(
        self, acme: Acme, mailer: Mailer
    ) -> None:
        def make(n: int) -> Reminder:
            match n % 5:
                case 1:
                    return reminder(n, tenant="nobody")
                case 2:
                    return reminder(n - 2)  # a duplicate of the last but one
                case 3:
                    return reminder(n, pending=0)
                case 4:
                    return reminder(n, expires_at=NOW - timedelta(days=1))
            return reminder(n)

        answers = list(mailer.send_many(make(n) for n in range(500)))
        assert len(answers) == 500

        for n, answer in enumerate(answers):
            if n % 5 in {1, 4}:
                assert isinstance(answer, ReminderRejected)
                assert answer.code == ("unknown_tenant" if n % 5 == 1 else "already_expired")
                continue
            assert isinstance(answer, Receipt)

            if n % 5 == 2:
                before = answers[n - 2]
                assert isinstance(before, Receipt)
                assert answer == replace(before, duplicate=True)
            else:
                suppressed = n % 5 == 3
                assert answer.state is (State.SUPPRESSED if suppressed else State.READY)
                assert self.recipient(acme, answer) == (
                    None if suppressed else f"reviewer{n}@acme.example"
                )
        assert acme.redis.zcard(redis_keys.LANE + acme.default) == 100

    def recipient(self, acme: Acme, receipt: Receipt) -> str | None:
        body: Any = acme.redis.get(redis_keys.BODY + receipt.id)
        if body is None:
            return None
        plain = Opener(acme.private).open(body, tenant="acme", job=receipt.id)
        return str(json.loads(plain)["to"])

    def test_it_reads_no_further_ahead_than_what_may_be_under_way(self, mailer: Mailer) -> None:
        taken: list[int] = []

        def source() -> Iterator[Reminder]:
            for n in range(12 * BATCH):
                taken.append(n)
                yield reminder(n)

        answers = mailer.send_many(source())
        assert not taken

        next(answers)
        assert len(taken) == UNDER_WAY * BATCH, "one is answered, and the next are under way"
        assert len(list(answers)) == 12 * BATCH - 1

    def test_what_the_server_refuses_midway_ends_it_and_says_which_are_in(
        self, acme: Acme, mailer: Mailer
    ) -> None:
        acme.redis.set(
            redis_keys.LANE + acme.apac, "not what it should be"
        )  # so that the server takes nothing for it
        wanted = [
            reminder(n, connection="apac" if n >= BATCH else "default") for n in range(3 * BATCH)
        ]
        others = (reminder(n) for n in range(1000, 1000 + UNDER_WAY * BATCH))
        answers = mailer.send_many([*wanted, *others])
        got = [next(answers) for _ in range(BATCH)]
        assert all(isinstance(each, Receipt) for each in got)

        with pytest.raises(BatchInterrupted) as raised:
            next(answers)
        assert raised.value.answered == BATCH
        assert raised.value.unknown == UNDER_WAY * BATCH, "as many are under way"

        acme.redis.delete(redis_keys.LANE + acme.apac)
        again = list(mailer.send_many(wanted[:BATCH]))
        assert all(isinstance(each, Receipt) and each.duplicate for each in again)

    def test_each_of_a_batch_is_answered_when_consumed_late_and_left_early(
        self, acme: Acme, mailer: Mailer
    ) -> None:
        left = mailer.send_many(reminder(n) for n in range(12 * BATCH))
        assert isinstance(next(left), Receipt)
        assert isinstance(mailer.send(reminder(-1)), Receipt), "others are answered meanwhile"
        left.close()  # type: ignore[attr-defined]  # it is a generator

        again = list(mailer.send_many(reminder(n) for n in range(12 * BATCH)))
        taken = [isinstance(each, Receipt) and each.duplicate for each in again]
        under_way = UNDER_WAY * BATCH
        assert taken == [True] * under_way + [False] * (12 * BATCH - under_way)
        assert acme.redis.zcard(redis_keys.LANE + acme.default) == 12 * BATCH + 1

    def test_none_is_none(self, mailer: Mailer) -> None:
        assert list(mailer.send_many([])) == []

    def test_a_server_that_forgot_its_scripts_is_given_them_again(
        self, acme: Acme, mailer: Mailer
    ) -> None:
        mailer.send(reminder(1))
        acme.redis.script_flush()
        assert mailer.send(reminder(2)).state is State.READY


class TestSecrecy:
    def test_who_reads_redis_sees_nothing_personal(self, acme: Acme, mailer: Mailer) -> None:
        mailer.send(
            reminder(
                manager="boss@acme.example", link="https://iga.acme.example/r/1", key="key-of-ann"
            )
        )
        seen = everything(acme.redis)

        assert redis_keys.BODY in seen
        for secret in ("reviewer0", "acme.example", "Ann", "boss", "iga", "key-of-ann"):
            assert secret not in seen

    def test_the_payload_opens_with_the_tenants_private_half_for_its_job_only(
        self, acme: Acme, mailer: Mailer
    ) -> None:
        sent = reminder(pending=3, due_at=LATER)
        receipt = mailer.send(sent)
        body: Any = acme.redis.get(redis_keys.BODY + receipt.id)
        opener = Opener(acme.private)
        opened = opener.open(body, tenant="acme", job=receipt.id)
        assert Reminder.model_validate_json(opened) == sent

        with pytest.raises(SealBroken):
            opener.open(body, tenant="acme", job=mailer.send(reminder(1)).id)

    def test_two_tenants_hashes_of_the_same_key_differ(self, acme: Acme, mailer: Mailer) -> None:
        mailer.send(reminder(key="k"))
        acme.redis.hset(redis_keys.TENANT + "acme", "salt", "b3RoZXI=")
        Mailer(acme.redis).send(reminder(key="k"))
        assert len(list(acme.redis.scan_iter(redis_keys.DEDUPE + "acme:*"))) == 2


class TestStatus:
    def test_a_job_is_seen_as_it_stands(self, acme: Acme, mailer: Mailer) -> None:
        receipt = mailer.send(reminder(send_at=LATER))
        view = mailer.status(receipt.id)

        assert view is not None
        assert (view.id, view.tenant, view.connection, view.state) == (
            receipt.id,
            "acme",
            acme.default,
            "scheduled",
        )
        assert (view.send_at, view.held, view.possible_duplicate, view.attempts) == (
            _ms(LATER),
            False,
            False,
            [],
        )
        assert view.reason == "waits for its send time"
        assert mailer.status(f" {receipt.id.upper()}\n") == view
        assert mailer.cancel(receipt.id.upper()) is Cancellation.CANCELLED

    def test_one_that_waits_for_its_connection_says_so(self, mailer: Mailer) -> None:
        view = mailer.status(mailer.send(reminder(connection="apac")).id)
        assert view is not None
        assert (view.reason or "").startswith("connection_draft: ")

    @pytest.mark.parametrize(
        "id_", ["", "nobody", "01937e6c-5a00-7000-8000-0000000000aa", "a b\n*"]
    )
    def test_an_unknown_one_is_none(self, mailer: Mailer, id_: str) -> None:
        assert mailer.status(id_) is None

    def test_many_are_answered_together_in_order_as_each_would_be_alone(
        self, acme: Acme, mailer: Mailer
    ) -> None:
        ready = mailer.send(reminder(1)).id
        waits = mailer.send(reminder(2, connection="apac")).id
        later = mailer.send(reminder(3, send_at=LATER)).id
        asked = [later, "nobody", ready, waits, ready]
        found = mailer.status_many(iter(asked))

        assert [view and view.id for view in found] == [later, None, ready, waits, ready]
        assert timeless(found) == timeless([mailer.status(id_) for id_ in asked])

    def test_its_json_is_what_every_interface_gives(self, mailer: Mailer) -> None:
        id_ = mailer.send(reminder(send_at=LATER)).id
        view = mailer.status(id_)
        assert view is not None
        value = json.loads(json.dumps(view.as_json()))
        assert (value["id"], value["state"], value["attempts"]) == (id_, "scheduled", [])
        assert datetime.fromisoformat(value["send_at"]) == _ms(LATER)


class TestWhenRedisIsGone:
    def test_every_method_says_so_and_that_sending_again_is_safe(self, tmp_path: Path) -> None:
        with connect(f"unix://{tmp_path}/valkey.sock") as redis:
            mailer = Mailer(redis)
            with pytest.raises(StoresUnreachable) as raised:
                mailer.send(reminder())
            assert raised.value.code == "redis_unreachable"
            assert "send again" in raised.value.remedy

            with pytest.raises(StoresUnreachable):
                list(mailer.send_many([reminder()]))
            with pytest.raises(StoresUnreachable):
                mailer.status("x")

    def test_what_was_taken_in_before_is_still_there_and_a_duplicate_afterwards(
        self, tmp_path: Path
    ) -> None:
        with embedded_server(tmp_path) as url, connect(url) as redis:
            Acme(redis).write()
            mailer = Mailer(redis)
            first = mailer.send(reminder())

        with pytest.raises(StoresUnreachable):
            mailer.send(reminder())

        with embedded_server(tmp_path) as url, connect(url) as redis:
            again = Mailer(redis).send(reminder())
            assert again == replace(first, duplicate=True, forecast_at=again.forecast_at)


class TestFromEnv:
    def test_it_uses_the_server_that_the_environment_names(
        self, acme: Acme, redis_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CERTMAIL_REDIS_URL", redis_url)
        monkeypatch.setenv("CERTMAIL_DEDUPE_DAYS", "2")
        with Mailer.from_env() as mailer:
            receipt = mailer.send(reminder(pending=0))
        days: Any = acme.redis.pttl(redis_keys.JOB + receipt.id)
        assert 1.99 < days / 86_400_000 <= 2

    def test_without_one_it_brings_the_embedded_one_and_takes_it_away(self, tmp_path: Path) -> None:
        with Mailer.from_env(Settings(data_dir=tmp_path)) as mailer:
            assert mailer.status("x") is None
        with pytest.raises(StoresUnreachable):
            mailer.status("x")

    def test_a_server_that_cannot_be_reached_is_found_out_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(StoresUnreachable):
            Mailer.from_env(Settings(redis_url=f"unix://{tmp_path}/valkey.sock"))
