"""Every type's payload: its schema, an example that follows it, and nothing of people in either."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import jsonschema_rs
import pytest

from certmail_config.webhooks.catalogue import MEANINGS, WebhookType, example, payload, schema


@pytest.mark.parametrize("kind", WebhookType)
def test_the_example_of_a_type_follows_its_schema(kind: WebhookType) -> None:
    shape = schema(kind)
    assert jsonschema_rs.meta.is_valid(shape)
    jsonschema_rs.validate(shape, example(kind))
    wrong = example(kind) | {"type": "another"}
    assert not jsonschema_rs.is_valid(shape, wrong)
    assert all("description" in each for each in shape["properties"]["data"]["properties"].values())


@pytest.mark.parametrize("kind", WebhookType)
def test_no_payload_has_a_place_for_an_address_or_a_text(kind: WebhookType) -> None:
    names = set(schema(kind)["properties"]["data"]["properties"])
    assert not names & {
        "to",
        "recipient",
        "mailbox",
        "name",
        "subject",
        "message",
        "campaign",
        "link",
    }
    assert "@" not in json.dumps(example(kind))


def test_a_payload_is_ascii_and_says_when_it_happened() -> None:
    at = datetime(2026, 11, 25, 15, 20, tzinfo=UTC)
    body = payload(WebhookType.WEBHOOK_TEST, at, {"webhook": "größe"})
    assert body.isascii()
    assert json.loads(body) == {
        "type": "webhook.test",
        "version": 1,
        "timestamp": "2026-11-25T15:20:00.000Z",
        "data": {"webhook": "größe"},
    }


def test_every_type_is_said_in_a_sentence_and_named_in_one_form() -> None:
    assert set(MEANINGS) == set(WebhookType)
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", kind) for kind in WebhookType)
    assert all(sentence.endswith(".") for sentence in MEANINGS.values())
