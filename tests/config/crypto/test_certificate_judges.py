"""The certificate, judged by `openssl` and by the upload of the sandbox.

The sandbox asks for what Google asks for (google.md §4.3).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certmail_config.crypto.certificates import KeyPair, new_key_pair
from certmail_sandbox.accounts import certificates
from support.processes.openssl import openssl, public_key

NOW = datetime.now(UTC).replace(microsecond=0)
DAYS = 90


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    return new_key_pair(NOW, valid_days=DAYS)


@pytest.fixture(scope="module")
def text(pair: KeyPair) -> str:
    return openssl("x509", "-noout", "-text", given=pair.certificate)


def field(text: str, name: str) -> str:
    [found] = re.findall(rf"^ *{name}: *(.+)$", text, re.MULTILINE)
    return str(found)


def when(said: str) -> datetime:
    return datetime.strptime(said, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)


def test_it_is_version_three_of_rsa_2048_signed_with_sha256(text: str) -> None:
    assert field(text, "Version") == "3 (0x2)"
    assert field(text, "Public Key Algorithm") == "rsaEncryption"
    assert re.search(r"Public-Key: \(2048 bit\)", text)
    assert field(text, "Exponent") == "65537 (0x10001)"
    assert set(re.findall(r"Signature Algorithm: (\S+)", text)) == {"sha256WithRSAEncryption"}


def test_it_is_about_nobody_and_its_own_issuer(text: str) -> None:
    assert re.sub(r"\s", "", field(text, "Subject")) == "CN=unused"
    assert field(text, "Issuer") == field(text, "Subject")


def test_it_has_no_extension_but_that_it_is_no_authority(text: str) -> None:
    _, _, extensions = text.partition("X509v3 extensions:")
    assert re.findall(r"X509v3 [^:]+: *(?:critical)?", extensions) == [
        "X509v3 Basic Constraints: critical"
    ]
    assert extensions.count("CA:FALSE") == 1


def test_it_begins_five_minutes_ago_and_ends_as_asked(text: str) -> None:
    assert when(field(text, "Not Before")) == NOW - timedelta(minutes=5)
    assert when(field(text, "Not After ?")) == NOW + timedelta(days=DAYS)


def test_openssl_finds_it_signed_by_its_own_key(tmp_path: Path, pair: KeyPair) -> None:
    file = tmp_path / "certificate.pem"
    file.write_text(pair.certificate)
    assert openssl("verify", "-check_ss_sig", "-CAfile", file, file) == f"{file}: OK\n"


def test_its_public_key_is_that_of_the_private_key(pair: KeyPair) -> None:
    assert openssl("pkey", "-pubout", given=pair.private_key) == public_key(pair.certificate)


def test_it_is_one_pem_block_with_its_two_lines_and_nothing_else(pair: KeyPair) -> None:
    lines = pair.certificate.splitlines()
    assert (lines[0], lines[-1]) == ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
    assert all(re.fullmatch(r"[A-Za-z0-9+/=]{1,64}", line) for line in lines[1:-1])
    assert openssl("x509", given=pair.certificate) == pair.certificate


def test_the_sandboxs_upload_takes_it_and_it_authenticates_until_its_end(pair: KeyPair) -> None:
    uploaded = certificates.read(pair.certificate.encode(), NOW.timestamp())
    assert uploaded.pem == pair.certificate
    start, end = NOW - timedelta(minutes=5), NOW + timedelta(days=DAYS)
    assert (uploaded.valid_after, uploaded.valid_before) == (start.timestamp(), end.timestamp())
    assert uploaded.authenticates(NOW.timestamp() - 240)  # Google's clock may be behind ours
    assert not uploaded.authenticates(end.timestamp() + 1)


def test_the_upload_refuses_the_other_half_and_what_has_expired(pair: KeyPair) -> None:
    with pytest.raises(certificates.BadCertificate, match="private key"):
        certificates.read(pair.private_key, NOW.timestamp())
    old = new_key_pair(NOW - timedelta(days=60), valid_days=30)
    with pytest.raises(certificates.BadCertificate, match="expired"):
        certificates.read(old.certificate.encode(), NOW.timestamp())
