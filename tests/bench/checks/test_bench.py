"""The instrument works: a few mails through a certmail worker, measured."""

from __future__ import annotations

import base64
import http.client
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.mail import deployment
from bench.mail.contestants import contestants
from bench.mail.place import Google, VoidError, place
from bench.mail.rounds import check, run


def test_a_worker_sends_what_is_enqueued_exactly_once_and_its_cost_is_known(tmp_path: Path) -> None:
    [whole] = [each for each in contestants(10) if each.name == "certmail, whole mail"]
    with place(tmp_path / "run", mailboxes=10, interpreters={"certmail": sys.executable}) as ground:
        deployment.set_up(ground)
        result = run(replace(whole, warm=10, mails=20), [0], ground)[0]
    assert result.sent == result.received == result.unique == 20
    assert result.cpu_ms_per_mail > 0
    assert result.redis_commands_per_mail > 0


def test_a_mail_that_arrives_twice_makes_the_run_void(tmp_path: Path) -> None:
    with place(tmp_path / "run", mailboxes=1, interpreters={}) as ground:
        _send(ground.google, "one")
        check({"one"}, ground)
        _send(ground.google, "one")
        with pytest.raises(VoidError, match="1 sent, 2 received"):
            check({"one"}, ground)


def _send(google: Google, name: str) -> None:
    raw = base64.urlsafe_b64encode(f"X-Certmail-Id: {name}\r\n\r\n".encode()).decode()
    connection = http.client.HTTPSConnection("127.0.0.1", google.port, context=google.context)
    headers = {"Authorization": "Bearer token"}
    connection.request(
        "POST", "/gmail/v1/users/me/messages/send", json.dumps({"raw": raw}), headers
    )
    assert connection.getresponse().status == 200
    connection.close()
