"""What a service account accepts as its public key (google.md §4.3).

That is an RSA key in an X.509 v3 certificate, in PEM.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from certmail_sandbox.accounts.spreading import Spreading

MIN_BITS = 1024
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----\s.*?\s-----END CERTIFICATE-----", re.DOTALL)


class BadCertificate(ValueError):
    """The upload is refused; the text says why."""


@dataclass(frozen=True, slots=True)
class UploadedKey:
    """A certificate on a service account, under the id that Google made up for it.

    Attributes:
        kid: 40 hex digits.
        pem: The very certificate uploaded.
        valid_after: Seconds since the epoch; before it the key does not authenticate.
        valid_before: Seconds since the epoch; after it the key stays listed, but does not
            authenticate.
        settling: How long it is listed without being accepted.
        disabled: Listed, and not accepted until it is enabled again.
        accepted_from: When all of Google knows it; until then it is listed without being accepted.
        uploaded_at: Seconds since the epoch.
    """

    kid: str
    pem: str
    public_key: RSAPublicKey
    valid_after: float
    valid_before: float
    settling: Spreading = field(default_factory=Spreading)
    disabled: bool = False
    accepted_from: float = 0.0
    uploaded_at: float = 0.0

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the certificate, and read the key from it again: a key itself cannot be kept."""
        others = {
            name: getattr(self, name)
            for name in self.__slots__
            if name not in {"public_key", "pem"}
        }
        return _reread, (self.pem, others)

    def authenticates(self, now: float) -> bool:
        """Whether a signature by this key counts now.

        It does while the key is enabled, known everywhere, and between `notBefore` and `notAfter`
        of its certificate (google.md §4.3).
        """
        known = not self.disabled and self.accepted_from <= now
        return known and self.valid_after <= now <= self.valid_before


def _reread(pem: str, others: Mapping[str, Any]) -> UploadedKey:
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    assert isinstance(key, RSAPublicKey), "it was when it was uploaded"
    return UploadedKey(pem=pem, public_key=key, **others)


def read(upload: bytes, now: float) -> UploadedKey:
    """Check an upload and give it a new id.

    Raises BadCertificate if Google would refuse it.
    """
    if b"PRIVATE KEY" in upload:
        raise BadCertificate(
            "This is a private key. Keep it secret, and upload the certificate instead."
        )

    blocks = _BLOCK.findall(upload)
    if len(blocks) != 1:
        raise BadCertificate(
            "Upload exactly one certificate in PEM form, with its BEGIN CERTIFICATE and END CERTIFICATE lines;"
            f" there are {len(blocks)} in this file."
        )

    try:
        certificate = x509.load_pem_x509_certificate(blocks[0])
        key = certificate.public_key()
    except ValueError:
        raise BadCertificate(
            "The certificate cannot be read: it is damaged or not an X.509 certificate."
        ) from None

    if certificate.version is not x509.Version.v3:
        raise BadCertificate("The certificate is not of X.509 version 3.")
    if not isinstance(key, RSAPublicKey):
        raise BadCertificate("The certificate holds no RSA key; service accounts accept RSA only.")
    if key.key_size < MIN_BITS:
        raise BadCertificate(
            f"The RSA key has {key.key_size} bits; at least {MIN_BITS} are needed, 2048 are usual."
        )
    if certificate.not_valid_after_utc < datetime.fromtimestamp(now, UTC):
        raise BadCertificate(
            f"The certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}."
        )

    return UploadedKey(
        kid=secrets.token_hex(20),
        pem=certificate.public_bytes(Encoding.PEM).decode(),
        public_key=key,
        valid_after=certificate.not_valid_before_utc.timestamp(),
        valid_before=certificate.not_valid_after_utc.timestamp(),
        uploaded_at=now,
    )
