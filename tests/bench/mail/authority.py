"""A certificate authority made for one run, and the endpoint's certificate."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

GMAIL_HOST = "127.0.0.1"
TOKEN_HOST = "127.0.0.2"
"""Google has one host for tokens and one for mail; who opens connections anew has to open both."""


def make(folder: Path) -> tuple[Path, Path]:
    """Write `ca.pem` and `endpoint.pem` (key and certificate, ECDSA P-256); gives both paths."""
    now = datetime.now(UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "certmail bench")])
    builder = (
        x509.CertificateBuilder()
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
    )
    ca = (
        builder.subject_name(ca_name)
        .issuer_name(ca_name)
        .public_key(ca_key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, SHA256())
    )

    hosts = [x509.IPAddress(ipaddress.ip_address(host)) for host in (GMAIL_HOST, TOKEN_HOST)]
    certificate = (
        builder.subject_name(x509.Name([]))
        .issuer_name(ca_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectAlternativeName(hosts), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, SHA256())
    )

    ca_file, endpoint_file = folder / "ca.pem", folder / "endpoint.pem"
    ca_file.write_bytes(ca.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    endpoint_file.write_bytes(private + certificate.public_bytes(Encoding.PEM))

    return ca_file, endpoint_file
