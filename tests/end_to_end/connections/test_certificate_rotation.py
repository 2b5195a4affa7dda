"""A certificate is rotated while reminders leave: no send fails, and there is no gap."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from certmail_config.tenants.models import ConnectionState
from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for


def in_use(deployment: Deployment, connection: str, certificate: str) -> bool:
    return deployment.admin.connection(connection).certificate == certificate


@pytest.mark.timeout(180)
def test_no_send_fails_while_certificates_are_rotated_under_load(tmp_path: Path) -> None:
    with new_deployment(tmp_path, **QUICK, CERTMAIL_CARE_SECONDS="1") as deployment:
        deployment.control("PUT", "/limits", {"units_per_minute": 60_000})
        connection = deployment.link(units=60_000)
        for _ in range(2):
            deployment.worker()
        jobs: list[str] = []
        old = deployment.admin.connection(connection)

        for n in (1, 2):  # the second is made by whoever came second, and takes over from the first
            before_it = len(deployment.messages())
            jobs += deployment.send(campaign(40, campaign=f"rotation {n}"))
            wait_for(
                "mails leave",
                lambda seen=before_it: len(deployment.messages()) >= seen + 10,  # type: ignore[misc]  # its default has no type
            )
            ran = deployment.run("connections", "rotate", connection, "--json")
            assert ran.status == 0, ran

            before = deployment.admin.connection(connection)
            certificate = deployment.ask("connections", "certificate", connection, "--next")[
                "certificate"
            ]
            assert certificate == before.next_certificate != before.certificate

            path = f"/service-accounts/{before.service_account}/keys?settling=1"
            deployment.control("POST", path, certificate)
            wait_for("it took over", partial(in_use, deployment, connection, certificate))
            # The old key is deleted at once: what was granted with it goes on, and nothing is asked
            # with it any more.
            deployment.control(
                "DELETE", f"/service-accounts/{before.service_account}/keys/{before.key_id}"
            )

        jobs += deployment.send(campaign(10, campaign="afterwards"))
        states = deployment.wait_recorded(jobs, {"accepted", "failed", "uncertain"}, seconds=90)
        assert set(states.values()) == {"accepted"}
        assert deployment.copies() == dict.fromkeys(jobs, 1)

        now = deployment.admin.connection(connection)
        assert (now.state, now.next_certificate) == (ConnectionState.ACTIVE, None)
        assert now.certificate != old.certificate

        requests = deployment.control("GET", "/requests")
        refused = [
            item for item in requests if item["status"] >= 400 and item["path"].endswith("/send")
        ]
        assert refused == []

        suspended = [
            line
            for line in (tmp_path / "worker.log").read_text().splitlines()
            if '"attention"' in line
        ]
        assert suspended == []
