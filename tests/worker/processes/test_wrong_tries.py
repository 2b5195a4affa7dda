"""Passwords are not tried without end, and nobody waits longer than a minute."""

from __future__ import annotations

from certmail_worker.processes.wrong_tries import MAX_OF_ALL, MAX_OF_ONE, SECONDS, WrongTries


def test_an_address_waits_after_so_many_and_others_do_not() -> None:
    tries = WrongTries()
    for n in range(MAX_OF_ONE):
        assert tries.wait("one", n) == 0
        tries.note("one", n)
    assert tries.wait("one", MAX_OF_ONE) == SECONDS - MAX_OF_ONE
    assert tries.wait("another", MAX_OF_ONE) == 0
    assert tries.wait("one", SECONDS) == 0


def test_many_addresses_together_wait_too() -> None:
    tries = WrongTries()
    for n in range(MAX_OF_ALL):
        tries.note(f"address {n}", 0.0)
    assert tries.wait("another", 1.0) == SECONDS - 1
    assert tries.wait("another", SECONDS) == 0
