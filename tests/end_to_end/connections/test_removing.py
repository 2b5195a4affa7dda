"""Removing connections and tenants while a worker sends.

How what is under way ends, what is given back to Google, and what is left of it.
"""

from __future__ import annotations

import base64
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from certmail import Mailer, Reminder, ReminderRejected
from certmail_config.base import redis_keys
from certmail_config.sql import registry, tables
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.connections.removal import remove_connection
from support.deployment.deployment import STEADY, Deployment, campaign, new_deployment, wait_for

_numbers = count()
BUSY = {"CERTMAIL_CARE_SECONDS": "1"}
"""A caretaker that writes to Redis what it lacks of SQL, all the time."""
PATIENT = {"CERTMAIL_HTTP_TIMEOUT_SECONDS": "15"}
"""For a request that is still under way when somebody has long been at the command line."""
PERMISSIONS = "myaccount.google.com/permissions"


@contextmanager
def working(data_dir: Path, **settings: str) -> Iterator[Deployment]:
    with new_deployment(data_dir, **settings, **BUSY) as made:
        made.open_gateway()
        made.worker()
        wait_for("the worker", lambda: made.workers() == 1)
        yield made


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with working(Path(tmp_path_factory.mktemp("removing")), **STEADY) as made:
        yield made


def hanging(deployment: Deployment, tenant: str) -> str:
    """A job whose request Gmail took and does not answer."""
    mailbox = f"reviews@{tenant}.example"
    deployment.fault("hang_after", times=1, match={"mailbox": mailbox, "path": "/messages/send"})
    [job] = deployment.send(campaign(1, tenant, f"hangs-{next(_numbers)}"))
    wait_for("a request hangs", lambda: deployment.status(job)["state"] == "sending")
    return job


def rejection(deployment: Deployment, tenant: str) -> str:
    with Mailer(deployment.admin.redis) as mailer:
        try:
            mailer.send(Reminder(tenant=tenant, to="late@people.example"))
        except ReminderRejected as rejected:
            return rejected.code
    return "taken in"


def revocations(deployment: Deployment) -> int:
    return sum(
        item["path"] == "/revoke" and item["status"] == 200
        for item in deployment.control("GET", "/requests")
    )


def redis_says(deployment: Deployment, *words: str) -> list[str]:
    """The words that are anywhere in Redis, in a key or a value of any type."""
    redis: Any = deployment.admin.redis
    readers: dict[bytes, Callable[[bytes], object]] = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"set": redis.smembers,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"zset": lambda key: redis.zrange(key, 0, -1),
        b"stream": redis.xrange,
        # It has ended since it was listed.
        b"none": lambda _: None,
    }

    found = [(key, readers[redis.type(key)](key)) for key in redis.scan_iter(count=1000)]
    everything = repr(found)
    return [word for word in words if word in everything]


def sql_says(deployment: Deployment, *words: str) -> list[str]:
    """The words that are anywhere in the database."""
    with deployment.admin.db() as db:
        rows = [
            tuple(row)
            for table in tables.metadata.sorted_tables
            for row in db.execute(select(table))
        ]
    everything = repr(rows)
    return [word for word in words if word in everything]


def record(deployment: Deployment, tenant: str) -> list[tuple[Any, ...]]:
    columns = tables.deliveries.c
    with deployment.admin.db() as db:
        query = select(columns.state, columns.recipient, columns.mailbox).where(
            columns.tenant == tenant
        )
        return [tuple(row) for row in db.execute(query)]


def nothing_wrong(deployment: Deployment) -> bool:
    report = deployment.ask("doctor")
    return all(
        each["severity"] == "ok"
        for each in report["findings"]
        if each["check"] in {"ledger", "lineage"}
    )


class TestConnections:
    def test_what_waits_is_called_off_and_what_hangs_is_left_to_a_person(
        self, deployment: Deployment
    ) -> None:
        connection = deployment.link("acme", in_flight=3)
        hung = [hanging(deployment, "acme") for _ in range(3)]
        waiting = deployment.send(campaign(20, "acme", "waits"))
        done = deployment.ask("connections", "remove", "acme/default", "--yes")

        assert (done["id"], done["cancelled"], done["uncertain"], done["access"]) == (
            connection,
            20,
            3,
            "theirs",
        )

        deployment.wait_recorded(waiting, {"cancelled"})
        assert deployment.status(waiting[0])["reason"] == "cancelled: its connection was removed"

        deployment.wait_recorded(hung, {"uncertain"})
        assert nothing_wrong(deployment)

        listed = deployment.ask("uncertain", "list", "--tenant", "acme")["uncertain"]
        assert {row["job"]: row["waits_for"] for row in listed} == dict.fromkeys(hung, "a person")

        arrived, again, closed = hung
        deployment.ask("uncertain", "settle", arrived, "--as", "arrived")
        settled = deployment.run("uncertain", "settle", again, "--as", "send-again")
        # A worker finds that there is no connection, or the caretaker calls it off, if it comes
        # by before.
        [ended] = re.findall(r"is not sent again, it is (failed|cancelled)", settled.err)
        reasons = {"failed": "connection_removed: ", "cancelled": "cancelled: its connection was"}
        assert deployment.status(again)["reason"].startswith(reasons[ended])
        deployment.ask("uncertain", "settle", closed, "--as", "close")

        deployment.wait_recorded([arrived], {"accepted"})
        deployment.wait_recorded([again], {ended})
        assert deployment.status(closed)["state"] == "uncertain"
        assert deployment.ask("tenants", "show", "acme")["unsettled"] == 0

        with deployment.admin.db() as db:
            [draft] = registry.list_connections(db, "acme")
        assert (draft.name, draft.state, draft.id != connection) == ("default", "draft", True)
        assert redis_says(deployment, connection) == [connection], "in the jobs that are remembered"

        left = [
            redis_keys.CONNECTION + connection,
            redis_keys.LANE_INFO + connection,
            f"{redis_keys.TOKEN}{connection}:*",
        ]
        assert [key for pattern in left for key in deployment.admin.redis.scan_iter(pattern)] == []

        [job] = deployment.send(campaign(1, "acme", "draft"))
        assert deployment.status(job)["reason"].startswith("connection_draft: ")

    def test_what_two_connections_share_at_google_goes_with_the_last(
        self, deployment: Deployment
    ) -> None:
        account = "shared@globex.example"
        first = deployment.link_account("globex", account)
        second = deployment.ask(
            "connections", "add", "globex", "--kind", "service_provider_app", "--name", "emea"
        )

        assert deployment.consent(
            deployment.ask("connections", "link", second["id"])["url"], account
        ).ok

        before = revocations(deployment)
        done = deployment.ask("connections", "remove", first, "--yes")
        assert (done["access"], revocations(deployment)) == ("in_use", before)
        assert "globex/emea" in done["remedy"]

        jobs = deployment.send("tenant,to,connection\nglobex,ann@people.example,emea\n")
        deployment.wait_recorded(jobs, {"accepted"})
        done = deployment.ask("connections", "remove", second["id"], "--yes")
        assert (done["access"], done["remedy"], revocations(deployment)) == (
            "revoked",
            None,
            before + 1,
        )

    def test_a_consent_that_ends_after_its_connection_was_removed_is_given_back(
        self, deployment: Deployment
    ) -> None:
        account = "late@wayne.example"
        deployment.control("POST", "/accounts", {"email": account})
        deployment.admin.add_tenant("wayne")
        made = deployment.admin.add_service_provider_app("wayne", "default", limits=GoogleLimits())
        url = deployment.ask("connections", "link", made.id)["url"]
        before = revocations(deployment)
        deployment.fault("slow", path="/token", seconds=4, times=1)

        with ThreadPoolExecutor() as at_the_browser:
            page = at_the_browser.submit(deployment.consent, url, account)
            wait_for("the code to be exchanged", lambda: exchanges(deployment) >= 1)
            # Not by a command: it takes longer to start than a consent may take.
            remove_connection(
                deployment.admin, deployment.admin.connection(made.id), lambda _: None
            )

            assert page.result().status_code == 400

        assert revocations(deployment) == before + 1

    def test_one_whose_connection_is_removed_before_the_question_is_asked_is_given_back(
        self, deployment: Deployment
    ) -> None:
        account = "later@wayne.example"
        deployment.control("POST", "/accounts", {"email": account})
        deployment.admin.add_tenant("kane")
        made = deployment.admin.add_service_provider_app("kane", "default", limits=GoogleLimits())
        url = deployment.ask("connections", "link", made.id)["url"]
        question = deployment.consent(url, account, answer="")
        before = revocations(deployment)
        remove_connection(deployment.admin, deployment.admin.connection(made.id), lambda _: None)

        assert requests.get(question.url, timeout=60).status_code == 400, (
            "another browser changes nothing"
        )
        assert revocations(deployment) == before

        own = {
            cookie.name: str(cookie.value) for each in question.history for cookie in each.cookies
        }
        assert requests.get(question.url, cookies=own, timeout=60).status_code == 400
        assert revocations(deployment) == before + 1


def exchanges(deployment: Deployment) -> int:
    """Requests for a token that were slowed down so far."""
    return sum(
        each["hits"] for each in deployment.control("GET", "/faults") if each["fault"] == "slow"
    )


def the_caretaker_comes_by(deployment: Deployment) -> None:
    """Two of its rounds end: the first may have begun before."""
    redis = deployment.admin.redis
    for _ in range(2):
        before = redis.hget(redis_keys.PROGRESS, "caretaker")
        wait_for(
            "a round",
            lambda before=before: redis.hget(redis_keys.PROGRESS, "caretaker") != before,  # type: ignore[misc]  # its default has no type
        )


class TestTenants:
    def test_a_linked_one_goes_with_its_access_its_addresses_and_its_keys(
        self, deployment: Deployment
    ) -> None:
        account = "reviews@initech.example"
        connection = deployment.link_account("initech", account)
        deployment.ask("connections", "set", connection, "--in-flight", "1")
        deployment.wait_recorded(deployment.send(campaign(3, "initech")), {"accepted"})
        held = hanging(deployment, "initech")
        with deployment.admin.db() as db:
            before = registry.get_tenant(db, "initech"), registry.get_connection(db, connection)
        sealed = [value for value in (before[0].private_key, before[1].refresh_token) if value]
        in_redis = [base64.b64encode(value).decode() for value in sealed[:1]]
        in_sql = [account, "@people.example", *(repr(value) for value in sealed)]

        assert (redis_says(deployment, *in_redis), sql_says(deployment, *in_sql)) == (
            in_redis,
            in_sql,
        )

        waiting = deployment.send(campaign(10, "initech", "waits"))
        seen = revocations(deployment)
        done = deployment.ask("tenants", "remove", "initech", "--yes")
        assert (done["cancelled"], done["uncertain"]) == (10, 1)

        [access] = done["connections"]
        assert (access["mailbox"], access["access"], access["remedy"]) == (account, "revoked", None)
        assert revocations(deployment) == seen + 1

        assert {row[1:] for row in record(deployment, "initech")} == {(None, None)}
        assert sorted(state for state, _, _ in record(deployment, "initech")) == [
            "accepted", "accepted", "accepted", *["cancelled"] * 10, "uncertain",
        ]  # fmt: skip
        assert redis_says(deployment, account, "people.example", *in_redis) == []
        assert [
            word for word in in_sql if word != "@people.example" and sql_says(deployment, word)
        ] == []

        redis = deployment.admin.redis
        assert redis.exists(*(redis_keys.BODY + job for job in [held, *waiting])) == 0

        the_caretaker_comes_by(deployment)  # and brings nothing back
        gone = [
            redis_keys.TENANT + "initech",
            redis_keys.CONNECTION + connection,
            redis_keys.LANE_INFO + connection,
        ]

        assert [key for key in gone if redis.exists(key)] == []
        assert connection.encode() not in redis.hgetall(redis_keys.GRANTED)
        assert list(redis.scan_iter(f"{redis_keys.TOKEN}{connection}:*")) == []

        with deployment.admin.db() as db:
            assert "initech" not in [each.id for each in registry.list_tenants(db)]
            assert registry.list_connections(db, "initech") == []
        assert rejection(deployment, "initech") == "unknown_tenant"
        assert nothing_wrong(deployment)

        deployment.link("initech")
        again = deployment.send(campaign(2, "initech", "anew"))
        deployment.wait_recorded(again, {"accepted"})
        assert [deployment.copies()[job] for job in again] == [1, 1]

    def test_of_one_with_its_own_service_account_its_administrator_is_told_what_to_delete(
        self, deployment: Deployment
    ) -> None:
        connection = deployment.link("umbrella")
        key = deployment.admin.connection(connection).key_id
        deployment.wait_recorded(deployment.send(campaign(2, "umbrella")), {"accepted"})
        done = deployment.ask("tenants", "remove", "umbrella", "--yes")
        [access] = done["connections"]

        assert access["access"] == "theirs"
        assert str(key) in access["remedy"]
        assert "certmail@umbrella-it.iam.gserviceaccount.com" in access["remedy"]
        assert {row[1:] for row in record(deployment, "umbrella")} == {(None, None)}
        assert rejection(deployment, "umbrella") == "unknown_tenant"

    def test_google_that_does_not_confirm_does_not_stop_it_and_it_says_what_to_do(
        self, deployment: Deployment
    ) -> None:
        account = "reviews@hooli.example"
        deployment.link_account("hooli", account)
        deployment.fault("503", path="/revoke", times=3)
        ran = deployment.run("tenants", "remove", "hooli", "--yes")

        assert ran.status == 0
        assert "did not confirm" in ran.out
        assert account in ran.out
        assert PERMISSIONS in ran.out
        assert rejection(deployment, "hooli") == "unknown_tenant"

    def test_interrupted_it_stays_suspended_and_is_finished_by_another_run(
        self, tmp_path: Path
    ) -> None:
        with working(tmp_path, **PATIENT) as deployment:
            deployment.ask(
                "connections",
                "set",
                deployment.link_account("stark", "reviews@stark.example"),
                "--in-flight",
                "1",
            )
            hung = hanging(deployment, "stark")
            waiting = deployment.send(campaign(5, "stark", "waits"))
            remove = ("tenants", "remove", "stark", "--yes", "--json")
            process = deployment.start("certmail_worker", *remove, log="removal.log")
            log = deployment.data_dir / "removal.log"
            wait_for("it waits", lambda: "under way: 1" in log.read_text())
            process.send_signal(signal.SIGINT)

            assert process.wait(60) == 130
            said = log.read_text()
            assert "{" not in said, "there is no answer"
            assert "stark stays suspended" in said
            assert "certmail tenants remove stark" in said
            assert rejection(deployment, "stark") == "tenant_suspended"

            shown = deployment.ask("tenants", "show", "stark")
            assert (shown["state"], shown["connections"][0]["state"]) == ("suspended", "active")

            done = deployment.ask("tenants", "remove", "stark", "--yes")
            assert [each["access"] for each in done["connections"]] == ["revoked"]
            assert rejection(deployment, "stark") == "unknown_tenant"

            states = deployment.wait_recorded([hung, *waiting], {"cancelled", "uncertain"})
            assert [states[job] for job in [hung, *waiting]] == ["uncertain", *["cancelled"] * 5]
            assert {row[1:] for row in record(deployment, "stark")} == {(None, None)}
            assert deployment.copies()[hung] == 1
