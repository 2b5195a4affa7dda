"""Sealed payloads: whoever may write one cannot read it.

Nothing about one can be changed unseen.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.base.errors import SealBroken
from certmail_config.crypto.sealing import SEALED_KEY_BYTES, VERSION, Opener, Sealer, new_pair

PRIVATE, PUBLIC = new_pair()
NOW = 1_800_000_000.0
TEXT = b"Ann Lee <ann@acme.example> has three items left"


def seal(
    plaintext: bytes = TEXT, *, tenant: str = "acme", job: str = "j", now: float = NOW
) -> bytes:
    return Sealer(PUBLIC).seal(plaintext, tenant=tenant, job=job, now=now)


def refusal(
    payload: bytes, *, private: bytes = PRIVATE, tenant: str = "acme", job: str = "j"
) -> str:
    with pytest.raises(SealBroken) as raised:
        Opener(private).open(payload, tenant=tenant, job=job)
    return raised.value.code


def data_key(payload: bytes) -> bytes:
    return payload[1 : 1 + SEALED_KEY_BYTES]


@settings(deadline=None)
@given(st.binary(max_size=3000), st.text(), st.text())
def test_what_was_sealed_opens_for_the_same_tenant_and_job(
    plaintext: bytes, tenant: str, job: str
) -> None:
    payload = seal(plaintext, tenant=tenant, job=job)
    assert Opener(PRIVATE).open(payload, tenant=tenant, job=job) == plaintext


def test_a_payload_is_version_sealed_key_nonce_and_ciphertext() -> None:
    assert SEALED_KEY_BYTES == 92
    payload = seal(b"")
    assert payload[:1] == VERSION
    assert len(payload) == 1 + 92 + 12 + 16
    assert len(seal(b"x" * 1000)) == len(payload) + 1000


def test_nothing_of_the_plaintext_is_in_it() -> None:
    payload = seal(TEXT)
    assert not any(TEXT[n : n + 4] in payload for n in range(len(TEXT) - 4))


@pytest.mark.parametrize(
    ("tenant", "job"), [("beta", "j"), ("acme", "k"), ("", "acme|j"), ("acme|", "j")]
)
def test_it_does_not_open_for_another_tenant_or_job(tenant: str, job: str) -> None:
    assert refusal(seal(), tenant=tenant, job=job) == "payload_altered"


def test_it_does_not_open_with_another_tenants_private_half() -> None:
    assert refusal(seal(), private=new_pair()[0]) == "payload_altered"


def test_the_public_half_opens_nothing() -> None:
    assert refusal(seal(), private=PUBLIC) == "payload_altered"


@settings(deadline=None)
@given(st.integers(0, len(seal()) - 1), st.integers(1, 255))
def test_a_byte_altered_anywhere_is_noticed(position: int, mask: int) -> None:
    payload = bytearray(seal())
    payload[position] ^= mask
    assert refusal(bytes(payload)) in {"payload_altered", "payload_malformed"}


def test_so_is_the_one_bit_of_a_public_key_that_x25519_ignores() -> None:
    payload = bytearray(seal())
    payload[32] ^= 0x80
    assert refusal(bytes(payload)) == "payload_altered"


@settings(deadline=None)
@given(st.integers(0, len(seal()) - 1))
def test_a_payload_cut_short_is_noticed(length: int) -> None:
    assert refusal(seal()[:length]) in {"payload_altered", "payload_malformed"}


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_whatever_stands_in_its_place_is_refused_in_one_way(payload: bytes) -> None:
    assert refusal(payload) in {"payload_altered", "payload_malformed"}
    assert refusal(VERSION + payload) in {"payload_altered", "payload_malformed"}


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_a_public_key_that_agrees_on_nothing_is_an_altered_payload_too(key: bytes) -> None:
    payload = seal()
    assert refusal(payload[:1] + key + payload[33:]) == "payload_altered"


def test_a_later_version_is_not_guessed_at() -> None:
    assert refusal(b"\x02" + seal()[1:]) == "payload_malformed"


def test_a_data_key_taken_from_another_payload_does_not_fit() -> None:
    one, other = seal(), seal()
    assert refusal(one[:1] + data_key(other) + one[93:]) == "payload_altered"


class TestDataKeys:
    def test_one_serves_for_an_hour(self) -> None:
        sealer = Sealer(PUBLIC)
        first, last = (
            sealer.seal(TEXT, tenant="acme", job="j", now=now) for now in (NOW, NOW + 3599)
        )
        assert NOW % 3600 == 0
        assert data_key(first) == data_key(last)

    def test_the_next_hour_has_another(self) -> None:
        sealer = Sealer(PUBLIC)
        first, last = (
            sealer.seal(TEXT, tenant="acme", job="j", now=now) for now in (NOW, NOW + 3600)
        )
        assert data_key(first) != data_key(last)
        opener = Opener(PRIVATE)
        assert {opener.open(payload, tenant="acme", job="j") for payload in (first, last)} == {TEXT}

    def test_two_producers_have_different_ones(self) -> None:
        assert data_key(seal()) != data_key(seal())

    def test_the_same_text_never_looks_the_same(self) -> None:
        sealer = Sealer(PUBLIC)
        payloads = {sealer.seal(TEXT, tenant="acme", job="j", now=NOW)[93:] for _ in range(100)}
        assert len(payloads) == 100

    def test_more_of_them_than_an_opener_remembers_open_all_the_same(self) -> None:
        sealer, opener = Sealer(PUBLIC), Opener(PRIVATE, remember=2)
        payloads = [
            sealer.seal(TEXT, tenant="acme", job="j", now=NOW + hour * 3600) for hour in range(5)
        ]
        for payload in payloads + payloads:
            assert opener.open(payload, tenant="acme", job="j") == TEXT
        assert len(opener._ciphers) == 2


def test_every_pair_is_another() -> None:
    pairs = [new_pair() for _ in range(5)]
    assert len({half for pair in pairs for half in pair}) == 10
    assert {len(half) for pair in pairs for half in pair} == {32}


def test_a_refusal_says_nothing_of_what_was_sealed() -> None:
    with pytest.raises(SealBroken) as raised:
        Opener(PRIVATE).open(seal(TEXT), tenant="acme", job="k")
    assert "Ann" not in str(raised.value)
