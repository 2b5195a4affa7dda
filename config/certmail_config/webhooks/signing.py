"""Signing as Standard Webhooks has it (v1, HMAC-SHA256), and secrets to sign with; pure.

While a secret is replaced, both sign: a receiver may know either.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from typing import Final

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


def new_secret(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Make a secret in the form that receivers' libraries take."""
    return PREFIX + base64.b64encode(random(SECRET_BYTES)).decode()


def sign(keys: Sequence[str], message: str, at: int, body: str) -> dict[str, str]:
    """The headers of a message that is sent now, `at` seconds since 1970.

    The newest of the secrets first.
    """
    signed = f"{message}.{at}.{body}".encode()
    marks = [f"v1,{base64.b64encode(_mark(secret, signed)).decode()}" for secret in keys]
    return {ID: message, TIMESTAMP: str(at), SIGNATURE: " ".join(marks)}


def message_id(ms: int, n: int) -> str:
    """The id of a message: of one event always the same, whoever records or sends it again."""
    return f"msg_{ms}_{n}"


def read_message_id(text: str) -> tuple[int, int] | None:
    """The event that an id names; None if it is not in the form of one."""
    prefix, *numbers = text.strip().split("_")
    if prefix != "msg" or len(numbers) != 2 or not all(_is_number(each) for each in numbers):
        return None
    return int(numbers[0]), int(numbers[1])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _mark(secret: str, signed: bytes) -> bytes:
    return hmac.digest(base64.b64decode(secret.removeprefix(PREFIX)), signed, hashlib.sha256)
