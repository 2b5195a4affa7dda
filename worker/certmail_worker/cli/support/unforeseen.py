"""What nobody raised on purpose, as one sentence with what to do.

Pure, but for what has been imported by then.
"""

from __future__ import annotations

import errno
import sys
from typing import Final

from certmail_config.base.errors import CertmailError, Refused, StoresUnreachable, WrongUse
from certmail_config.base.redaction import quote

DEBUG: Final = "CERTMAIL_DEBUG"
_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def explain(error: Exception) -> CertmailError:
    """Whatever was raised, as what certmail raises."""
    if isinstance(error, CertmailError):
        return error
    if isinstance(error, _of("redis.exceptions", "RedisError")):
        # redis has been imported by then.
        from certmail_config.base.redis_errors import refused  # noqa: PLC0415

        if known := refused(error):
            return known
        message = f"Redis does not answer: {_words(error)}"
        return StoresUnreachable(
            "redis_unreachable", message, "Start it, or check CERTMAIL_REDIS_URL."
        )
    if isinstance(error, _of("kombu.exceptions", "OperationalError")):
        message = f"The queue in Redis does not answer: {_words(error)}"
        return StoresUnreachable(
            "redis_unreachable", message, "Start it, or check CERTMAIL_REDIS_URL."
        )
    if isinstance(error, _of("sqlalchemy.exc", "SQLAlchemyError")):
        message = f"The database cannot be used: {_words(getattr(error, 'orig', None) or error)}"
        return StoresUnreachable(
            "database_unreachable",
            message,
            "Check CERTMAIL_DATABASE_URL and the server, and run `certmail doctor`.",
        )
    if isinstance(error, ModuleNotFoundError):
        message = f"This needs {error.name}, which is not installed."
        return Refused(
            "not_installed", message, "Install certmail with the extras worker and sandbox."
        )
    if isinstance(error, MemoryError):
        return Refused(
            "no_memory", "There is not enough memory for this.", "Free some, or do less at once."
        )
    if isinstance(error, OSError):
        return _of_the_system(error)
    return Refused(
        "unexpected",
        f"Something went wrong that certmail did not foresee: {_words(error)}",
        f"With {DEBUG}=1 in the environment the same command says where; please report that.",
    )


def status_of(error: CertmailError) -> int:
    """The exit status that goes with it."""
    if isinstance(error, StoresUnreachable):
        return 3
    return 2 if isinstance(error, WrongUse) else 1


def _of_the_system(error: OSError) -> Refused:
    what = error.strerror or type(error).__name__
    where = f"{error.filename}: " if error.filename is not None else ""
    if error.errno in _NO_ROOM:
        message = f"{where or 'The output, or a file, '}could not be written: {what}."
        return Refused("no_room", message, "Make room on the disk, and run the command again.")
    if error.filename is not None:
        remedy = "See that it is there, and that this user may use it."
        return Refused("file_unusable", f"{where}{what}.", remedy)
    remedy = f"With {DEBUG}=1 in the environment the same command says where."
    return Refused("refused_by_the_system", f"The system refused something: {what}.", remedy)


def _of(module: str, name: str) -> type[BaseException]:
    """A class of a library, if that has been imported; else one that nothing is."""
    found: type[BaseException] = getattr(sys.modules.get(module), name, _Nothing)
    return found


class _Nothing(BaseException):
    """Never raised."""


def _words(error: BaseException) -> str:
    """An error's kind, and the beginning of what it says.

    Without what it may quote of secrets and addresses.
    """
    text = quote(str(error), 200)
    return f"{type(error).__name__}: {text}" if text else f"{type(error).__name__}."
