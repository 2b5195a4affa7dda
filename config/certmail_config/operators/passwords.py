"""Passwords of operators: as hashes that cost memory (Argon2id), and ones that are made up.

The cost is what OWASP asks for at least (Password Storage Cheat Sheet, 2025). A hash says itself
with which cost it was made, so one of another cost still fits, and is made anew when its password
is seen next.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cache
from typing import Final

from certmail_config.base.errors import WrongUse
from certmail_config.settings.section import MIN_PASSWORD

MEMORY_KIB: Final = 19_456
ITERATIONS: Final = 2
LANES: Final = 1
MAX_PASSWORD: Final = 1024
"""Characters; nobody types more, and hashing more would cost us."""
_SALT_BYTES: Final = 16
_LENGTH: Final = 32
_FORM: Final = f"$argon2id$v=19$m={MEMORY_KIB},t={ITERATIONS},p={LANES}$"


def check_password(password: str) -> str:
    """The same password; raises WrongUse for one that is too short, too long, or unprintable."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD or not password.isprintable():
        message = f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} printable characters."
        raise WrongUse("invalid_password", message, "Choose another, or have one made up.")
    return password


def new_password() -> str:
    """A password that nobody has chosen: 120 random bits."""
    return secrets.token_urlsafe(15)


def hash_password(
    password: str, random: Callable[[int], bytes] = secrets.token_bytes, *, iterations: int = 0
) -> str:
    """The hash of a password, in PHC form. Takes some 20 MB for some 50 ms."""
    # Half a dozen commands know of passwords, and none but those that hash needs it.
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415

    made = Argon2id(
        salt=random(_SALT_BYTES),
        length=_LENGTH,
        iterations=iterations or ITERATIONS,
        lanes=LANES,
        memory_cost=MEMORY_KIB,
    )
    return made.derive_phc_encoded(password.encode())


def fits(password: str, hashed: str | None) -> bool:
    """Whether it is this password; without a hash never, and for the same time. Costs as hashing."""
    from cryptography.exceptions import InvalidKey  # noqa: PLC0415 - see hash_password
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415

    try:
        Argon2id.verify_phc_encoded(password.encode(), hashed or _nobodys())
    except InvalidKey:
        return False
    return hashed is not None


def is_of_todays_cost(hashed: str) -> bool:
    """Whether a hash was made as hashes are made now."""
    return hashed.startswith(_FORM)


@cache
def _nobodys() -> str:
    """What the password of nobody is compared with; it is thrown away."""
    return hash_password(new_password())
