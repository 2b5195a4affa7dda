"""Key pairs of customer owned applications, and the certificates that administrators upload."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

VALID_DAYS = 365
SOON = timedelta(days=30)
BACKDATE = timedelta(minutes=5)
"""Google enforces notBefore strictly (google.md §4.3), and clocks differ."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key (PKCS#8 PEM, to be sealed at once) and its self-signed certificate (PEM)."""

    private_key: bytes = field(repr=False)  # values end up in logs and tracebacks
    certificate: str
    not_after: datetime


def new_key_pair(now: datetime, *, valid_days: int = VALID_DAYS) -> KeyPair:
    """Make an RSA-2048 key and an X.509 v3 certificate; takes about 50 ms of CPU.

    The subject says nothing about anybody: Google publishes the certificate (google.md §4.3).
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "unused")])
    not_after = (now + timedelta(days=valid_days)).replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )

    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return KeyPair(
        private, certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"), not_after
    )


def ends_soon(certificate: str, not_after: datetime, now: datetime) -> bool:
    """Whether it is time to make the next certificate.

    It is when less than a third of its life is left, and at most 30 days.
    """
    began = x509.load_pem_x509_certificate(certificate.encode()).not_valid_before_utc
    return not_after - now < min(SOON, (not_after - began) / 3)


def find_key_id(published: dict[str, str], certificate: str) -> str | None:
    """The key id under which Google's x509 endpoint lists this certificate's public key, if any."""
    ours = _public_key(certificate)
    for key_id, pem in published.items():
        try:
            if _public_key(pem) == ours:
                return key_id
        except ValueError:
            continue  # another key of the account that cannot be read is not ours
    return None


def _public_key(pem: str) -> bytes:
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
