"""The `openssl` command line, as a judge of certificates and signatures.

It shares nothing with the libraries that certmail and the sandbox use.
"""

from __future__ import annotations

import subprocess
from pathlib import Path


def openssl(*arguments: str | Path, given: str | bytes = b"") -> str:
    """Run it with something on stdin; gives what it says, and fails if it fails."""
    data = given.encode() if isinstance(given, str) else given
    done = subprocess.run(
        ["openssl", *arguments], input=data, capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def public_key(certificate: str) -> str:
    """The public key in a certificate, as PEM."""
    return openssl("x509", "-noout", "-pubkey", given=certificate)
