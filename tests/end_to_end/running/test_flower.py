"""Flower beside running workers: right, harmless, to look at only, and only with the password."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests
from flower.urls import handlers
from redis import Redis

from certmail_config.crypto.vault import Vault
from certmail_config.settings import Settings
from certmail_config.stores.connect import connect, vault_keys
from certmail_config.stores.embedded import embedded_server
from support.deployment.deployment import (
    BUSY_SECONDS,
    QUICK,
    Deployment,
    campaign,
    new_deployment,
    wait_for,
)
from support.deployment.doorbell import ring
from support.deployment.flower import LOCKED, PASSWORD, FlowerClient, flower_client

REMINDERS = 10


@dataclass(frozen=True, slots=True)
class Watched:
    """A deployment whose reminders went out under Flower's eyes."""

    deployment: Deployment
    flower: FlowerClient
    worker: str
    jobs: list[str]
    task: str


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with new_deployment(tmp_path_factory.mktemp("a deployment"), **QUICK, **LOCKED) as deployment:
        deployment.start("certmail_worker", "flower", log="flower.log")
        deployment.link(units=100_000)
        deployment.start("certmail_worker", "worker", "--name", "one", log="worker.log")
        flower = flower_client(deployment)
        wait_for("the worker is seen", lambda: "one@" in flower.get("/api/workers?status=1").text)

        jobs = deployment.send(campaign(REMINDERS))
        succeeded = "/api/tasks?state=SUCCESS"
        wait_for("Flower has heard of all", lambda: len(flower.json(succeeded)) >= REMINDERS)

        # Flower gives workers a second to answer.
        wait_for("the worker answers", lambda: len(flower.json("/api/workers?refresh=1")) == 1)
        [worker] = flower.json("/api/workers")
        yield Watched(deployment, flower, worker, jobs, next(iter(flower.json("/api/tasks"))))


def paths(method: str, watched: Watched) -> list[str]:
    """Every path that Flower answers this method on, from its own table."""
    found = []

    for handler in handlers:
        pattern, target = (
            handler[:2]
            if isinstance(handler, tuple)
            else (handler.regex.pattern, handler.handler_class)
        )
        if hasattr(target, method):
            named = watched.worker if "worker" in pattern else watched.task
            path = (
                pattern.rstrip("$").replace("(.+)", named).replace("(.*)", named).replace("/?", "")
            )
            found.append(path if path.startswith("/") else "/nothing")

    return found


class TestTheLock:
    def test_every_path_asks_for_the_password_metrics_and_health_too(
        self, watched: Watched
    ) -> None:
        asked = paths("get", watched)
        assert {"/", "/metrics", "/healthcheck", "/api/workers", "/nothing"} <= set(asked)

        for path in [*asked, "/static/css/flower.css"]:
            answer = requests.get(watched.flower.url + path, timeout=60)
            assert (answer.status_code, answer.headers.get("WWW-Authenticate")) == (
                401,
                'Basic realm="certmail"',
            ), path
            assert watched.task not in answer.text

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "Basic",
            "Basic ",
            "Bearer x",
            "Basic YW5uOg==",
            "Basic \xe9",
            "Basic YW5uOsOp",
            "basic x y z",
        ],
    )
    def test_no_other_password_opens_it(self, watched: Watched, header: str) -> None:
        headers = {"Authorization": header.encode("latin-1")}
        assert requests.get(watched.flower.url, headers=headers, timeout=60).status_code == 401

    def test_whoever_has_the_password_sees_every_page(self, watched: Watched) -> None:
        pages = [
            "/",
            "/workers",
            "/tasks",
            f"/task/{watched.task}",
            f"/worker/{watched.worker}",
            "/broker",
        ]
        for page in pages:
            answer = watched.flower.get(page)
            assert answer.status_code == 200, page
            assert "text/html" in answer.headers["Content-Type"]

        assert watched.flower.get("/static/css/flower.css").status_code == 200
        assert watched.flower.get("/healthcheck").text == "OK"

    def test_nothing_can_be_done_even_with_it(self, watched: Watched) -> None:
        acting = [path for path in paths("post", watched) if path != "/tasks/datatable"]
        assert {
            f"/api/worker/shutdown/{watched.worker}",
            f"/api/task/revoke/{watched.task}",
        } <= set(acting)

        for path in acting:
            assert watched.flower.ask("POST", path).status_code == 403, path
            assert requests.post(watched.flower.url + path, timeout=60).status_code == 401, path

        for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
            assert watched.flower.ask(method, "/api/tasks").status_code == 403
        assert watched.flower.json("/api/workers?status=1") == {watched.worker: True}

    def test_its_own_read_only_mode_is_on_behind_the_gate(self, watched: Watched) -> None:
        page = watched.flower.get(f"/worker/{watched.worker}").text
        assert "Apply</button>" not in page


class TestWhatItShows:
    def test_every_delivery_with_its_job_its_state_and_the_time_it_took(
        self, watched: Watched
    ) -> None:
        tasks = watched.flower.json("/api/tasks").values()
        assert len(tasks) == REMINDERS
        assert {task["name"] for task in tasks} == {"certmail.deliver"}
        assert {task["state"] for task in tasks} == {"SUCCESS"}
        assert {task["result"] for task in tasks} == {"accepted"}
        assert {task["args"] for task in tasks} == {f"('{job}',)" for job in watched.jobs}
        assert {task["kwargs"] for task in tasks} == {"{}"}

        for task in tasks:
            assert 0 < task["runtime"] < BUSY_SECONDS
            assert task["received"] <= task["started"] <= task["succeeded"]
            assert task["worker"] == watched.worker

    def test_the_table_of_tasks_with_job_and_result_in_view(self, watched: Watched) -> None:
        query = "?draw=1&start=0&length=50&order[0][column]=0&columns[0][data]=name"
        answer = watched.flower.ask("POST", f"/tasks/datatable{query}")
        assert answer.status_code == 200

        table = answer.json()
        assert (table["recordsTotal"], table["recordsFiltered"]) == (REMINDERS, REMINDERS)
        assert {row["args"] for row in table["data"]} == {f"('{job}',)" for job in watched.jobs}

        page = watched.flower.get("/tasks").text
        assert "Result" in page
        assert "args" in page

    def test_the_worker_online_with_its_pool_and_what_it_has_done(self, watched: Watched) -> None:
        told = watched.flower.json(f"/api/workers?refresh=1&workername={watched.worker}")[
            watched.worker
        ]
        assert told["stats"]["total"] == {"certmail.deliver": REMINDERS}
        assert told["stats"]["prefetch_count"] == 200
        assert told["stats"]["pool"] == {
            "implementation": "certmail_worker.runtime.pool:TaskPool",
            "max-concurrency": 200,
            "under-way": 0,
        }
        assert (told["active"], told["reserved"], told["scheduled"], told["revoked"]) == (
            [],
            [],
            [],
            [],
        )
        assert told["registered"] == ["certmail.deliver", "certmail.probe"]
        assert [queue["name"] for queue in told["active_queues"]] == ["certmail"]

        def heartbeat() -> bool:
            [seen] = watched.flower.json("/workers?json=1")["data"]
            return bool(seen["status"] and seen["active"] == 0 and seen["processed"] == REMINDERS)

        wait_for("its heartbeat says so too", heartbeat)

    def test_rates_as_metrics(self, watched: Watched) -> None:
        metrics = watched.flower.get("/metrics").text
        labels = f'task="certmail.deliver",type="task-succeeded",worker="{watched.worker}"'
        assert f"flower_events_total{{{labels}}} {REMINDERS}.0" in metrics
        labels = f'task="certmail.deliver",worker="{watched.worker}"'
        assert f"flower_task_runtime_seconds_count{{{labels}}} {REMINDERS}.0" in metrics
        assert f"flower_worker_prefetched_tasks{{{labels}}} 0.0" in metrics

    def test_nothing_personal_and_nothing_secret_on_any_page_or_in_any_answer(
        self, watched: Watched
    ) -> None:
        settings = Settings(data_dir=watched.deployment.data_dir)
        [(_, vault_key)] = vault_keys(settings)

        with sqlite3.connect(watched.deployment.data_dir / "certmail.sqlite") as database:
            query = "SELECT private_key, id, tenant FROM connections"
            sealed, connection, tenant = database.execute(query).fetchone()

        private = (
            Vault(vault_keys(settings))
            .open(sealed, owner=f"{tenant}/{connection}/private_key")
            .decode()
        )
        kept = (watched.deployment.data_dir / "vault.key").read_text().strip()
        hidden = {
            "address": ["reviewer", "people.example"],
            "mailbox": ["reviews@acme.example", "gserviceaccount"],
            "name": ["Réviewer", "R\\u00e9viewer", "Ñumber"],
            "text": ["Quarterly secret campaign", "iga.example"],
            "vault key": [kept, kept.partition(":")[2], vault_key.hex()],
            "private key": [line for line in private.splitlines() if len(line) > 40],
            "Flower's own password": [PASSWORD],
            "token": ["ya29", "Bearer"],
        }

        looked_at = 0
        query = (
            "?refresh=1&draw=1&start=0&length=50&order[0][column]=0&columns[0][data]=name&limit=100"
        )

        for path in paths("get", watched):
            for asked in (path, path + query, f"{path}?workername={watched.worker}&refresh=1"):
                answer = watched.flower.get(asked)
                assert answer.status_code != 500, asked
                looked_at += answer.status_code == 200
                for what, forms in hidden.items():
                    for form in forms:
                        assert form not in answer.text, f"{what} is readable at {asked}"

        assert looked_at > 30

    def test_its_password_neither_in_its_log_nor_among_its_arguments(
        self, watched: Watched
    ) -> None:
        assert PASSWORD not in (watched.deployment.data_dir / "flower.log").read_text()
        for arguments in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                assert PASSWORD.encode() not in arguments.read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue


SECRET = "hunter2-and-3"


@contextmanager
def server_with_password() -> Iterator[tuple[str, Redis]]:
    """A Redis with a password: its URL, over a Unix socket with a space in its path, and a client.

    The client is let in.
    """
    with (
        TemporaryDirectory(prefix="redis ") as folder,
        embedded_server(Path(folder)) as url,
        connect(url) as redis,
    ):
        assert "%20" in url
        redis.config_set("requirepass", SECRET)
        redis.auth(SECRET)

        try:
            yield url.replace("unix://", f"unix://:{SECRET}@"), redis
        finally:
            redis.shutdown(nosave=True)


def test_queues_are_counted_rightly_and_of_a_unix_sockets_password_nothing_is_shown(
    tmp_path: Path,
) -> None:
    with (
        server_with_password() as (url, _),
        new_deployment(tmp_path, CERTMAIL_REDIS_URL=url, **QUICK, **LOCKED) as deployment,
    ):
        deployment.start("certmail_worker", "flower", log="flower.log")
        flower = flower_client(deployment)
        assert flower.waiting() == {"certmail": 0}

        ring(deployment, *"abcdefg")
        assert flower.waiting() == {"certmail": 7}
        assert re.search(r"certmail.{1,200}\b7\b", flower.get("/broker").text, re.DOTALL)

        deployment.worker()
        wait_for("a worker takes them", lambda: flower.waiting() == {"certmail": 0})
        [name] = flower.json("/api/workers?refresh=1")
        for path in ("/", "/broker", f"/worker/{name}", "/api/workers", "/metrics"):
            answer = flower.get(path)
            assert answer.status_code == 200, path
            assert SECRET not in answer.text, f"the broker's password is readable at {path}"

        assert SECRET not in (tmp_path / "flower.log").read_text()


def test_when_redis_goes_away_it_says_so_and_ends_all_the_same(tmp_path: Path) -> None:
    with server_with_password() as (_, redis):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        redis.config_set("port", port)
        url = f"redis://:{SECRET}@127.0.0.1:{port}/2"
        with new_deployment(tmp_path, CERTMAIL_REDIS_URL=url, **QUICK, **LOCKED) as deployment:
            process = deployment.start("certmail_worker", "flower", log="flower.log")
            flower = flower_client(deployment)
            ring(deployment, *"abc")
            assert flower.waiting() == {"certmail": 3}

            redis.config_set("port", 0)
            redis.client_kill_filter(_type="normal", skipme=True)
            redis.client_kill_filter(_type="pubsub", skipme=True)
            away = flower.get("/api/queues/length")
            assert (away.status_code, away.text) == (503, "Redis cannot be reached.")

            process.terminate()
            assert process.wait(60) == 0


class TestWhenItCannotStart:
    def test_without_a_password_it_refuses(self, watched: Watched) -> None:
        ran = watched.deployment.run("flower", CERTMAIL_FLOWER_BASIC_AUTH="")
        assert ran.status == 2
        assert ran.err.splitlines() == [
            "certmail: Flower does not start without a password: CERTMAIL_FLOWER_BASIC_AUTH is not set.",
            "  Set it to user:password; `certmail up` makes one by itself.",
        ]
        assert not (watched.deployment.data_dir / "flower.auth").exists()

    def test_a_port_in_use_is_one_clear_sentence(self, watched: Watched) -> None:
        address = watched.flower.url.removeprefix("http://")
        ran = watched.deployment.run("flower", CERTMAIL_FLOWER_LISTEN=address)
        assert ran.status == 1
        assert ran.err.splitlines() == [
            f"certmail: Flower cannot listen on {address}: Address already in use.",
            "  Set CERTMAIL_FLOWER_LISTEN to another port.",
        ]

    def test_an_address_that_is_none_is_named(self, watched: Watched) -> None:
        ran = watched.deployment.run("flower", CERTMAIL_FLOWER_LISTEN="everywhere")
        assert ran.status == 2
        assert ran.err.startswith("certmail: CERTMAIL_FLOWER_LISTEN: must be HOST:PORT")


def test_up_starts_it_with_a_password_of_its_own_and_again_if_it_dies(tmp_path: Path) -> None:
    gateway = {"CERTMAIL_LISTEN": "localhost:0"}  # it says its address in the same log
    with new_deployment(
        tmp_path, CERTMAIL_FLOWER_LISTEN="127.0.0.1:0", **QUICK, **gateway
    ) as deployment:
        up = deployment.start("certmail_worker", "up", log="up.log")
        file = tmp_path / "flower.auth"
        wait_for("a password", file.exists)
        assert file.stat().st_mode & 0o777 == 0o600

        user, _, password = file.read_text().strip().partition(":")
        first = flower_client(deployment, "up.log", (user, password))
        assert first.locked()

        wait_for("the worker is seen", lambda: len(first.json("/workers?json=1")["data"]) == 1)

        os.kill(flower_process(tmp_path), signal.SIGKILL)
        log = tmp_path / "up.log"
        wait_for(
            "another one",
            lambda: len(re.findall(r"^http://127", log.read_text(), re.MULTILINE)) == 2,
        )
        second = flower_client(deployment, "up.log", (user, password))

        assert second.locked()
        assert second.get("/").status_code == 200

        up.terminate()
        assert up.wait(60) == 0

        with pytest.raises(requests.ConnectionError):
            second.get("/")
        said = log.read_text()
        assert f"Flower asks for the user and password in {file}" in said
        assert f"It asks for the password in {tmp_path / 'operator.password'}" in said
        assert (tmp_path / "operator.password").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "operator.password").read_text().strip() not in said
        assert "`certmail gateway` ended" not in said
        assert "`certmail flower` ended with status -9; it is started again in 2 s." in said
        assert password not in said


def flower_process(data_dir: Path) -> int:
    """The Flower of this deployment, among those of tests that run at the same time."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            if (
                b"flower" in arguments
                and os.fsencode(data_dir) in (process / "environ").read_bytes()
            ):
                return int(process.name)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue

    raise AssertionError("no Flower runs")


def test_whoever_guesses_passwords_waits_even_with_the_right_one(watched: Watched) -> None:
    deployment = watched.deployment
    deployment.start("certmail_worker", "flower", log="guessed.log")
    guessed = flower_client(deployment, "guessed.log")
    answers = [
        guessed.ask("GET", "/workers", auth=("ann", f"guess {n}")).status_code for n in range(12)
    ]
    assert answers == [401] * 10 + [429] * 2

    refused = guessed.get("/workers")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert watched.flower.get("/workers").status_code == 200, "another Flower counts its own"
