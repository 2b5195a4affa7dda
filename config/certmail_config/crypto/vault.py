"""The vault: private keys, refresh and access tokens, encrypted under keys that no store holds.

An envelope: each value has a data key of its own, which is wrapped by a vault key; the header names
the vault key, so that several may be in use while they are rotated. Both layers name the owner
(tenant and connection) as associated data, so that a row copied to another owner does not open.

    1 byte version · 1 byte n · n bytes key id · 12 bytes nonce · 48 bytes wrapped data key · 12 bytes nonce · ciphertext
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from certmail_config.base.errors import SealBroken, SettingsError

VERSION = 1
_NONCE = 12
_WRAPPED = 48

Keys = Iterable[tuple[str, bytes]]


class Vault:
    """Seals with the newest key, opens with any of them. Holds key material: never logged, no repr.

    `again` gives the keys as they are now, where they can change while the process runs (a file).
    It is asked before each sealing, so that nobody goes on with a key that is on its way out, and
    when a value names a key that is not known yet. If it raises, the keys stay as they are.
    """

    def __init__(self, keys: Keys, *, again: Callable[[], Keys] | None = None) -> None:
        self._again = again
        self._ciphers = _ciphers(keys)
        if not self._ciphers:
            raise SettingsError(
                "vault_keys_missing",
                "CERTMAIL_VAULT_KEYS is not set: without it no connection can be used.",
                "Make a key with `certmail vault keygen` and set it for every process.",
            )

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The keys' names, the newest first."""
        return tuple(self._now())

    def seal(self, plaintext: bytes, *, owner: str) -> bytes:
        """Encrypt for `owner`, a name such as `acme/0199…` that must be given again to open it."""
        newest, cipher = next(iter(self._now().items()))
        key_id = newest.encode()
        header = bytes([VERSION, len(key_id)]) + key_id
        aad = header + owner.encode()
        key = AESGCM.generate_key(256)
        outer, inner = os.urandom(_NONCE), os.urandom(_NONCE)
        wrapped = cipher.encrypt(outer, key, aad)
        return header + outer + wrapped + inner + AESGCM(key).encrypt(inner, plaintext, aad)

    def open(self, sealed: bytes, *, owner: str, before: str | None = None) -> bytes:
        """Decrypt a value for its owner.

        Raises SealBroken, which names the missing key, or says that value and owner do not belong
        together.

        `before` is the name that the owner had when an older certmail sealed for it.
        """
        try:
            return self._open(sealed, owner)
        except SealBroken as broken:
            if before is None or broken.code != "vault_mismatch":
                raise

            with suppress(SealBroken):
                return self._open(sealed, before)
            raise

    def _open(self, sealed: bytes, owner: str) -> bytes:
        key_id = key_id_of(sealed)
        if key_id is None:
            raise SealBroken(
                "vault_malformed",
                f"The sealed value of {owner} is not in a form that this version can read.",
                "Restore the row from a backup; if a newer certmail wrote it, use that one.",
            )

        cipher = self._ciphers.get(key_id) or self._now().get(key_id)
        if cipher is None:
            raise SealBroken(
                "vault_key_missing",
                f"The sealed value of {owner} needs the vault key {key_id!r}, which is not among CERTMAIL_VAULT_KEYS.",
                "Add that key behind the newest one (without CERTMAIL_VAULT_KEYS: in vault.key of the data directory); "
                "nothing is lost meanwhile.",
            )

        end = 2 + sealed[1]
        header, rest = sealed[:end], sealed[end:]
        aad = header + owner.encode()
        outer, wrapped = rest[:_NONCE], rest[_NONCE : _NONCE + _WRAPPED]
        inner, ciphertext = (
            rest[_NONCE + _WRAPPED : 2 * _NONCE + _WRAPPED],
            rest[2 * _NONCE + _WRAPPED :],
        )

        try:
            return AESGCM(cipher.decrypt(outer, wrapped, aad)).decrypt(inner, ciphertext, aad)
        except InvalidTag:
            raise SealBroken(
                "vault_mismatch",
                f"The sealed value of {owner} does not open: it was altered, belongs to another owner, or the vault key {key_id!r} "
                "is not the one it was sealed with.",
                "Restore the row, or the right key.",
            ) from None

    def renew(self, sealed: bytes, *, owner: str, before: str | None = None) -> bytes:
        """The same value under the newest key; the very same bytes if that is theirs.

        Raises SealBroken.
        """
        plaintext = self.open(sealed, owner=owner, before=before)
        return sealed if key_id_of(sealed) == self.key_ids[0] else self.seal(plaintext, owner=owner)

    def rename(self, sealed: bytes, *, owner: str, before: str) -> bytes:
        """The same value under the newest key and the owner's present name.

        Gives the very same bytes where that is so already. Raises SealBroken.
        """
        try:
            return self.renew(sealed, owner=owner)
        except SealBroken:
            return self.seal(self.open(sealed, owner=owner, before=before), owner=owner)

    def _now(self) -> Mapping[str, AESGCM]:
        if self._again is not None:
            with suppress(SettingsError):
                self._ciphers = _ciphers(self._again())
        return self._ciphers


def key_id_of(sealed: bytes) -> str | None:
    """The vault key that a sealed value names; None if it is not in the form of one."""
    if (
        len(sealed) < 2
        or sealed[0] != VERSION
        or len(sealed) < 2 + sealed[1] + 2 * _NONCE + _WRAPPED + 16
    ):
        return None
    return sealed[2 : 2 + sealed[1]].decode("ascii", "replace")


def _ciphers(keys: Keys) -> dict[str, AESGCM]:
    """By key id, the newest first; of two with one id the first counts."""
    ciphers: dict[str, AESGCM] = {}
    for key_id, key in keys:
        ciphers.setdefault(key_id, AESGCM(key))
    return ciphers
