"""Sealed payloads: a tenant's public key is enough to write one, its private half reads it.

A producer makes one data key per tenant and hour, seals it to the tenant's X25519 key (92 bytes),
and puts the sealed key into every payload, so that no payload depends on anything that could expire
before it. Layout of a payload:

    1 byte version · 92 bytes sealed data key · 12 bytes nonce · AES-256-GCM ciphertext
    sealed data key = 32 bytes ephemeral public key · 12 bytes nonce · 48 bytes ciphertext
"""

from __future__ import annotations

import os
from collections import OrderedDict

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from certmail_config.base.errors import SealBroken

VERSION = b"\x01"
SEALED_KEY_BYTES = 92
_NONCE = 12


def new_pair() -> tuple[bytes, bytes]:
    """Make a tenant's pair: (private half, public half), 32 bytes each."""
    private = X25519PrivateKey.generate()
    return private.private_bytes_raw(), private.public_key().public_bytes_raw()


def public_of(private: bytes) -> bytes:
    """The public half that belongs to a private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


class Sealer:
    """Writes payloads for one tenant; keeps one data key per hour."""

    def __init__(self, public_key: bytes) -> None:
        self._public_key = X25519PublicKey.from_public_bytes(public_key)
        self._hour = -1
        self._cipher = AESGCM(bytes(32))
        self._sealed_key = b""

    def seal(self, plaintext: bytes, *, tenant: str, job: str, now: float) -> bytes:
        """Encrypt for this tenant and this job; `now` in seconds decides which data key is used."""
        hour = int(now // 3600)
        if hour != self._hour:
            key = AESGCM.generate_key(256)
            self._cipher, self._sealed_key, self._hour = AESGCM(key), self._seal_key(key), hour

        nonce = os.urandom(_NONCE)
        return (
            VERSION
            + self._sealed_key
            + nonce
            + self._cipher.encrypt(nonce, plaintext, _owner(tenant, job))
        )

    def _seal_key(self, key: bytes) -> bytes:
        ephemeral = X25519PrivateKey.generate()
        public = ephemeral.public_key().public_bytes_raw()
        shared = _derive(
            ephemeral.exchange(self._public_key), public, self._public_key.public_bytes_raw()
        )
        nonce = os.urandom(_NONCE)
        return public + nonce + AESGCM(shared).encrypt(nonce, key, b"certmail data key")


class Opener:
    """Reads one tenant's payloads; remembers the data keys of the last hours."""

    def __init__(self, private_key: bytes, *, remember: int = 48) -> None:
        self._private_key = X25519PrivateKey.from_private_bytes(private_key)
        self._ciphers: OrderedDict[bytes, AESGCM] = OrderedDict()
        self._remember = remember

    def open(self, payload: bytes, *, tenant: str, job: str) -> bytes:
        """Decrypt; raises SealBroken if it was altered or belongs to another tenant or job."""
        start = 1 + SEALED_KEY_BYTES
        if payload[:1] != VERSION or len(payload) < start + _NONCE + 16:
            raise SealBroken(
                "payload_malformed",
                "The stored reminder is not in a form that this version can read.",
            )

        try:
            cipher = self._cipher(payload[1:start])
            return cipher.decrypt(
                payload[start : start + _NONCE], payload[start + _NONCE :], _owner(tenant, job)
            )
        except (InvalidTag, ValueError):  # the latter for a public key that agrees on nothing
            message = "The stored reminder was altered, or was sealed for another tenant or job."
            raise SealBroken("payload_altered", message) from None

    def _cipher(self, sealed: bytes) -> AESGCM:
        cipher = self._ciphers.get(sealed)
        if cipher is None:
            public, nonce, boxed = sealed[:32], sealed[32:44], sealed[44:]
            own = self._private_key.public_key().public_bytes_raw()
            shared = _derive(
                self._private_key.exchange(X25519PublicKey.from_public_bytes(public)), public, own
            )
            cipher = AESGCM(AESGCM(shared).decrypt(nonce, boxed, b"certmail data key"))
            self._ciphers[sealed] = cipher
            if len(self._ciphers) > self._remember:
                self._ciphers.popitem(last=False)

        return cipher


def _owner(tenant: str, job: str) -> bytes:
    return f"{tenant}|{job}".encode()


def _derive(shared: bytes, ephemeral: bytes, recipient: bytes) -> bytes:
    # Both public keys go into the derivation, so that a sealed key is bound to its recipient (as in
    # HPKE).
    return HKDF(
        algorithm=SHA256(), length=32, salt=None, info=b"certmail seal 1" + ephemeral + recipient
    ).derive(shared)
