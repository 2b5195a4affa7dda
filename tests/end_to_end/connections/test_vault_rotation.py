"""Vault keys are rotated as an operator would do it, while a campaign leaves.

No send fails, and the old key is gone afterwards.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certmail_config.base import redis_keys
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.vault import Vault, key_id_of
from certmail_config.settings import parse_vault_key
from certmail_config.sql.sealed import sealed_rows
from certmail_config.stores.vault_file import new_vault_key
from certmail_config.tenants.sealed_fields import owner_of, sealed_in
from certmail_config.tenants.working_copy import read_connection
from support.deployment.deployment import STEADY, Deployment, campaign, new_deployment, wait_for
from support.processes.halt import Process

OLD, NEW = new_vault_key(), new_vault_key()
NEW_ID = NEW.partition(":")[0]
REMINDERS = 40
"""Of each of the two tenants, at first."""
UNITS = 30_000
"""A minute, for each mailbox: five mails a second."""
MORE = 10
"""Reminders of each of the two tenants that are added before mails are waited for.

So that there are some to leave, however long restarts have taken.
"""


class Fleet:
    """Two workers and the gateway, restarted one after the other with other keys."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.jobs: list[str] = []
        self.gateway = deployment.open_gateway()
        self.workers = [deployment.worker() for _ in range(2)]
        wait_for("two workers", lambda: deployment.workers() == 2)

    def restart(self, vault_keys: str) -> None:
        self.deployment.environment["CERTMAIL_VAULT_KEYS"] = vault_keys
        for n, worker in enumerate(self.workers):
            ended(worker)
            self.workers[n] = self.deployment.worker()
            wait_for("two workers", lambda: self.deployment.workers() == 2)
        ended(self.gateway)
        self.gateway = self.deployment.start("certmail_worker", "gateway", log="gateway.log")
        wait_for("the gateway", self.deployment._gateway_is_ready)

    def send(self, reminders: int) -> None:
        """Enqueue as things are now."""
        named = f"from the {len(self.jobs)}th on"
        for tenant in ("acme", "globex"):
            self.jobs += self.deployment.send(campaign(reminders, tenant, named))

    def go_on(self, mails: int = 10) -> None:
        """See that mails leave as things are now."""
        self.send(MORE)
        before = len(self.deployment.messages())
        wait_for(f"{mails} more mails", lambda: len(self.deployment.messages()) >= before + mails)


def ended(process: Process) -> None:
    process.terminate()
    assert process.wait(60) == 0


@pytest.mark.timeout(300)
def test_no_send_fails_while_keys_are_rotated_and_nothing_names_the_old_key_after(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with new_deployment(tmp_path, CERTMAIL_VAULT_KEYS=OLD, **STEADY) as deployment:
        deployment.control("PUT", "/limits", {"units_per_minute": UNITS})
        fleet = Fleet(deployment)
        deployment.link("acme", units=UNITS)
        linked = deployment.link_account("globex")
        deployment.admin.change_limits(linked, {"units_per_minute": UNITS})
        fleet.send(REMINDERS)
        fleet.go_on()
        fleet.restart(f"{OLD},{NEW}")
        fleet.go_on()
        signing_in = deployment.ask("connections", "link", linked)["url"]  # sealed with the old key
        fleet.restart(f"{NEW},{OLD}")
        fleet.go_on()
        done = deployment.ask("vault", "rotate")

        assert (done["key"], done["reencrypted"], done["copies"], done["unopened"]) == (
            NEW_ID,
            5,
            5,
            [],
        )

        [old] = done["old_keys"]
        assert (old["key"], old["needed"]) == (OLD.partition(":")[0], False)

        fleet.go_on()
        assert deployment.consent(signing_in, "reviews@globex.example").ok, (
            "a sign-in under way goes on"
        )

        again = deployment.ask("vault", "rotate")
        assert (again["reencrypted"], again["copies"], again["unopened"]) == (0, 0, [])

        left = len(fleet.jobs) - len(deployment.messages())
        fleet.restart(NEW)
        fleet.go_on()
        jobs = fleet.jobs
        states = deployment.wait_recorded(jobs, {"accepted", "failed", "uncertain"}, seconds=120)

        assert Counter(states.values()) == {"accepted": len(jobs)}
        assert deployment.copies() == dict.fromkeys(jobs, 1)
        assert {item["status"] for item in deployment.sends()} == {200}
        assert '"code": "vault_' not in (tmp_path / "worker.log").read_text()
        assert names_only(deployment, NEW) == {NEW_ID}

        record_property(
            "said", f"vault rotation: {len(jobs)} reminders, {left} left when the old key went"
        )


def names_only(deployment: Deployment, key: str) -> set[str]:
    """The ids of the vault keys named in SQL and in the working copy; this key alone opens all."""
    vault, redis = Vault([parse_vault_key(key)]), deployment.admin.redis
    with deployment.admin.db() as db:
        rows = sealed_rows(db)

    found: list[bytes] = []
    for row in rows:
        for column, value in row.values.items():
            vault.open(value, owner=owner_of(row.owner, column))
            found.append(value)

        if row.table == "tenants":
            text: Any = redis.hget(redis_keys.TENANT + row.id, "private_key")
            vault.open(base64.b64decode(text), owner=owner_of(row.owner, "private_key"))
            found.append(base64.b64decode(text))
        elif row.table == "connections":
            fields: Any = redis.hgetall(redis_keys.CONNECTION + row.id)
            copy = read_connection(fields, ConnectionId(row.id), vault)
            assert copy is not None
            found += [fields[b"sealed"], *sealed_in(copy).values()]

    return {key_id_of(value) or "?" for value in found}
