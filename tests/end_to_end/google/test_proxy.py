"""A deployment whose only way to Google is a proxy.

Mail leaves through it, and its password is nowhere to be read.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from bench.mail.authority import make
from support.deployment.deployment import STEADY, campaign, new_deployment
from support.network.proxy import proxy, tls_front

USER, PASSWORD, WRITTEN = "ann", "p@ss/w#rd", "ann:p%40ss%2Fw%23rd"


def test_mail_leaves_through_the_proxy_and_doctor_says_so(tmp_path: Path) -> None:
    ca_file, endpoint = make(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(endpoint)
    with new_deployment(tmp_path / "data", **STEADY) as deployment, proxy(USER, PASSWORD) as way:
        deployment.link()
        with tls_front(deployment.google.removeprefix("http://"), context) as google:
            deployment.environment |= {
                "CERTMAIL_GOOGLE_PROXY": f"http://{WRITTEN}@127.0.0.1:{way.port}",
                "CERTMAIL_GOOGLE_CA_FILE": str(ca_file),
                "CERTMAIL_GOOGLE_TOKEN_URL": f"https://{google}/token",
                "CERTMAIL_GOOGLE_USERINFO_URL": f"https://{google}/v1/userinfo",
                "CERTMAIL_GMAIL_URL": f"https://{google}",
                "HTTPS_PROXY": "http://127.0.0.1:1",
            }
            deployment.worker()
            jobs = deployment.send(campaign(3))
            deployment.wait_recorded(jobs, {"accepted"})

            assert set(way.asked) == {f"CONNECT {google}"}
            assert all(copies == 1 for copies in deployment.copies().values())

            findings = {
                item["check"]: item for item in deployment.run("doctor", "--json").json["findings"]
            }
            assert findings["proxy"]["severity"] == "ok"
            assert findings["proxy"]["message"] == (
                f"Google is reached through the proxy http://…@127.0.0.1:{way.port}."
            )

            way.refuse = 403
            refused = deployment.run("doctor")
            assert "does not let certmail through to Google (HTTP 403)" in refused.out

            wrong = deployment.run(
                "doctor", CERTMAIL_GOOGLE_PROXY=f"http://ann:wrong@127.0.0.1:{way.port}"
            )
            assert "asks for a user and password" in wrong.out

            unused = deployment.run("doctor", CERTMAIL_GOOGLE_PROXY="")
            assert "HTTPS_PROXY: set, but certmail goes to Google directly." in unused.out
        said = (
            (deployment.data_dir / "worker.log").read_text() + refused.out + refused.err + wrong.out
        )

        assert not any(part in said for part in (PASSWORD, WRITTEN, "p%40ss"))
