"""What a refusal of Redis's means, in words, and which right of certmail's user would mend it."""

from __future__ import annotations

import re
from typing import Final

from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError

from certmail_config.base import redis_keys
from certmail_config.base.errors import StoresUnreachable

_CHANNELS: Final = ("celery.pidbox", "celeryev/*")
_SAYS: Final = "`certmail redis acl` prints all of them (docs/redis-user.md)."
_CERTIFICATE_WANTED: Final = (
    "CERTIFICATE REQUIRED",
    "ALERT UNKNOWN CA",
    "ALERT BAD CERTIFICATE",
    "HANDSHAKE FAILURE",
)
"""In OpenSSL's words for what a server says that does not want a client without a certificate."""
_IN_A_SCRIPT: Final = "ACL failure in script"
_COMMAND: Final = re.compile(r"run the '([^']+)' command")
_USER: Final = re.compile(r"User (\S+) has")


def channels(database: int) -> tuple[str, ...]:
    """The patterns of channels that Celery subscribes to in a database.

    Rights to channels must name these patterns word for word.
    """
    return tuple(f"{redis_keys.CELERY_PREFIX}/{database}.{name}" for name in _CHANNELS)


def refused(
    error: Exception, *, where: str = "Redis", database: int = 0, user: str = "certmail"
) -> StoresUnreachable | None:
    """The sentence for a Redis that answers and refuses; None where it does not answer.

    `user` is whom we asked as, where its answer does not say so.
    """
    if isinstance(error, NoPermissionError) or _IN_A_SCRIPT in str(error):
        return _forbidden(str(error), where, database, user)
    if isinstance(error, AuthenticationError | AuthorizationError):
        return StoresUnreachable(
            "redis_auth", f"{where} does not let certmail in: {error}", "Check CERTMAIL_REDIS_URL."
        )
    return _not_trusted(str(error), where)


def _forbidden(words: str, where: str, database: int, user: str) -> StoresUnreachable:
    """From NOPERM, which servers word in many ways, to the rule that is missing."""
    found = _USER.search(words)
    user = found[1] if found else user
    command = _COMMAND.search(words)
    if command:
        what, rule = f"the command {command[1].upper().replace('|', ' ')}", f"+{command[1]}"
    elif "channel" in words:
        what = "Celery's channels"
        rule = " ".join(f"'&{each}'" for each in channels(database))
    else:
        what, rule = "keys that are certmail's", f"'~{redis_keys.TAG}:*'"

    return StoresUnreachable(
        "redis_no_permission",
        f"{where} lets the user {user} in, but not to {what}.",
        f"ACL SETUSER {user} {rule}, and the same in the server's ACL file; {_SAYS}",
    )


def _not_trusted(words: str, where: str) -> StoresUnreachable | None:
    if "certificate verify failed" in words:
        remedy = "Name its certificate authority in CERTMAIL_REDIS_URL (ssl_ca_certs=/path/to/ca.pem), and its host as the certificate does."
        return StoresUnreachable(
            "redis_tls",
            f"The certificate that {where} shows is not trusted: {_reason(words)}.",
            remedy,
        )

    if any(alert in words.upper() for alert in _CERTIFICATE_WANTED):
        return StoresUnreachable(
            "redis_tls",
            f"{where} wants to see a certificate of certmail's, and trusts none that it was shown.",
            "Name one in CERTMAIL_REDIS_URL, with its key (ssl_certfile=/path/to/it.pem&ssl_keyfile=/path/to/it.key).",
        )

    if "WRONG_VERSION_NUMBER" in words or "record layer failure" in words:
        return StoresUnreachable(
            "redis_tls",
            f"{where} does not speak TLS there.",
            "Write redis:// in CERTMAIL_REDIS_URL, or its TLS port.",
        )

    return None


def _reason(words: str) -> str:
    """OpenSSL's reason, without its place in a source file."""
    return (
        words.partition("certificate verify failed: ")[2].partition(" (_ssl")[0].strip(" .")
        or "verification failed"
    )
