"""What somebody tries who can write Redis, as every producer can, but has no vault key.

They try to act for others; each attempt is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from certmail_config.base import redis_keys
from certmail_config.crypto.sealing import new_pair
from certmail_config.tenants.api_keys import KeyScope, digest, new_token
from support.deployment.console_visitor import PASSWORD, Visitor, operator
from support.deployment.deployment import QUICK, Deployment, campaign, new_deployment, wait_for

ID = "A" * 32
LINK = hashlib.sha256(ID.encode()).hexdigest()


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    settings = QUICK | {"CERTMAIL_OPERATOR_PASSWORD": PASSWORD, "CERTMAIL_CARE_SECONDS": "2"}
    with new_deployment(Path(tmp_path_factory.mktemp("writer")), **settings) as made:
        made.link()
        made.open_gateway()
        yield made


def findings(deployment: Deployment) -> dict[str, str]:
    found = deployment.run("doctor", "--json").json["findings"]
    return {each["check"]: each["message"] for each in found if each["severity"] == "error"}


def asks(deployment: Deployment, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{deployment.gateway}/v1/tenants", headers=headers, timeout=60).status_code


def test_a_public_key_of_their_own_is_refused_reported_and_put_right(
    deployment: Deployment,
) -> None:
    key = deployment.ask("keys", "deployment")["deployment_key"]
    made = deployment.ask("keys", "create", "of acme", "--tenant", "acme")["key"]
    name, theirs = redis_keys.TENANT + "acme", b64encode(new_pair()[1])
    before = deployment.admin.redis.hget(name, "public_key")
    deployment.admin.redis.hset(name, "public_key", theirs)
    refused = deployment.run("send", "-", stdin=campaign(1), CERTMAIL_DEPLOYMENT_KEY=key)

    assert refused.status == 1
    assert "is not this deployment's" in refused.out + refused.err

    reminder = {"tenant": "acme", "to": "anna@people.example"}
    headers = {"Authorization": f"Bearer {made}"}
    sent = requests.post(
        f"{deployment.gateway}/v1/reminders", json=reminder, headers=headers, timeout=60
    )

    assert (sent.status_code, sent.json()["errors"][0]["code"]) == (422, "tenant_key_unproven")
    assert f"redis {name}/public_key" in findings(deployment)

    deployment.worker()
    wait_for("it is put right", lambda: deployment.admin.redis.hget(name, "public_key") == before)
    assert "not_written_by_certmail" in (deployment.data_dir / "worker.log").read_text()
    assert "was refused, or put right" in findings(deployment)[f"redis {name}/public_key"]

    taken = deployment.run("send", "-", stdin=campaign(1), CERTMAIL_DEPLOYMENT_KEY=key)
    assert taken.status == 0, taken.err


def test_an_api_key_of_their_own_is_none_is_reported_and_goes(deployment: Deployment) -> None:
    id_, token = new_token()
    value = {
        "digest": digest(token).hex(),
        "tenants": ["*"],
        "scopes": list(KeyScope),
        "expires_at": None,
    }

    deployment.admin.redis.hset(redis_keys.API_KEYS, id_, json.dumps(value))
    assert asks(deployment, token) == 401
    assert f"redis {redis_keys.API_KEYS}/{id_}" in findings(deployment)
    assert id_ in (deployment.data_dir / "gateway.log").read_text()

    wait_for("it is gone", lambda: not deployment.admin.redis.hexists(redis_keys.API_KEYS, id_))
    assert "was refused" in findings(deployment)[f"redis {redis_keys.API_KEYS}/{id_}"]


def test_a_visit_of_their_own_opens_nothing(deployment: Deployment) -> None:
    visitor = {"csrf": "c", "until": time.time() + 600, "proof": "", "notice": None, "back": ""}
    visitor |= {"tenant": "acme", "name": "default", "link": LINK, "complete": True}
    somebody = Visitor(deployment)
    somebody.bake("certmail-setup", "mine")
    deployment.admin.redis.set(
        redis_keys.SESSION + hashlib.sha256(b"mine").hexdigest(), json.dumps(visitor)
    )
    connection = deployment.admin.connection("acme/default").id

    assert somebody.get(f"/connect/connections/{connection}").status_code == 403
    assert "reviews@acme.example" not in somebody.text


def test_a_set_up_link_of_their_own_opens_nothing(deployment: Deployment) -> None:
    invitation: dict[str, Any] = {
        "tenant": "acme",
        "name": "default",
        "link": LINK,
        "return_url": "",
    }

    invitation |= {"expires_at": time.time() + 600, "state": ""}
    deployment.admin.redis.set(redis_keys.SETUP + "acme", json.dumps(invitation))
    salt = b64decode(deployment.admin.redis.hget(redis_keys.DEPLOYMENT, "salt") or b"")
    mac = hmac.digest(salt, f"setup-link\0acme\0{ID}".encode(), "sha256")
    signed = f"acme.{ID}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"  # as the first version did

    for token in (f"acme.{ID}", signed):
        assert Visitor(deployment).get(f"/connect/{token}").status_code == 403


def test_a_sign_in_of_somebody_else_is_not_ended_as_theirs(deployment: Deployment) -> None:
    deployment.admin.redis.set(redis_keys.LINK + hashlib.sha256(b"state").hexdigest(), b"{}")
    visitor = operator(deployment)
    visitor.get("/oauth/google/callback?state=state&code=c")
    assert "was not started here" in visitor.text
