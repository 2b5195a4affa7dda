"""Whether a tenant's public key, as Redis has it, is the tenant's.

Each gives a `Pin`, which a Mailer asks before it seals.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping

from certmail_config.base.errors import SealBroken
from certmail_config.crypto.sealing import public_of
from certmail_config.crypto.signing import is_signed
from certmail_config.crypto.vault import Vault
from certmail_config.tenants.sealed_fields import open_from

Pin = Callable[[str, Mapping[bytes, bytes]], bool]
"""Asked with a tenant's id and its hash in Redis."""


def signed_by(deployment: bytes) -> Pin:
    """For producers: the key has the signature of the deployment with this public half."""

    def pin(tenant: str, fields: Mapping[bytes, bytes]) -> bool:
        return is_signed(
            deployment, tenant, _bytes(fields, b"public_key"), _bytes(fields, b"signature")
        )

    return pin


def opened_by(vault: Vault) -> Pin:
    """The pin of a process that has the vault.

    The private half beside a public key, which only certmail can have sealed, must belong to it.
    """

    def pin(tenant: str, fields: Mapping[bytes, bytes]) -> bool:
        try:
            private = open_from(vault, _bytes(fields, b"private_key"), tenant, "private_key")
        except SealBroken:
            return False
        return public_of(private) == _bytes(fields, b"public_key")

    return pin


def _bytes(fields: Mapping[bytes, bytes], name: bytes) -> bytes:
    try:
        return base64.b64decode(fields.get(name, b""))
    except binascii.Error:
        return b""
