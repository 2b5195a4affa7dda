"""A deployment whose Redis lets each of certmail's processes do no more than it needs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import requests
from redis import Redis
from redis.exceptions import NoPermissionError, ResponseError

from certmail import Mailer
from certmail_config.base import redis_keys
from certmail_config.metrics.table import TABLE, Source
from certmail_config.rights.excess import ADMINISTERING, READING
from certmail_config.rights.roles import Role
from certmail_config.stores.connect import connect
from support.deployment.deployment import STEADY, Deployment, campaign, new_deployment, wait_for
from support.deployment.scraped import scrape, told_by
from support.network.addresses import free_address
from support.servers.with_users import SECRET, Users


@pytest.fixture(scope="module")
def told_at() -> tuple[str, str]:
    """Where worker and gateway tell metrics."""
    return free_address(), free_address()


@pytest.fixture(scope="module")
def deployment(
    tmp_path_factory: pytest.TempPathFactory, told_at: tuple[str, str]
) -> Iterator[Deployment]:
    """One where mail has gone out, with a gateway and Flower; each is a user of its own."""
    at_worker, at_gateway = told_at
    flower = {"CERTMAIL_FLOWER_BASIC_AUTH": "ann:a-long-password"}
    with new_deployment(tmp_path_factory.mktemp("data"), **STEADY, **flower) as made:
        if made.users is None:
            made.have_users()
        made.link()
        made.open_gateway(CERTMAIL_METRICS_LISTEN=at_gateway)
        made.start("certmail_worker", "flower", log="flower.log")
        made.worker(CERTMAIL_METRICS_LISTEN=at_worker)
        jobs = made.send(campaign(3))
        made.wait_recorded(jobs, {"accepted"})
        yield made


@pytest.fixture(scope="module")
def users(deployment: Deployment) -> Users:
    assert deployment.users is not None
    return deployment.users


@pytest.fixture
def producer(users: Users) -> Iterator[Redis]:
    with connect(users.url(Role.PRODUCER)) as client:
        yield client


class TestTheyCanDoAllThatTheyNeed:
    def test_a_reminder_is_cancelled_and_looked_up_by_a_producer(
        self, deployment: Deployment, producer: Redis, users: Users
    ) -> None:
        assert deployment.run("pause", "--tenant", "acme").status == 0
        [job, other] = deployment.send(campaign(2, campaign="paused"))
        with Mailer(producer) as mailer:
            view = mailer.status(job)
            assert view is not None
            assert view.state in {"ready", "scheduled"}
            assert mailer.cancel(job) == "cancelled"
            assert mailer.cancel_all("acme", campaign="paused").cancelled == 1
        deployment.wait_recorded([job, other], {"cancelled"})

        assert deployment.run("resume", "--tenant", "acme").status == 0
        sent = deployment.send(campaign(1, campaign="resumed"))
        deployment.wait_recorded(sent, {"accepted"})
        assert users.denied() == []

    def test_flower_shows_the_worker_and_the_gateway_a_visitor(
        self, deployment: Deployment, users: Users
    ) -> None:
        log = deployment.data_dir / "flower.log"
        wait_for("Flower", lambda: "http://" in log.read_text())
        [address] = [each for each in log.read_text().split() if each.startswith("http://")]

        def seen() -> str:
            return requests.get(
                f"{address}/api/workers?refresh=1", auth=("ann", "a-long-password"), timeout=60
            ).text

        wait_for("Flower to see the worker", lambda: "certmail-" in seen())
        queue = requests.get(
            f"{address}/api/queues/length", auth=("ann", "a-long-password"), timeout=60
        )
        assert queue.json()["active_queues"], queue.text
        assert SECRET not in seen()
        assert requests.get(f"{deployment.gateway}/readyz", timeout=60).ok
        assert users.denied() == []

    def test_worker_and_gateway_tell_in_metrics_all_that_redis_says(
        self, told_at: tuple[str, str], users: Users
    ) -> None:
        wanted = {metric.name for metric in TABLE[Source.LEDGER]}
        for address in told_at:
            told_by(address)
            wait_for("all of it", partial(_tells, address, wanted))
        assert users.denied() == []

    def test_the_doctor_looks_at_everything_and_finds_them_in_order(
        self, deployment: Deployment, users: Users
    ) -> None:
        found = deployment.run("doctor", "--json").json["findings"]
        assert not [item for item in found if item["severity"] == "error"], found
        [about] = [item for item in found if item["check"] == "redis users"]
        assert about["severity"] == "ok", about
        assert "the user certmail-operator" in about["message"]
        assert users.denied() == []

    def test_a_worker_whose_channels_are_missing_says_so_and_does_not_start(
        self, deployment: Deployment, users: Users
    ) -> None:
        users.server.command("ACL", "SETUSER", "certmail-spare", "reset", "on", f">{SECRET}", "~*", "+@all", "resetchannels")  # fmt: skip
        url = users.url(Role.WORKER).replace("certmail-worker", "certmail-spare")
        refused = deployment.run("worker", CERTMAIL_REDIS_URL=url)
        assert refused.status == 3, refused
        assert "ACL SETUSER certmail-spare '&{certmail}:celery:/0.celery.pidbox'" in refused.err
        users.server.command("ACL", "LOG", "RESET")


def _tells(address: str, wanted: set[str]) -> bool:
    return wanted <= {name for name, _ in scrape(address)}


class TestAProducerThatWasTakenOver:
    @pytest.mark.parametrize("attempt", [*READING, *ADMINISTERING], ids=lambda each: " ".join(each.words))  # fmt: skip
    def test_it_can_do_nothing_that_a_producer_need_not(
        self, producer: Redis, users: Users, attempt: Any
    ) -> None:
        # DEBUG is not allowed to anybody where the server's configuration does not say so.
        with pytest.raises(ResponseError, match=r"permission|not allowed"):
            producer.execute_command(*attempt.words)  # type: ignore[no-untyped-call]
        users.server.command("ACL", "LOG", "RESET")

    def test_it_cannot_get_content_by_way_of_another_command(
        self, deployment: Deployment, producer: Redis, users: Users
    ) -> None:
        assert deployment.run("pause", "--tenant", "acme").status == 0
        [job] = deployment.send(campaign(1, campaign="secret"))
        body = redis_keys.BODY + job
        tries: list[tuple[str, ...]] = [
            ("SET", body, "x", "GET"),
            ("GETDEL", body),
            ("GETEX", body),
            ("GETRANGE", body, "0", "-1"),
            ("STRLEN", body),
            ("DUMP", body),
            ("COPY", body, "{certmail}:dedupe:mine"),
            ("RENAME", body, "{certmail}:dedupe:mine"),
            ("SORT", "{certmail}:due", "BY", "nosort", "GET", f"{redis_keys.BODY}*"),
            ("MGET", body),
            ("EVAL", "return redis.call('GET', KEYS[1])", "1", body),
            ("OBJECT", "ENCODING", body),
        ]
        try:
            for words in tries:
                with pytest.raises(NoPermissionError):
                    producer.execute_command(*words)  # type: ignore[no-untyped-call]
            # A script of its own has no more rights than it has itself.
            sha = producer.script_load(f"return redis.call('GET', '{body}')")
            with pytest.raises(ResponseError, match="ACL failure in script"):
                producer.evalsha(sha, 1, redis_keys.DUE)
            with pytest.raises(NoPermissionError):
                producer.execute_command("XTRIM", redis_keys.EVENTS, "MAXLEN", "0")  # type: ignore[no-untyped-call]
            with pytest.raises(NoPermissionError):
                producer.delete(redis_keys.JOB + job)
        finally:
            users.server.command("ACL", "LOG", "RESET")
            assert deployment.run("resume", "--tenant", "acme").status == 0
        deployment.wait_recorded([job], {"accepted"})

    def test_it_is_believed_only_what_a_worker_has_seen_of_the_server(
        self, producer: Redis, users: Users
    ) -> None:
        """Without the right to look, nothing is promised before somebody with it has looked."""
        with pytest.raises(NoPermissionError):
            producer.set(redis_keys.PROVEN, "mine|fsync")
        users.server.command("ACL", "LOG", "RESET")

    def test_where_it_may_more_the_doctor_says_so(
        self, deployment: Deployment, users: Users
    ) -> None:
        users.server.command("ACL", "SETUSER", "certmail-producer-2", "reset", "on", f">{SECRET}", "~{certmail}:*", "+@all", "-@dangerous")  # fmt: skip
        try:
            found = deployment.run("doctor", "--json").json["findings"]
        finally:
            users.server.command("ACL", "DELUSER", "certmail-producer-2")
        [about] = [item for item in found if item["check"] == "redis users"]
        assert about["severity"] == "warning", about
        assert "The user certmail-producer-2" in about["message"]
        assert "read content" in about["message"]

    def test_an_open_server_and_an_administrator_are_told_of(
        self, deployment: Deployment, users: Users
    ) -> None:
        found = deployment.run("doctor", "--json", CERTMAIL_REDIS_URL=users.server.url).json[
            "findings"
        ]
        said = [item["message"] for item in found if item["check"] == "redis users"]
        assert any("its user default has no password" in each for each in said), said
        assert any("certmail is the user default" in each for each in said), said
