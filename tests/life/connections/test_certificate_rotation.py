"""A certificate is rotated while reminders leave: no send fails, and there is no gap."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from certmail_config.tenants.models import ConnectionState
from support.deployment.deployment import QUICK, Deployment, campaign, deployment, wait_for


def in_use(place: Deployment, connection: str, certificate: str) -> bool:
    return place.admin.connection(connection).certificate == certificate


@pytest.mark.timeout(180)
def test_no_send_fails_while_certificates_are_rotated_under_load(tmp_path: Path) -> None:
    with deployment(tmp_path, **QUICK, CERTMAIL_CARE_SECONDS="1") as place:
        place.control("PUT", "/limits", {"units_per_minute": 60_000})
        connection = place.link(units=60_000)
        for _ in range(2):
            place.worker()
        jobs = place.send(campaign(240))
        old = place.admin.connection(connection)

        for n in (1, 2):  # the second is made by whoever came second, and takes over from the first
            wait_for(f"{60 * n} mails", lambda n=n: len(place.messages()) >= 60 * n, 60)  # type: ignore[misc]
            ran = place.run("connections", "rotate", connection, "--json")
            assert ran.status == 0, ran
            before = place.admin.connection(connection)
            certificate = place.ask("connections", "certificate", connection, "--next")[
                "certificate"
            ]
            assert certificate == before.next_certificate != before.certificate
            path = f"/service-accounts/{before.service_account}/keys?settling=1"
            place.control("POST", path, certificate)
            wait_for("it took over", partial(in_use, place, connection, certificate))
            # The old key is deleted at once: what was granted with it goes on, and nothing is asked
            # with it any more.
            place.control(
                "DELETE", f"/service-accounts/{before.service_account}/keys/{before.key_id}"
            )

        states = place.wait_recorded(jobs, {"accepted", "failed", "uncertain"}, seconds=90)
        assert set(states.values()) == {"accepted"}
        assert place.copies() == dict.fromkeys(jobs, 1)
        now = place.admin.connection(connection)
        assert (now.state, now.next_certificate) == (ConnectionState.ACTIVE, None)
        assert now.certificate != old.certificate
        requests = place.control("GET", "/requests")
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
