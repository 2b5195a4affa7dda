"""Hashes of what nobody may read: the same for every version, or a duplicate would be sent twice."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from certmail_config.crypto.keyed_hash import KeyedHash

SALT = bytes(range(32))
RECORDED = {
    b"": "d8fd5cb8632896753eab1bbebcaae45a",
    b'["acme", "k"]': "71539d069266995668929dc1b6c00545",
}
"""As versions before wrote them."""


@pytest.mark.parametrize("value", RECORDED)
def test_a_value_has_the_hash_that_older_versions_gave_it(value: bytes) -> None:
    hashed = KeyedHash(SALT, b"key")
    assert hashed.of(value) == RECORDED[value] == hashed.of(value), "and has it again"


@pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 65, 4096])
@pytest.mark.parametrize("salt", [b"", SALT, bytes(100)])
def test_it_is_the_first_half_of_an_hmac(salt: bytes, size: int) -> None:
    value = bytes(size)
    whole = hmac.digest(salt, b"key\0" + value, hashlib.sha256).hex()
    assert KeyedHash(salt, b"key").of(value) == whole[:32]


def test_another_salt_purpose_or_value_has_another_hash() -> None:
    found = {
        KeyedHash(salt, purpose).of(value)
        for salt in (SALT, bytes(32))
        for purpose in (b"key", b"fingerprint")
        for value in (b"a", b"b")
    }
    assert len(found) == 8
