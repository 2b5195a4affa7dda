"""Schemathesis holds the running gateway against its own OpenAPI document.

With thousands of requests, right and wrong ones.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from certmail_config.admin.api_keys import create_key
from certmail_config.base import redis_keys
from certmail_config.tenants.api_keys import EVERY_TENANT, KeyScope
from support.deployment.deployment import Deployment, new_deployment

EXAMPLES = 5
"""So many are made up for each operation, beside those that its schema's borders give."""
CONFIG = """\
[checks]
# What a schema cannot say is refused with 422: a domain without mail, another list's cursor.
positive_data_acceptance.enabled = false
# What is too much for a schema may be too large before it is read.
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]
# A reminder that was called off can still be asked for.
use_after_free.enabled = false

[[operations]]
include-operation-id = "enqueueReminders"
# What is wrong with one reminder of a batch is its own answer.
checks.negative_data_rejection.enabled = false
"""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with new_deployment(
        Path(tmp_path_factory.mktemp("openapi")), CERTMAIL_API_PER_MINUTE="10000000"
    ) as made:
        made.admin.add_tenant("acme")
        made.open_gateway()
        yield made


@pytest.mark.timeout(240)
def test_no_answer_is_a_5xx_or_outside_the_document(
    deployment: Deployment, record_property: Callable[[str, object], None]
) -> None:
    _, key = create_key(
        deployment.admin, "schemathesis", tenants=[EVERY_TENANT], scopes=[*KeyScope]
    )
    config = deployment.data_dir / "schemathesis.toml"
    config.write_text(CONFIG)
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config),
        "run", f"{deployment.gateway}/openapi.json", "-H", f"Authorization: Bearer {key}",
        "--max-examples", str(EXAMPLES), "--seed", "1", "--no-color",
    ]  # fmt: skip
    ran = subprocess.run(
        command, capture_output=True, text=True, cwd=deployment.data_dir, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr

    found = re.search(r"(\d+) generated", ran.stdout)
    assert found, ran.stdout
    assert int(found[1]) > 100
    # Whether they still wait or were called off by another request.
    taken = deployment.admin.redis.hget(redis_keys.TAKEN + "acme", "all")
    assert taken, "some were good enough to be taken in"

    record_property(
        "said",
        f"Schemathesis: {found[1]} test cases, no 5xx, none outside the document",
    )


def test_the_page_explains_every_request_object_and_problem(deployment: Deployment) -> None:
    document = requests.get(f"{deployment.gateway}/openapi.json", timeout=60).json()
    page = requests.get(f"{deployment.gateway}/docs", timeout=60)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text
    assert "`" not in re.sub(r"<pre>.*?</pre>", "", page.text, flags=re.DOTALL), (
        "what is code is shown as code"
    )

    ids = set(re.findall(r'id="([^"]+)"', page.text))
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    assert {each["operationId"] for each in operations} | document["components"][
        "schemas"
    ].keys() <= ids

    [contents] = re.findall(r"<nav.*?</nav>", page.text, re.DOTALL)
    linked = set(re.findall(r'href="#([^"]+)"', contents))
    assert {each["operationId"] for each in operations} | {
        "events",
        "objects",
        "problems",
    } == linked

    sent = requests.post(f"{deployment.gateway}/v1/reminders", timeout=60)
    assert sent.status_code == 401
    assert sent.json()["type"].rpartition("#")[2] in ids


def test_what_the_document_names_is_what_there_is(deployment: Deployment) -> None:
    document = requests.get(f"{deployment.gateway}/openapi.json", timeout=60).json()
    assert document["openapi"].startswith("3.1")

    for path, methods in document["paths"].items():
        for method in methods:
            answer = requests.request(
                method,
                deployment.gateway + re.sub(r"\{\w+\}", "x", path),
                timeout=60,
            )
            assert answer.status_code == 401, (method, path)
