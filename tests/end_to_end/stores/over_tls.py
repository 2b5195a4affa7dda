"""A whole deployment over TLS, with an authority of its own and clients' certificates; each process
is a user of its own there.

`make redis` runs it, on Debian's redis-server: the embedded Valkey has no TLS.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import requests

from certmail import Mailer
from certmail_config.rights.roles import Role, rights_of
from certmail_config.rights.rules import ServerVersion, rules_of
from certmail_config.stores.connect import connect
from support.deployment.deployment import STEADY, campaign, new_deployment, wait_for
from support.servers.tls import new_authority, tls_server
from support.servers.with_users import SECRET


def test_a_deployment_over_tls(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    authority, other = new_authority(tmp_path / "ca"), new_authority(tmp_path / "other")

    with tls_server(tmp_path / "redis", authority, port) as server:
        for role in Role:
            rules = rules_of(rights_of(role), ServerVersion.REDIS_7_0, 0)
            server.execute_command("ACL", "SETUSER", f"certmail-{role}", "reset", "on", f">{SECRET}", *rules)  # type: ignore[no-untyped-call]  # fmt: skip

        def url(user: str) -> str:
            return f"rediss://{user}@127.0.0.1:{port}/0?{authority.options('client')}"

        def of(role: Role) -> str:
            return url(f"certmail-{role}:{SECRET}")

        settings = {
            "CERTMAIL_REDIS_URL": of(Role.OPERATOR),
            "CERTMAIL_FLOWER_BASIC_AUTH": "ann:a-long-password",
        }
        with new_deployment(tmp_path / "data", **STEADY, **settings) as deployment:
            deployment.link()
            deployment.worker(CERTMAIL_REDIS_URL=of(Role.WORKER))
            wait_for("the worker", lambda: deployment.workers() == 1)
            flower = {"CERTMAIL_REDIS_URL": of(Role.FLOWER)}
            deployment.start("certmail_worker", "flower", log="flower.log", **flower)
            deployment.environment["CERTMAIL_REDIS_URL"] = of(Role.GATEWAY)
            deployment.open_gateway()
            deployment.environment["CERTMAIL_REDIS_URL"] = of(Role.OPERATOR)

            with connect(of(Role.PRODUCER)) as redis, Mailer(redis) as mailer:
                receipts = [mailer.send({"tenant": "acme", "to": f"r{n}@acme.example", "campaign": "q4", "pending": n + 1}) for n in range(3)]  # fmt: skip
            deployment.wait_recorded([each.id for each in receipts], {"accepted"})
            sent = deployment.ask("send", "-", stdin=campaign(2, campaign="by hand"))
            deployment.wait_recorded([each["id"] for each in sent["receipts"]], {"accepted"})

            log = deployment.data_dir / "flower.log"
            wait_for("Flower", lambda: "http://" in log.read_text())
            [address] = re.findall(r"http://[0-9.:]+", log.read_text())[:1]
            auth = ("ann", "a-long-password")
            wait_for(
                "Flower to see the worker",
                lambda: (
                    "certmail-"
                    in requests.get(f"{address}/api/workers?refresh=1", auth=auth, timeout=60).text
                ),
            )
            assert requests.get(f"{deployment.gateway}/readyz", timeout=60).ok
            findings = deployment.run("doctor", "--json").json["findings"]
            assert not [item for item in findings if item["severity"] == "error"], findings

            denied: Any = server.acl_log()
            assert [each for each in denied if each["username"] != "certmail-producer"] == []

            bare = of(Role.WORKER).partition("&ssl_certfile")[0]
            refused = deployment.run("worker", CERTMAIL_REDIS_URL=bare)
            assert refused.status == 3
            assert "ssl_certfile=" in refused.err, refused
            wrong = of(Role.WORKER).replace(str(authority.file), str(other.file))
            for command in ("worker", "gateway", "flower", "doctor"):
                refused = deployment.run(command, CERTMAIL_REDIS_URL=wrong)
                assert refused.status != 0
                assert "is not trusted" in refused.err + refused.out, refused
                assert SECRET not in refused.err + refused.out
