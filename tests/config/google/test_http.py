"""What Google says to a token that is given back, and what that means."""

from __future__ import annotations

import pytest

from certmail_config.google.http import ended_before


@pytest.mark.parametrize(
    ("status", "body", "ended"),
    [
        (400, b'{"error": "invalid_token", "error_description": "Token expired or revoked"}', True),
        (400, b'{"error": "unsupported_token_type"}', False),
        (400, b"<html>", False),
        (400, b"[]", False),
        (403, b'{"error": "invalid_token"}', False),
    ],
)
def test_only_a_token_that_google_calls_invalid_was_given_back_before(
    status: int, body: bytes, *, ended: bool
) -> None:
    assert ended_before(status, body) is ended
