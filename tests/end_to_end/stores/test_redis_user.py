"""A deployment whose Redis lets certmail do no more than the documentation says it needs."""

from __future__ import annotations

import json
from pathlib import Path

from support.deployment.deployment import STEADY, campaign, new_deployment, wait_for
from support.servers.replication import DURABLE, valkey

DOCS = Path(__file__).parents[3] / "docs" / "redis-user.md"


def test_the_user_of_the_documentation_suffices(tmp_path: Path) -> None:
    [line] = [
        line for line in DOCS.read_text().splitlines() if line.startswith("ACL SETUSER certmail")
    ]

    with valkey(tmp_path / "valkey", *DURABLE, "--maxmemory", "200mb") as server:
        server.command(*line.replace("PASSWORD", "secret").split())
        url = f"redis://certmail:secret@127.0.0.1:{server.port}/0"
        flower = {"CERTMAIL_FLOWER_BASIC_AUTH": "ann:a-long-password"}
        with new_deployment(
            tmp_path / "data", **STEADY, **flower, CERTMAIL_REDIS_URL=url
        ) as deployment:
            deployment.link()
            deployment.open_gateway()
            deployment.worker()
            deployment.start("certmail_worker", "flower", log="flower.log")
            jobs = deployment.send(campaign(3))
            deployment.wait_recorded(jobs, {"accepted"})
            wait_for(
                "Flower", lambda: "http://" in (deployment.data_dir / "flower.log").read_text()
            )
            findings = deployment.run("doctor", "--json").json["findings"]
            assert not [item for item in findings if item["severity"] == "error"]

            denied = server.command("ACL", "LOG")
            assert denied == [], json.dumps(denied, default=str)

            lost = [
                line
                for line in (deployment.data_dir / "worker.log").read_text().splitlines()
                if "lost" in line
            ]
            assert lost == []

            # Without its channels Celery would try again each second without end: a worker says so
            # and does not start.
            server.command("ACL", "SETUSER", "certmail", "resetchannels")
            refused = deployment.run("worker")
            assert refused.status == 3, refused
            assert "ACL SETUSER certmail '&{certmail}:celery:/0.celery.pidbox'" in refused.err
