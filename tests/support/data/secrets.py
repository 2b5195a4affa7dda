"""The forms in which a secret could be found where it must not be."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def chunks(secret: bytes) -> set[bytes]:
    """The forms in which a secret could be found.

    Raw, in base64 at each of its three alignments, in hex, in URL form.
    """
    found = {secret, secret.hex().encode()}
    for shift in range(3):
        text = base64.b64encode(secret[shift : shift + 60])[4:-4]
        found |= {text, text.replace(b"+", b"-").replace(b"/", b"_")}
    return {item for item in found if len(item) >= 8}


def key_forms(pem: bytes) -> set[bytes]:
    """The forms in which a private key in PEM could be found.

    Its lines, parts of PEM and DER, and each of its secret numbers.
    """
    lines = pem.splitlines()
    found = {line for line in lines if len(line) > 40}
    found |= chunks(pem[400:460]) | chunks(base64.b64decode(b"".join(lines[1:-1]))[400:460])
    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, RSAPrivateKey)
    numbers = key.private_numbers()

    for number in (numbers.d, numbers.p, numbers.q):
        octets = number.to_bytes((number.bit_length() + 7) // 8)
        # Its middle: a form that shows a part only, or pads it, is found as well.
        found |= {
            str(number)[40:90].encode(),
            octets.hex()[20:60].encode(),
            octets.hex()[20:60].upper().encode(),
        }
        found |= chunks(octets[24:84])

    return found
