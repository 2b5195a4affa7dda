"""One request for a token per fleet and connection.

However many processes need the token at the same moment.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from certmail_config.base import redis_keys
from support.deployment.deployment import new_deployment
from support.deployment.many_tenants import ManyTenants, mailbox_of, many_tenants

PROCESSES = 4
TENANTS = [f"tenant-{n}" for n in range(10)]
TIMES = 25
"""Requests of each process for each connection: 1,000 in all."""
TESTS = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ManyTenants]:
    """Ten tenants, every other one with a service account.

    The rest have an account that consented.
    """
    with (
        new_deployment(tmp_path_factory.mktemp("fleet")) as deployment,
        many_tenants(deployment) as made,
    ):
        for n, tenant in enumerate(TENANTS):
            made.add(tenant, linked=n % 2 == 1)
        yield made


def cold(fleet: ManyTenants) -> None:
    """Nobody has a token: the processes are new, and Redis has none."""
    for name in fleet.admin.redis.scan_iter(redis_keys.TOKEN + "*"):
        fleet.admin.redis.delete(name)


def asked(fleet: ManyTenants) -> Counter[str]:
    """How often the token endpoint was asked for each mailbox, whatever it answered."""
    entries = fleet.deployment.control("GET", "/requests?path=/token")
    return Counter(entry["mailbox"] for entry in entries if entry["path"] == "/token")


def ask_together(fleet: ManyTenants) -> tuple[list[dict[str, dict[str, int]]], float]:
    """Start all processes, and let them go at the same moment.

    Gives what each got, and the seconds until all had.
    """
    ids = [fleet.connections[tenant].id for tenant in TENANTS]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "support.processes.token_asker", str(TIMES), *ids],
            env=fleet.deployment.environment | {"PYTHONPATH": str(TESTS)},
            stdin=pipe,
            stdout=pipe,
            text=True,
        )
        for _ in range(PROCESSES)
    ]

    try:
        for process in processes:
            assert cast("Any", process.stdout).readline() == "ready\n"
        started = time.monotonic()

        for process in processes:
            cast("Any", process.stdin).write("go\n")
            cast("Any", process.stdin).flush()

        answers = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
        return answers, time.monotonic() - started
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def opens(fleet: ManyTenants, secret: str) -> str:
    """The mailbox that a token sends from: a mail is sent with it."""
    raw = base64.urlsafe_b64encode(b"To: ada@people.example\r\n\r\n").decode()
    url = f"{fleet.deployment.google}/gmail/v1/users/me/messages/send"
    bearer = {"Authorization": f"Bearer {secret}"}
    answer = requests.post(url, json={"raw": raw}, headers=bearer, timeout=10)
    assert answer.ok, answer.text
    [mailbox] = [
        row["mailbox"] for row in fleet.deployment.messages() if row["id"] == answer.json()["id"]
    ]
    return str(mailbox)


@pytest.mark.parametrize("seconds", [None, 1.0], ids=["quick_answers", "slow_answers"])
def test_a_thousand_requests_in_four_processes_for_ten_connections_are_ten_calls(
    fleet: ManyTenants, seconds: float | None, record_property: Callable[[str, object], None]
) -> None:
    cold(fleet)
    if seconds:
        fleet.deployment.fault("slow", path="/token", seconds=seconds, times=None)
    before = asked(fleet)
    answers, took = ask_together(fleet)
    fleet.deployment.control("DELETE", "/faults")
    calls = asked(fleet) - before
    total = sum(count for got in answers for secrets in got.values() for count in secrets.values())
    record_property(
        "said",
        f"{total} token requests in {PROCESSES} processes: {calls.total()} calls, {took:.1f} s",
    )
    assert calls == {mailbox_of(tenant): 1 for tenant in TENANTS}

    for tenant in TENANTS:
        got = [answer[fleet.connections[tenant].id] for answer in answers]
        [secret] = {secret for secrets in got for secret in secrets}
        assert [secrets[secret] for secrets in got] == [TIMES] * PROCESSES
        assert opens(fleet, secret) == mailbox_of(tenant)
