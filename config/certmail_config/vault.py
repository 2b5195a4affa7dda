"""The vault: private keys, refresh tokens and access tokens, encrypted under keys that no store holds.

An envelope: each value has a data key of its own, which is wrapped by a vault key; the header names the vault key, so
that several may be in use while they are rotated. Both layers name the owner (tenant and connection) as associated
data, so that a row copied to another owner does not open.

    1 byte version · 1 byte n · n bytes key id · 12 bytes nonce · 48 bytes wrapped data key · 12 bytes nonce · ciphertext
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from certmail_config.errors import SealBroken, SettingsError

VERSION = 1
_NONCE = 12
_WRAPPED = 48


class Vault:
    """Seals with the newest key, opens with any of them. Holds key material: never logged, no repr."""

    def __init__(self, keys: Iterable[tuple[str, bytes]]) -> None:
        self._ciphers: dict[str, AESGCM] = {}
        for key_id, key in keys:
            self._ciphers.setdefault(key_id, AESGCM(key))
        if not self._ciphers:
            raise SettingsError(
                "vault_keys_missing",
                "CERTMAIL_VAULT_KEYS is not set: without it no connection can be used.",
                "Make a key with `certmail vault keygen` and set it for every process.",
            )
        self._newest = next(iter(self._ciphers))

    def seal(self, plaintext: bytes, *, owner: str) -> bytes:
        """Encrypt for `owner`, a name such as `acme/0199…` that must be given again to open it."""
        key_id = self._newest.encode()
        header = bytes([VERSION, len(key_id)]) + key_id
        aad = header + owner.encode()
        key = AESGCM.generate_key(256)
        outer, inner = os.urandom(_NONCE), os.urandom(_NONCE)
        wrapped = self._ciphers[self._newest].encrypt(outer, key, aad)
        return header + outer + wrapped + inner + AESGCM(key).encrypt(inner, plaintext, aad)

    def open(self, sealed: bytes, *, owner: str) -> bytes:
        """Decrypt; raises SealBroken naming the missing key, or saying that value and owner do not belong together."""
        if (
            len(sealed) < 2
            or sealed[0] != VERSION
            or len(sealed) < 2 + sealed[1] + 2 * _NONCE + _WRAPPED + 16
        ):
            raise SealBroken(
                "vault_malformed", f"The sealed value of {owner} is not in a form that this version can read."
            )
        end = 2 + sealed[1]
        header, rest = sealed[:end], sealed[end:]
        key_id = header[2:].decode("ascii", "replace")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SealBroken(
                "vault_key_missing",
                f"The sealed value of {owner} needs the vault key {key_id!r}, which is not among CERTMAIL_VAULT_KEYS.",
                "Add that key behind the newest one; nothing is lost meanwhile.",
            )
        aad = header + owner.encode()
        outer, wrapped = rest[:_NONCE], rest[_NONCE : _NONCE + _WRAPPED]
        inner, ciphertext = rest[_NONCE + _WRAPPED : 2 * _NONCE + _WRAPPED], rest[2 * _NONCE + _WRAPPED :]
        try:
            return AESGCM(cipher.decrypt(outer, wrapped, aad)).decrypt(inner, ciphertext, aad)
        except InvalidTag:
            raise SealBroken(
                "vault_mismatch",
                f"The sealed value of {owner} does not open: it was altered, belongs to another owner, or the vault key {key_id!r} "
                "is not the one it was sealed with.",
                "Restore the row, or the right key.",
            ) from None
