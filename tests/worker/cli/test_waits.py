"""Commands say what waits, why and until when."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from certmail_config.admin.admin import open_admin
from certmail_config.base import redis_keys
from certmail_config.settings import Settings
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.cli import run_command

WHY = "day_full: The mailbox has reached Gmail's sending limit."


@pytest.fixture
def cooling(commands: Callable[..., tuple[int, Any]], redis: Redis) -> str:
    """The id of a connection that works, and whose mailbox has to wait for a quarter of an hour."""
    with open_admin(Settings.from_env(), make_key=True) as admin:
        admin.add_tenant("acme")
        made = admin.add_customer_owned_app(
            "acme",
            "default",
            service_account="certmail@acme-it.iam.gserviceaccount.com",
            mailbox="reviews@acme.example",
            limits=GoogleLimits(),
            valid_days=30,
        )
        admin.save(made.working(key_id="key"))

    mailbox: Any = redis.hget(redis_keys.LANE_INFO + made.id, "mailbox")
    until = round((time.time() + 900) * 1000)
    redis.hset(
        redis_keys.MAILBOX + mailbox.decode(), mapping={"cooling": str(until), "cool_reason": WHY}
    )

    return made.id


def test_doctor_list_and_show_say_the_same(
    cooling: str, commands: Callable[..., tuple[int, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    [listed] = commands("connections", "list")[1]["connections"]
    assert (listed["state"], listed["waits"]["scope"], listed["waits"]["why"]) == (
        "active",
        "mailbox",
        WHY,
    )
    assert commands("connections", "show", cooling)[1]["waits"] == listed["waits"]
    [matter] = commands("tenants", "show", "acme")[1]["attention"]
    assert WHY in matter["message"]
    status, report = commands("doctor")
    [found] = [item for item in report["findings"] if item["check"] == "connection acme/default"]
    assert (status, found["severity"]) == (0, "warning")
    assert WHY in found["message"]
    assert listed["waits"]["until"][:16] in found["message"].replace("+00:00", "Z")

    capsys.readouterr()
    assert run_command(["connections", "list"]) == 0
    assert (
        f"acme/default: Its mailbox waits until {listed['waits']['until'][:16]}"
        in capsys.readouterr().out.replace("\n", " ").replace("  ", " ")
    )
