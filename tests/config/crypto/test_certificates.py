"""The key pair of a customer owned application: what Google accepts, and nothing about anybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from certmail_config.crypto.certificates import KeyPair, ends_soon, find_key_id, new_key_pair

NOW = datetime(2026, 11, 23, 12, 0, 30, 123456, tzinfo=UTC)


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    return new_key_pair(NOW)


@pytest.fixture(scope="module")
def other() -> KeyPair:
    return new_key_pair(NOW, valid_days=30)


@pytest.fixture(scope="module")
def certificate(pair: KeyPair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate.encode())


@pytest.fixture(scope="module")
def private_key(pair: KeyPair) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(pair.private_key, password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def test_it_is_an_x509_certificate_of_version_three_in_pem(
    pair: KeyPair, certificate: x509.Certificate
) -> None:
    assert certificate.version is x509.Version.v3
    assert pair.certificate.startswith("-----BEGIN CERTIFICATE-----\n")
    assert pair.certificate.endswith("-----END CERTIFICATE-----\n")
    assert pair.certificate.count("BEGIN") == 1
    assert "PRIVATE" not in pair.certificate


def test_the_key_is_rsa_of_2048_bits_and_signs_with_sha256(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert (key.key_size, key.public_numbers().e) == (2048, 65537)
    assert certificate.signature_algorithm_oid == SignatureAlgorithmOID.RSA_WITH_SHA256


def test_the_certificate_is_of_the_private_key_and_signed_by_it(
    certificate: x509.Certificate, private_key: rsa.RSAPrivateKey
) -> None:
    assert certificate.public_key() == private_key.public_key()
    certificate.verify_directly_issued_by(certificate)


def test_what_the_private_key_signs_the_certificate_verifies(
    certificate: x509.Certificate, private_key: rsa.RSAPrivateKey
) -> None:
    signature = private_key.sign(b"assertion", padding.PKCS1v15(), hashes.SHA256())
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature, b"assertion", padding.PKCS1v15(), hashes.SHA256())


def test_the_private_key_is_pkcs8(pair: KeyPair) -> None:
    assert pair.private_key.startswith(b"-----BEGIN PRIVATE KEY-----\n")


def test_its_subject_is_about_nobody_since_google_publishes_it(
    certificate: x509.Certificate,
) -> None:
    assert [(attribute.oid, attribute.value) for attribute in certificate.subject] == [
        (NameOID.COMMON_NAME, "unused")
    ]
    assert certificate.issuer == certificate.subject
    assert [extension.value for extension in certificate.extensions] == [
        x509.BasicConstraints(ca=False, path_length=None)
    ]


def test_it_is_valid_five_minutes_before_now_since_clocks_differ(
    certificate: x509.Certificate,
) -> None:
    assert certificate.not_valid_before_utc == NOW.replace(microsecond=0) - timedelta(minutes=5)


def test_it_is_valid_for_a_year_or_as_long_as_asked(pair: KeyPair, other: KeyPair) -> None:
    for made, days in ((pair, 365), (other, 30)):
        end = x509.load_pem_x509_certificate(made.certificate.encode()).not_valid_after_utc
        assert made.not_after == end == NOW.replace(microsecond=0) + timedelta(days=days)


def test_a_time_of_another_zone_is_the_same_time() -> None:
    made = new_key_pair(NOW.astimezone(timezone(timedelta(hours=9))))
    certificate = x509.load_pem_x509_certificate(made.certificate.encode())
    assert certificate.not_valid_before_utc == NOW.replace(microsecond=0) - timedelta(minutes=5)
    assert certificate.not_valid_after_utc == made.not_after


def test_every_pair_is_another(pair: KeyPair, other: KeyPair) -> None:
    one, two = (x509.load_pem_x509_certificate(made.certificate.encode()) for made in (pair, other))
    assert one.serial_number != two.serial_number
    assert one.public_key() != two.public_key()


def elliptic() -> str:
    """A certificate that Google may list but never made from ours."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "system")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
        .decode()
    )


class TestFindingTheKeyId:
    def test_our_certificate_is_found_among_the_accounts_others(
        self, pair: KeyPair, other: KeyPair
    ) -> None:
        published = {"a1": other.certificate, "b2": elliptic(), "c3": pair.certificate}
        assert find_key_id(published, pair.certificate) == "c3"

    def test_it_is_the_key_that_counts_and_not_how_the_pem_is_written(self, pair: KeyPair) -> None:
        published = {"c3": "made for Google\r\n" + pair.certificate.replace("\n", "\r\n")}
        assert find_key_id(published, pair.certificate) == "c3"

    def test_a_certificate_that_was_not_uploaded_is_not_found(
        self, pair: KeyPair, other: KeyPair
    ) -> None:
        assert find_key_id({"a1": other.certificate}, pair.certificate) is None
        assert find_key_id({}, pair.certificate) is None

    def test_what_cannot_be_read_is_passed_over(self, pair: KeyPair) -> None:
        published = {
            "x": "",
            "y": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "z": pair.certificate,
        }
        assert find_key_id(published, pair.certificate) == "z"


@pytest.mark.parametrize(
    ("valid_days", "left", "soon"),
    [(365, 31, False), (365, 29, True), (30, 29, False), (30, 9, True), (1, 1, False)],
)
def test_the_next_is_due_when_a_third_is_left_and_at_most_30_days(
    valid_days: int, left: int, soon: bool
) -> None:
    made = new_key_pair(NOW, valid_days=valid_days)
    assert (
        ends_soon(made.certificate, made.not_after, made.not_after - timedelta(days=left)) is soon
    )
