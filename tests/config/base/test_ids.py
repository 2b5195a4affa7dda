"""Identifiers: UUIDs of version 7, which sort by time."""

from __future__ import annotations

import uuid

from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.base.ids import uuid7

MILLISECONDS = st.integers(0, (1 << 48) - 1)


@settings(deadline=None)
@given(MILLISECONDS)
def test_it_is_a_uuid_of_version_seven_in_the_usual_form(now_ms: int) -> None:
    text = uuid7(now_ms)
    value = uuid.UUID(text)
    assert (value.version, value.variant) == (7, uuid.RFC_4122)
    assert text == str(value)


@settings(deadline=None)
@given(MILLISECONDS, st.binary(min_size=10, max_size=10))
def test_it_begins_with_its_time_and_keeps_74_random_bits(now_ms: int, random: bytes) -> None:
    value = uuid.UUID(uuid7(now_ms, lambda _: random)).int
    assert value >> 80 == now_ms
    tail = int.from_bytes(random, "big")
    assert value & ((1 << 62) - 1) == tail & ((1 << 62) - 1)
    assert value >> 64 & 0xFFF == tail >> 64 & 0xFFF


@settings(deadline=None)
@given(MILLISECONDS, MILLISECONDS)
def test_ids_sort_by_the_time_they_were_made(one: int, two: int) -> None:
    first, second = sorted([one, two])
    if first < second:
        assert uuid7(first) < uuid7(second)


def test_ids_of_the_same_millisecond_differ() -> None:
    assert len({uuid7(1_800_000_000_000) for _ in range(10_000)}) == 10_000


def test_a_known_one() -> None:
    assert (
        uuid7(0x017F22E279B0, lambda n: bytes([0xFF]) * n) == "017f22e2-79b0-7fff-bfff-ffffffffffff"
    )
