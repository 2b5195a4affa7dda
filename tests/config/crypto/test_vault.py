"""The vault: values of connections, readable only with a vault key and only as their owner's."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.base.errors import SealBroken, SettingsError
from certmail_config.crypto.vault import VERSION, Vault, key_id_of

OLD, NEW = ("k-2025", os.urandom(32)), ("k-2026", os.urandom(32))
SECRET = b"-----BEGIN PRIVATE KEY----- of acme"
vault = Vault([NEW, OLD])


def refusal(sealed: bytes, *, owner: str = "acme/1", keys: Vault = vault) -> SealBroken:
    with pytest.raises(SealBroken) as raised:
        keys.open(sealed, owner=owner)
    return raised.value


@settings(deadline=None)
@given(st.binary(max_size=3000), st.text())
def test_what_was_sealed_opens_for_the_same_owner(plaintext: bytes, owner: str) -> None:
    assert vault.open(vault.seal(plaintext, owner=owner), owner=owner) == plaintext


def test_it_is_version_key_id_two_nonces_a_wrapped_key_and_ciphertext() -> None:
    sealed = vault.seal(b"", owner="acme/1")
    assert sealed[0] == VERSION
    assert sealed[1] == len(NEW[0])
    assert sealed[2:].startswith(NEW[0].encode())
    assert len(sealed) == 2 + len(NEW[0]) + 12 + 48 + 12 + 16


def test_nothing_of_the_plaintext_or_of_a_key_is_in_it() -> None:
    sealed = vault.seal(SECRET, owner="acme/1")
    assert not any(SECRET[n : n + 4] in sealed for n in range(len(SECRET) - 4))
    assert NEW[1] not in sealed


def test_the_same_value_never_looks_the_same() -> None:
    bodies = {vault.seal(SECRET, owner="acme/1")[2 + len(NEW[0]) :] for _ in range(50)}
    assert len(bodies) == 50
    assert len({body[12:60] for body in bodies}) == 50, "each value has a data key of its own"


@pytest.mark.parametrize("owner", ["acme/2", "beta/1", "acme", "", "acme/1 "])
def test_it_does_not_open_for_another_owner(owner: str) -> None:
    broken = refusal(vault.seal(SECRET, owner="acme/1"), owner=owner)
    assert broken.code == "vault_mismatch"
    assert broken.remedy


@settings(deadline=None)
@given(st.integers(0, len(vault.seal(SECRET, owner="acme/1")) - 1), st.integers(1, 255))
def test_a_byte_altered_anywhere_is_noticed(position: int, mask: int) -> None:
    sealed = bytearray(vault.seal(SECRET, owner="acme/1"))
    sealed[position] ^= mask
    assert refusal(bytes(sealed)).code in {"vault_mismatch", "vault_malformed", "vault_key_missing"}


@settings(deadline=None)
@given(st.integers(0, len(vault.seal(SECRET, owner="acme/1")) - 1))
def test_a_value_cut_short_is_noticed(length: int) -> None:
    assert refusal(vault.seal(SECRET, owner="acme/1")[:length]).code in {
        "vault_mismatch",
        "vault_malformed",
    }


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_whatever_stands_in_its_place_is_refused_in_one_way(value: bytes) -> None:
    assert refusal(value).code.startswith("vault_")
    assert refusal(bytes([VERSION]) + value).code.startswith("vault_")


def test_the_other_layer_of_another_value_does_not_fit() -> None:
    one, other = (vault.seal(value, owner="acme/1") for value in (b"one", b"two"))
    end = 2 + len(NEW[0]) + 12 + 48
    assert refusal(one[:end] + other[end:]).code == "vault_mismatch"


def test_the_right_key_id_with_the_wrong_key_is_said_to_be_that() -> None:
    wrong = Vault([(NEW[0], os.urandom(32))])
    broken = refusal(vault.seal(SECRET, owner="acme/1"), keys=wrong)
    assert broken.code == "vault_mismatch"
    assert repr(NEW[0]) in broken.message
    assert broken.remedy


def test_two_keys_under_each_others_ids_open_nothing() -> None:
    swapped = Vault([(NEW[0], OLD[1]), (OLD[0], NEW[1])])
    for key in (NEW, OLD):
        broken = refusal(Vault([key]).seal(SECRET, owner="acme/1"), keys=swapped)
        assert (broken.code, repr(key[0]) in broken.message) == ("vault_mismatch", True)
        assert broken.remedy


def test_what_is_not_in_the_form_of_a_sealed_value_says_what_to_do() -> None:
    broken = refusal(b"-----BEGIN PRIVATE KEY-----")
    assert broken.code == "vault_malformed"
    assert "acme/1" in broken.message
    assert "backup" in broken.remedy


class TestRotation:
    def test_the_newest_key_seals(self) -> None:
        sealed = vault.seal(SECRET, owner="acme/1")
        assert Vault([NEW]).open(sealed, owner="acme/1") == SECRET
        assert refusal(sealed, keys=Vault([OLD])).code == "vault_key_missing"

    def test_what_the_old_key_sealed_still_opens(self) -> None:
        sealed = Vault([OLD]).seal(SECRET, owner="acme/1")
        assert vault.open(sealed, owner="acme/1") == SECRET

    def test_a_key_taken_away_too_early_is_named(self) -> None:
        broken = refusal(Vault([OLD]).seal(SECRET, owner="acme/1"), keys=Vault([NEW]))
        assert broken.code == "vault_key_missing"
        assert "'k-2025'" in broken.message
        assert "acme/1" in broken.message
        assert "CERTMAIL_VAULT_KEYS" in broken.message
        assert broken.remedy

    def test_of_two_keys_with_one_id_the_first_counts(self) -> None:
        sealed = Vault([NEW, (NEW[0], os.urandom(32))]).seal(SECRET, owner="acme/1")
        assert Vault([NEW]).open(sealed, owner="acme/1") == SECRET


class TestRenewal:
    def test_it_says_which_key_a_value_names(self) -> None:
        assert key_id_of(Vault([OLD]).seal(SECRET, owner="acme/1")) == "k-2025"
        assert key_id_of(vault.seal(b"", owner="acme/1")) == "k-2026"

    @settings(deadline=None)
    @given(st.binary(max_size=300))
    def test_what_is_no_sealed_value_names_no_key(self, value: bytes) -> None:
        assert key_id_of(value) is None or value[0] == VERSION

    def test_a_value_under_an_old_key_comes_under_the_newest_for_the_same_owner(self) -> None:
        renewed = vault.renew(Vault([OLD]).seal(SECRET, owner="acme/1"), owner="acme/1")
        assert key_id_of(renewed) == "k-2026"
        assert Vault([NEW]).open(renewed, owner="acme/1") == SECRET

    def test_a_value_under_the_newest_stays_as_it_is(self) -> None:
        sealed = vault.seal(SECRET, owner="acme/1")
        assert vault.renew(sealed, owner="acme/1") == sealed

    @pytest.mark.parametrize("key", [OLD, NEW])
    def test_a_value_of_another_owner_is_not_renewed(self, key: tuple[str, bytes]) -> None:
        with pytest.raises(SealBroken) as raised:
            vault.renew(Vault([key]).seal(SECRET, owner="acme/2"), owner="acme/1")
        assert raised.value.code == "vault_mismatch"


class TestKeysThatChange:
    """The keys are in a file that others write to."""

    def test_a_key_that_came_later_opens_what_it_sealed(self) -> None:
        keys = [OLD]
        running = Vault(keys, again=lambda: keys)
        keys.insert(0, NEW)
        assert running.open(Vault([NEW]).seal(SECRET, owner="acme/1"), owner="acme/1") == SECRET

    def test_the_next_value_is_sealed_with_the_key_that_is_newest_then(self) -> None:
        keys = [OLD]
        running = Vault(keys, again=lambda: keys)
        assert key_id_of(running.seal(SECRET, owner="acme/1")) == "k-2025"
        keys.insert(0, NEW)
        assert key_id_of(running.seal(SECRET, owner="acme/1")) == "k-2026"
        assert running.key_ids == ("k-2026", "k-2025")

    def test_while_they_cannot_be_read_those_that_are_known_serve(self) -> None:
        def gone() -> list[tuple[str, bytes]]:
            raise SettingsError("invalid_vault_file", "gone")

        running = Vault([OLD], again=gone)
        assert running.open(running.seal(SECRET, owner="acme/1"), owner="acme/1") == SECRET
        assert (
            refusal(Vault([NEW]).seal(SECRET, owner="acme/1"), keys=running).code
            == "vault_key_missing"
        )


def test_without_any_key_there_is_no_vault() -> None:
    with pytest.raises(SettingsError, match="CERTMAIL_VAULT_KEYS") as raised:
        Vault([])
    assert raised.value.code == "vault_keys_missing"


def test_a_vault_does_not_show_its_keys() -> None:
    assert "k-2026" not in repr(vault)
    assert str(list(NEW[1])) not in repr(vars(vault))
    assert repr(NEW[1]) not in repr(vars(vault))
