"""The deployment's signature of tenants' public keys. No I/O.

Producers that were given its public half know a tenant's public key from a forged one.

Whoever can write Redis can put a public key of their own in the place of a tenant's, and read what
is sealed to it from then on. The private half is sealed in SQL under the vault, so that only
certmail's processes sign.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

OWNER: Final = "deployment/signing_key"
_BYTES: Final = 32


def new_signing_key() -> bytes:
    """Make the private half, 32 bytes."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def sign(private: bytes, tenant: str, public_key: bytes) -> bytes:
    """Say that this is the tenant's public key; the same bytes each time."""
    return Ed25519PrivateKey.from_private_bytes(private).sign(_message(tenant, public_key))


@lru_cache(maxsize=20_000)  # a caretaker asks the same of all tenants again and again
def is_signed(public: bytes, tenant: str, public_key: bytes, signature: bytes) -> bool:
    """Whether the deployment with this public half has said so."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _message(tenant, public_key))
    except InvalidSignature:
        return False
    return True


def public_half(private: bytes) -> bytes:
    """What producers are given."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def write_public(public: bytes) -> str:
    """The form of CERTMAIL_DEPLOYMENT_KEY."""
    return base64.b64encode(public).decode()


def parse_public(text: str) -> bytes:
    """Read CERTMAIL_DEPLOYMENT_KEY; raises ValueError."""
    try:
        public = base64.b64decode(text, validate=True)
    except binascii.Error:
        public = b""
    if len(public) != _BYTES:
        message = "must be what `certmail keys deployment` prints: 32 bytes in Base64"
        raise ValueError(message)
    return public


def _message(tenant: str, public_key: bytes) -> bytes:
    return b"certmail tenant public key\0" + tenant.encode() + b"\0" + public_key
