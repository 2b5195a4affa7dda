"""What goes wrong on the stage, for as long as a block; and what somebody is told of then.

Each scene is undone at its end, unless it says that it lasts.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import psycopg
import requests

from alerting.stage import Stage
from certmail_config.base import redis_keys
from certmail_config.stores.broker import QUEUE
from certmail_config.stores.connect import connect, redis_url_of
from certmail_config.tenants.api_keys import KeyScope, digest, new_token
from certmail_config.tenants.models import ConnectionState
from certmail_worker.connections.probe import probe_and_save
from support.deployment.deployment import SEND_SCOPE, wait_for
from support.deployment.many_tenants import account_of, mailbox_of
from support.processes.halt import freeze, kill, thaw
from support.servers.postgres import Postgres

Play = Callable[[Stage], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene; `told` is what somebody is told of, `may` what comes and goes beside it."""

    name: str
    told: str
    play: Play
    may: str = ""
    lasts: bool = False


@contextmanager
def a_worker_is_killed(stage: Stage) -> Iterator[None]:
    _, process = next(iter(stage.workers.items()))
    kill(process)
    process.wait(60)
    yield
    stage.restart_workers()


@contextmanager
def all_workers_are_killed(stage: Stage) -> Iterator[None]:
    stage.kill_workers()
    yield
    stage.restart_workers()


@contextmanager
def the_gateway_is_killed(stage: Stage) -> Iterator[None]:
    assert stage.gateway is not None
    kill(stage.gateway)
    stage.gateway.wait(60)
    yield
    stage.add_gateway()


@contextmanager
def a_process_stands_still(stage: Stage) -> Iterator[None]:
    """For long enough to be noticed, and then it goes on."""
    assert stage.gateway is not None
    freeze(stage.gateway)
    wait_for(
        "the gateway to be missed",
        lambda: stage.seen(f'up{{job="gateway", deployment="{stage.name}"}} == 0'),
    )
    threading.Event().wait(8)  # so long it stands still: that is what is measured
    thaw(stage.gateway)
    yield


@contextmanager
def a_connection_breaks(stage: Stage) -> Iterator[None]:
    [tenant] = stage.tenants[:1]
    delegation = f"/service-accounts/{account_of(tenant)}/delegation"
    stage.deployment.control("PUT", delegation, {"scopes": []})
    match = {"path": "/messages/send", "mailbox": mailbox_of(tenant)}
    stage.deployment.control("POST", "/faults", {"match": match, "fault": "drop_token"})
    stage.remind(1, "broken", [tenant])
    yield
    stage.deployment.control("PUT", delegation, {"scopes": [SEND_SCOPE]})
    admin = stage.deployment.admin
    id_ = admin.connection(f"{tenant}/default").id
    wait_for(
        "the connection to work again",
        lambda: probe_and_save(admin, id_).connection.state is ConnectionState.ACTIVE,
    )


@contextmanager
def a_receiver_is_gone(stage: Stage) -> Iterator[None]:
    """It answers 410: nobody wants to be told there any more."""
    server = HTTPServer(("127.0.0.1", 0), _Gone)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    [tenant] = stage.tenants[:1]
    url = f"http://127.0.0.1:{server.server_port}/"
    made = stage.deployment.ask("webhooks", "add", url, "--tenant", tenant)
    stage.remind(1, "untold", [tenant])
    yield
    stage.deployment.ask("webhooks", "remove", made["id"], "--yes")
    server.shutdown()
    server.server_close()


class _Gone(BaseHTTPRequestHandler):
    """A receiver that is not there any more."""

    def do_POST(self) -> None:
        """Say so."""
        self.send_response(410)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def a_certificate_of(days: int) -> Play:
    """A certificate that ends in so many days; then its connection is switched off."""

    @contextmanager
    def play(stage: Stage) -> Iterator[None]:
        stage.certificate_of(f"ends{days}", days)
        yield
        ran = stage.deployment.run("connections", "suspend", f"ends{days}/default")
        assert ran.status == 0, ran

    return play


def redis_has(share: float) -> Play:
    """Redis may use so little that this share of it is used."""

    @contextmanager
    def play(stage: Stage) -> Iterator[None]:
        memory: Any = stage.redis.info("memory")
        used = int(memory["used_memory"]) - int(memory.get("mem_not_counted_for_evict", 0))
        stage.redis.config_set("maxmemory", int(used / share))
        yield
        stage.redis.config_set("maxmemory", 0)

    return play


@contextmanager
def redis_stands_still(stage: Stage) -> Iterator[None]:
    info: Any = stage.redis.info("server")
    server: Any = type("Server", (), {"pid": int(info["process_id"])})()
    freeze(server)
    try:
        yield
    finally:
        thaw(server)


def the_database_is_away(server: Postgres) -> Play:
    """As its operator would stop it in a hurry."""

    @contextmanager
    def play(_: Stage) -> Iterator[None]:
        server.stop()
        yield
        server.start()

    return play


def somebody_locks(table: str, reminders: int = 1) -> Play:
    """Somebody's transaction holds a table of the record, and does not end."""

    @contextmanager
    def play(stage: Stage) -> Iterator[None]:
        url = stage.database.replace("postgresql+psycopg:", "postgresql:")
        with psycopg.connect(url) as db:
            db.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
            stage.remind(reminders, f"locked-{table}")
            yield
            db.rollback()

    return play


@contextmanager
def somebody_pauses(stage: Stage) -> Iterator[None]:
    stage.deployment.ask("pause", "--reason", "to try it")
    yield
    stage.deployment.ask("resume")


@contextmanager
def a_thief_reads_the_queue(stage: Stage) -> Iterator[None]:
    """Something else takes what is put into Celery's queue for workers."""
    ended = threading.Event()
    queue = f"{redis_keys.CELERY_PREFIX}{QUEUE}"

    def steal() -> None:
        with connect(redis_url_of(stage.deployment.admin.settings)) as redis:
            while not ended.is_set():
                redis.brpop([queue], timeout=3)

    # Workers ask anew each half second: whoever has waited longer is given first.
    thieves = [threading.Thread(target=steal, daemon=True) for _ in range(8)]
    for thief in thieves:
        thief.start()
    stage.remind(1, "stolen")
    yield
    ended.set()
    for thief in thieves:
        thief.join(60)


@contextmanager
def google_refuses_everything(stage: Stage) -> Iterator[None]:
    fault = {"status": 400, "body": {"error": {"code": 400, "message": "Invalid To header"}}}
    stage.deployment.fault(fault, times=None)
    ended = threading.Event()

    def go_on() -> None:
        number = 0
        while not ended.wait(1):
            number += 1
            stage.remind(1, f"refused{number}")

    upstream = threading.Thread(target=go_on, daemon=True)
    upstream.start()
    yield
    ended.set()
    upstream.join(60)
    stage.deployment.control("DELETE", "/faults")


@contextmanager
def google_gives_us_no_tokens(stage: Stage) -> Iterator[None]:
    """For a reason that is the operator's to mend."""
    fault = {"status": 400, "body": {"error": "invalid_request", "error_description": "No."}}
    stage.deployment.fault(fault, path="/token", times=None)
    known = len(stage.tenants)
    stage.add_tenants(6)  # nobody has a token of theirs
    stage.remind(1, "tokenless", stage.tenants[known:])
    yield
    stage.deployment.control("DELETE", "/faults")


@contextmanager
def answers_are_lost(stage: Stage) -> Iterator[None]:
    stage.deployment.fault("reset_after", times=12)
    stage.remind(3, "lost")
    yield


@contextmanager
def workers_stand_still(stage: Stage) -> Iterator[None]:
    """For longer than the objective allows, while reminders are due; then they go on.

    They are not started anew: what a process counts before it is first scraped nobody sees rise.
    """
    for process in stage.workers.values():
        freeze(process)
    stage.remind(2, "late")
    threading.Event().wait(75)
    for process in stage.workers.values():
        thaw(process)
    yield


@contextmanager
def google_is_slow_and_workers_few(stage: Stage) -> Iterator[None]:
    stage.deployment.fault("slow", times=None, seconds=3)
    stage.remind(2, "slow")
    yield
    stage.deployment.control("DELETE", "/faults")


@contextmanager
def googles_clock_is_ahead(stage: Stage) -> Iterator[None]:
    stage.deployment.control("POST", "/clock", {"advance": 150})
    stage.remind(1, "clock")
    yield


@contextmanager
def somebody_writes_events(stage: Stage) -> Iterator[None]:
    stage.redis.xadd(redis_keys.EVENTS, {"a": "b"})
    yield


@contextmanager
def somebody_forges_a_key(stage: Stage) -> Iterator[None]:
    id_, token = new_token()
    value = {
        "digest": digest(token).hex(),
        "tenants": ["*"],
        "scopes": list(KeyScope),
        "expires_at": None,
    }
    stage.redis.hset(redis_keys.API_KEYS, id_, json.dumps(value))
    headers = {"Authorization": f"Bearer {token}"}
    asked = requests.get(f"{stage.deployment.gateway}/v1/tenants", headers=headers, timeout=60)
    assert asked.status_code == 401
    yield


@contextmanager
def all_is_down(stage: Stage) -> Iterator[None]:
    stage.kill_workers()
    assert stage.gateway is not None
    kill(stage.gateway)
    stage.gateway.wait(60)
    yield
