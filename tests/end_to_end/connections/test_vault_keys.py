"""Vault keys as an operator meets them: new ones for running workers; wrong, missing, swapped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from certmail_config.crypto.vault import key_id_of
from certmail_config.sql import tables
from certmail_config.stores.connect import vault_keys
from certmail_config.stores.vault_file import new_vault_key
from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for


def key_of(deployment: Deployment, connection: str) -> str | None:
    found = deployment.admin.connection(connection)
    sealed = found.private_key or found.refresh_token
    assert sealed is not None
    return key_id_of(sealed)


def test_a_new_key_in_the_data_directory_reaches_processes_that_run(tmp_path: Path) -> None:
    with new_deployment(tmp_path, **QUICK) as deployment:
        deployment.open_gateway()
        deployment.control("PUT", "/limits", {"units_per_minute": 60_000})
        acme = deployment.link("acme", units=60_000)
        deployment.worker()
        jobs = deployment.send(campaign(30))
        wait_for("the first mails", lambda: len(deployment.messages()) >= 3)
        done = deployment.ask("vault", "rotate", "--new-key")
        [(old, _)] = vault_keys(deployment.admin.settings)[1:]

        # Copies of the tenant and of its connection, and the client ID that the probe saw.
        assert (done["new"], done["reencrypted"], done["copies"], done["unopened"]) == (
            True,
            3,
            3,
            [],
        )
        assert (done["key"], key_of(deployment, acme)) == (
            vault_keys(deployment.admin.settings)[0][0],
        ) * 2

        [state] = done["old_keys"]
        assert (state["key"], state["needed"]) == (old, False)
        begun = [
            attempt["begun_at"] for job in jobs for attempt in deployment.status(job)["attempts"]
        ]
        assert state["removable_at"] > min(begun), "a token still needs it"

        globex = deployment.link_account("globex")
        assert key_of(deployment, globex) == done["key"], (
            "the gateway, which runs since before, seals with it"
        )

        path = tmp_path / "vault.key"
        kept = [line for line in path.read_text().splitlines() if not line.startswith(old)]
        path.write_text("\n".join(kept))
        jobs += deployment.send(campaign(5, "globex"))

        assert set(
            deployment.wait_recorded(jobs, {"accepted", "failed", "uncertain"}, 60).values()
        ) == {"accepted"}
        assert deployment.copies() == dict.fromkeys(jobs, 1)
        assert '"code": "vault_' not in (tmp_path / "worker.log").read_text()

        again = deployment.ask("vault", "rotate")
        assert (again["new"], again["reencrypted"], again["copies"], again["old_keys"]) == (
            False,
            0,
            0,
            [],
        )


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with new_deployment(Path(tmp_path_factory.mktemp("keys")), **QUICK) as made:
        for tenant in ("acme", "beta", "gamma", "delta"):
            made.link(tenant)
        yield made


class TestWrongKeys:
    """One deployment whose key is known; commands are given others."""

    def own_key(self, deployment: Deployment) -> str:
        return (deployment.data_dir / "vault.key").read_text().strip()

    def error(self, ran: Any, status: int = 1) -> dict[str, str]:
        assert ran.status == status, ran
        found: dict[str, str] = ran.json["error"]
        assert found["message"]
        assert found["remedy"]
        return found

    def failed_step(self, ran: Any) -> dict[str, str]:
        assert ran.status == 1, ran
        [found] = [step for step in ran.json["steps"] if not step["ok"]]
        assert found["step"] == "vault"
        assert ran.json["state"] == "active", "it is not the connection's fault"
        step: dict[str, str] = found
        return step

    def test_another_key_is_refused_and_the_right_one_is_named(
        self, deployment: Deployment
    ) -> None:
        ran = deployment.run(
            "connections", "probe", "acme/default", "--json", CERTMAIL_VAULT_KEYS=new_vault_key()
        )
        step = self.failed_step(ran)

        assert step["code"] == "vault_key_missing"
        assert repr(self.own_key(deployment).partition(":")[0]) in step["message"]
        assert "behind the newest one" in step["remedy"]
        assert deployment.admin.connection("acme/default").state == "active", (
            "it is not the connection's fault"
        )

    def test_another_key_under_the_same_id_is_refused(self, deployment: Deployment) -> None:
        key_id = self.own_key(deployment).partition(":")[0]
        wrong = f"{key_id}:{new_vault_key().partition(':')[2]}"
        ran = deployment.run(
            "connections", "probe", "acme/default", "--json", CERTMAIL_VAULT_KEYS=wrong
        )
        assert self.failed_step(ran)["code"] == "vault_mismatch"

    def test_two_keys_whose_ids_were_swapped_are_refused(self, deployment: Deployment) -> None:
        (one, own), (two, other) = (
            key.split(":") for key in (self.own_key(deployment), new_vault_key())
        )
        swapped = f"{one}:{other},{two}:{own}"
        ran = deployment.run("vault", "rotate", "--json", CERTMAIL_VAULT_KEYS=swapped)

        assert (ran.status, ran.json["reencrypted"]) == (1, 0)
        assert {each["code"] for each in ran.json["unopened"]} == {"vault_mismatch"}
        assert all(each["remedy"] for each in ran.json["unopened"])

    def test_a_missing_key_stops_a_rotation_of_nothing_else_and_doctor_names_it_too(
        self, deployment: Deployment
    ) -> None:
        other = new_vault_key()
        ran = deployment.run("vault", "rotate", CERTMAIL_VAULT_KEYS=other)
        assert ran.status == 1

        for who in (
            "tenant acme, private_key",
            "connection delta/default, private_key",
            "which is not among",
        ):
            assert who in ran.out

        assert "Run this again" in ran.out

        ran = deployment.run("doctor", "--json", CERTMAIL_VAULT_KEYS=other)
        found = {finding["check"]: finding for finding in ran.json["findings"]}

        for check in ("tenant acme", "connection acme/default"):
            assert found[check]["severity"] == "error"
            assert "behind the newest one" in found[check]["remedy"]

    def test_a_sealed_row_copied_to_another_connection_or_tenant_is_refused(
        self, deployment: Deployment
    ) -> None:
        beta, gamma = (
            deployment.admin.connection(f"{tenant}/default") for tenant in ("beta", "gamma")
        )

        with deployment.admin.db() as db:
            move = update(tables.connections).where(tables.connections.c.id == gamma.id)
            db.execute(move.values(private_key=beta.private_key))
            [stolen] = db.execute(
                tables.tenants.select()
                .with_only_columns(tables.tenants.c.private_key)
                .where(tables.tenants.c.id == "beta")
            ).scalars()
            db.execute(
                update(tables.tenants)
                .where(tables.tenants.c.id == "delta")
                .values(private_key=stolen)
            )

        step = self.failed_step(deployment.run("connections", "probe", gamma.id, "--json"))
        assert step["code"] == "vault_mismatch"
        assert gamma.owner in step["message"]

        ran = deployment.run("vault", "rotate", "--json")
        assert ran.status == 1
        assert [(each["who"], each["code"]) for each in ran.json["unopened"]] == [
            ("tenant delta", "vault_mismatch"),
            ("connection gamma/default", "vault_mismatch"),
        ]

    def test_a_worker_without_the_key_loses_nothing_says_what_to_do_and_sends_when_it_is_back(
        self, deployment: Deployment
    ) -> None:
        worker = deployment.worker(CERTMAIL_VAULT_KEYS=new_vault_key())
        [job] = deployment.send(campaign(1, "acme"))
        wait_for(
            "the reason",
            lambda: (deployment.status(job)["reason"] or "").startswith("vault_key_missing: "),
        )

        assert "Add that key behind the newest one" in deployment.status(job)["reason"]
        assert deployment.status(job)["state"] == "ready", (
            "it waits in its lane, which is suspended"
        )

        worker.terminate()
        assert worker.wait(60) == 0

        deployment.worker(
            CERTMAIL_CARE_SECONDS="1"
        )  # by itself the lane is looked at within half a minute
        [later] = deployment.send(campaign(1, "acme", "next"))
        deployment.wait_recorded([job, later], {"accepted"})

    def test_a_new_key_where_keys_are_set_is_wrong_use(self, deployment: Deployment) -> None:
        own = self.own_key(deployment)
        ran = deployment.run("vault", "rotate", "--new-key", "--json", CERTMAIL_VAULT_KEYS=own)
        error = self.error(ran, 2)
        assert error["code"] == "keys_are_set"

        for step in (
            "certmail vault keygen",
            "first behind the present one",
            "then in front of it",
            "vault rotate",
        ):
            assert step in error["remedy"]

        assert self.own_key(deployment) == own

    def test_a_new_key_where_there_was_none_is_made_all_the_same(self, tmp_path: Path) -> None:
        environment = {n: v for n, v in os.environ.items() if not n.startswith("CERTMAIL_")}
        ran = Deployment(tmp_path, environment | {"CERTMAIL_DATA_DIR": str(tmp_path / "d")}).run(
            "vault", "rotate", "--new-key", "--json"
        )
        assert (ran.status, ran.json["new"], ran.json["reencrypted"]) == (0, True, 0)
