"""Signatures, against the specification's own example and an independent verification."""

from __future__ import annotations

import base64

import pytest

from certmail_config.webhooks.signing import (
    message_id,
    new_secret,
    read_message_id,
    sign,
)
from support.network.receivers import verified

BODY = '{"test": 2432232314}'
AT = 1614265330


def test_a_message_is_signed_as_the_specification_has_it() -> None:
    """The example of the standard's own libraries."""
    headers = sign(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", AT, BODY
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_replaced_a_receiver_may_know_either() -> None:
    new, old, other = new_secret(), new_secret(), new_secret()
    headers = sign([new, old], "msg_1_0", AT, BODY)
    assert verified(headers, BODY, (new,), AT)
    assert verified(headers, BODY, (old,), AT)
    assert not verified(headers, BODY, (other,), AT)
    assert not verified(headers, BODY + " ", (new,), AT)
    assert not verified(headers, BODY, (new,), AT + 301)


def test_a_secret_is_of_32_random_bytes() -> None:
    secret = new_secret()
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert secret != new_secret()


def test_an_id_names_the_event_and_holds_no_dot() -> None:
    assert message_id(1700000000000, 3) == "msg_1700000000000_3"
    assert read_message_id(" msg_1700000000000_3\n") == (1700000000000, 3)


@pytest.mark.parametrize("text", ["", "msg_", "msg_1", "msg_1_2_3", "1-0", "msg_a_b", "msg_1_٣", "msg_1_" + "9" * 30])  # fmt: skip
def test_what_is_no_id(text: str) -> None:
    assert read_message_id(text) is None
