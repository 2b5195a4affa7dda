"""How settings are written: each function reads one form, or says what is wrong with it.

Pure, and never repeats a value: it may be secret.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from certmail_config.settings.sentinel_urls import is_sentinel, split_sentinel_url

ELSEWHERE: Final = frozenset({"API_KEY", "DEBUG"})
"""Names with our prefix that are no settings of a process.

Clients of the HTTP API keep their key in one (`/docs`); the other shows a command's traceback.
"""
ALIKE: Final = 0.8
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - compared, not bound
_ESCAPED: Final = "/ ? # @ % in a password are written %2F %3F %23 %40 %25"
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_YES_OR_NO: Final = frozenset({"true", "false", "yes", "no", "1", "0", "on", "off"})


class FormError(ValueError):
    """What is wrong with a value, as a clause that follows the setting's name."""


def host_and_port(text: str) -> tuple[str, int]:
    """Read HOST:PORT; an IPv6 address stands in brackets. Raises FormError."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    if not colon or not (_is_ipv6(bare) if bracketed else _HOST_NAME.fullmatch(host)):
        message = "must be HOST:PORT, as in 127.0.0.1:8080 or [::1]:8080 (0.0.0.0:8080 answers on every network)"
        raise FormError(message)
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        message = "must end with a port from 0 to 65535, as in 127.0.0.1:8080"
        raise FormError(message)

    return bare, int(port)


def here(listen: str) -> str:
    """HOST:PORT as a client on this machine writes it, also where every network is listened on."""
    host, _, port = listen.rpartition(":")
    shown = _EVERYWHERE.get(host, host)
    return f"{shown}:{port}"


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def web_address(text: str) -> SplitResult:
    """Read the address of a server of Google's, or of one in its place; raises FormError."""
    if not text.startswith(("https://", "http://")):
        message = "must start with https:// (or http:// for a sandbox)"
        raise FormError(message)

    parts = _split(text)
    if (
        not parts.hostname
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
        or re.search(r"\s", text)
    ):
        message = "must be https://, a host and a path, without user, query or blanks"
        raise FormError(message)

    return parts


def whole_origin(text: str) -> str:
    """Read the address of a whole host, as browsers reach it; gives it without a slash at the end.

    Raises FormError.
    """
    if web_address(text).path not in {"", "/"}:
        message = (
            "must be an address without a path, as in https://certmail.example.com: the console's cookies and links are for a host "
            "of its own"
        )
        raise FormError(message)

    return text.rstrip("/")


def proxy_address(text: str) -> str:
    """Read the address of a proxy, with user and password if need be; raises FormError."""
    parts = _split(text, _ESCAPED)
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", text):
        message = "must be http://host:port or https://host:port, with user:password@ before the host if the proxy asks for them"
        raise FormError(message)
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        message = f"must end with the port; {_ESCAPED}"
        raise FormError(message)

    credentials = f"{unquote(parts.username or '')}{unquote(parts.password or '')}"
    if not credentials.isascii() or (credentials and not credentials.isprintable()):
        message = "must have a user and password in printable ASCII: proxies disagree on how anything else is sent"
        raise FormError(message)

    return text.rstrip("/")


def redis_address(text: str) -> str:
    """Read the URL of a Redis; raises FormError, which names a parameter that nobody knows."""
    how = f"write redis://user:password@host:6379/0, say; {_ESCAPED}"
    if is_sentinel(text):
        return _sentinel_address(text)
    if not text.startswith(("redis://", "rediss://", "unix://")):
        message = (
            f"must start with redis://, rediss://, sentinel://, sentinels:// or unix://; {how}"
        )
        raise FormError(message)

    parts = _split(text, how)
    if parts.fragment or re.search(r"\s", text):
        message = f"cannot be read; {how}"
        raise FormError(message)

    if parts.scheme == "unix":
        if len(parts.path) < 2:
            message = "must have the socket's path after unix://, as in unix:///run/redis.sock?db=0"
            raise FormError(message)
    elif not re.fullmatch(r"/?[0-9]*", parts.path):
        message = f"must end with the number of a database, as in /0; {how}"
        raise FormError(message)

    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        _check_redis_option(name, value, tls=parts.scheme == "rediss")
    return text


def _sentinel_address(text: str) -> str:
    try:
        address = split_sentinel_url(text)
    except ValueError as error:
        message = f"{error}, as in sentinel://user:password@one:26379,two:26379,three:26379/0?master=certmail; {_ESCAPED}"
        raise FormError(message) from None
    redis_address(address.server)
    return text


def _check_redis_option(name: str, value: str, *, tls: bool) -> None:
    fits = _REDIS_OPTIONS.get(name)
    if fits is None:
        message = f"has a parameter that is unknown{did_you_mean(name, _REDIS_OPTIONS)}"
        raise FormError(message)
    if not fits(value):
        message = f"has a parameter {name} with a value that it cannot have{_HINTS.get(name, '')}"
        raise FormError(message)
    if name.startswith("ssl_") and not tls:
        message = f"has a parameter {name}, but no TLS: that takes rediss://"
        raise FormError(message)


def database_address(text: str) -> str:
    """Read the URL of a database, and give it as SQLAlchemy wants it, which reads the rest.

    Raises FormError.
    """
    scheme, mark, rest = text.partition("://")
    scheme = _SCHEMES.get(scheme, scheme)
    how = "write postgresql+psycopg://user:password@host/database, or sqlite:////path/to/file"

    if not mark or scheme not in {"postgresql+psycopg", "sqlite", "sqlite+pysqlite"}:
        message = f"must be the URL of a PostgreSQL or of a file of SQLite's; {how}"
        raise FormError(message)

    if scheme.startswith("sqlite"):
        path = rest.partition("?")[0]
        if path in {"", "/", "/:memory:"} or "mode=memory" in rest or "file::memory:" in rest:
            message = f"would keep the record in the memory of one process, where nobody else finds it; {how}"
            raise FormError(message)
        if not path.startswith(("//", "/file:/")):
            message = f"must have the file's whole path, since not every process is started in the same directory; {how}"
            raise FormError(message)

    return f"{scheme}://{rest}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A clause that names the one of the known that is meant, if one is like it.

    A name is not repeated: it may be part of a secret.
    """
    found = difflib.get_close_matches(name, list(known), 1, ALIKE)
    return f": did you mean {found[0]}?" if found else ""


def misspelt(names: Iterable[str], known: Iterable[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Part names that are no settings: those that are like one, with the one meant; all others."""
    settings = list(known)
    alike: dict[str, str] = {}
    others: list[str] = []

    for name in sorted(set(names) - set(settings) - ELSEWHERE):
        found = difflib.get_close_matches(name, settings, 1, ALIKE)
        if found:
            alike[name] = found[0]
        else:
            others.append(name)

    return alike, tuple(others)


def _split(text: str, how: str = "see its port and brackets") -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.hostname, parts.port
    except ValueError:
        message = f"is not an address: {how}"
        raise FormError(message) from None
    return parts


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[0-9]+(\.[0-9]+)?", text, re.ASCII) is not None


def _is_yes_or_no(text: str) -> bool:
    return text.lower() in _YES_OR_NO


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_set(text: str) -> bool:
    return bool(text)


_SCHEMES: Final = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
"""Schemes as hosting providers write them, and as SQLAlchemy does."""
_REDIS_OPTIONS: Final[dict[str, Callable[[str], bool]]] = {
    "db": _is_count,
    "username": _is_set,
    "password": _is_set,
    "client_name": _is_set,
    "protocol": {"2", "3"}.__contains__,
    "socket_timeout": _is_number,
    "socket_connect_timeout": _is_number,
    "socket_keepalive": _is_yes_or_no,
    "health_check_interval": _is_count,
    "retry_on_timeout": _is_yes_or_no,
    "ssl_cert_reqs": {"none", "optional", "required"}.__contains__,
    "ssl_ca_certs": _is_set,
    "ssl_ca_path": _is_set,
    "ssl_certfile": _is_set,
    "ssl_keyfile": _is_set,
    "ssl_check_hostname": _is_yes_or_no,
    "ssl_ciphers": _is_set,
    "ssl_min_version": _is_count,
}
_HINTS: Final = {
    "ssl_cert_reqs": " (required, optional or none)",
    "ssl_check_hostname": " (true or false)",
    "db": " (a number)",
}
REDIS_FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
"""The parameters that name a file."""
