"""Requests to the gateway's API over one connection, with nothing but Python's own library."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

from certmail_config.base.errors import CertmailError, Refused, StoresUnreachable

_BUSY: Final = frozenset({429, 503})
_TIMEOUT_SECONDS: Final = 40
"""Longer than the gateway lets a request wait for its stores."""


class ApiRequests:
    """Asks a gateway; `seconds` is for how long one that is busy is asked again.

    Each request is one that may be repeated. Not for several threads at once.
    """

    def __init__(
        self, url: str, api_key: str, *, seconds: float, sleep: Callable[[float], None]
    ) -> None:
        parts = urlsplit(url)
        self._url = url
        self._base = parts.path.rstrip("/")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.netloc, timeout=_TIMEOUT_SECONDS)
        self._key = api_key
        self._seconds = seconds
        self._sleep = sleep

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The answer's document; raises Refused for a problem, StoresUnreachable."""
        sent = {"Authorization": f"Bearer {self._key}", **(headers or {})}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"

        until = time.monotonic() + self._seconds
        while True:
            answer, found = self._once(method, self._base + path, data, sent)
            if not _is_busy(answer.status, found):
                break
            wait = _seconds_of(answer)
            if time.monotonic() + wait > until:
                break
            self._sleep(wait)

        if answer.status < 400:
            return found
        raise self._problem(answer.status, found)

    def _once(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]
    ) -> tuple[HTTPResponse, dict[str, Any]]:
        try:
            answer, text = self._exchange(method, path, data, headers)
        except (HTTPException, ConnectionError):
            # A connection that was idle may have been closed: once more, over another.
            self._connection.close()
            try:
                answer, text = self._exchange(method, path, data, headers)
            except (HTTPException, OSError) as error:
                raise self._away(error) from error
        except OSError as error:
            self._connection.close()
            raise self._away(error) from error
        return answer, _document(text)

    def _exchange(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]
    ) -> tuple[HTTPResponse, bytes]:
        self._connection.request(method, path, data, dict(headers))
        answer = self._connection.getresponse()
        return answer, answer.read()

    def _problem(self, status: int, found: Mapping[str, Any]) -> CertmailError:
        code = str(found.get("code", "unexpected_answer"))
        message = str(found.get("detail", f"The gateway {self._url} answered {status}."))
        remedy = str(found.get("remedy", "See whether that is certmail's gateway."))
        kind = StoresUnreachable if _is_busy(status, found) else Refused
        return kind(code, message, remedy)

    def _away(self, error: Exception) -> StoresUnreachable:
        return StoresUnreachable(
            "gateway_unreachable",
            f"The gateway {self._url} does not answer: {type(error).__name__}.",
            "Check CERTMAIL_PUBLIC_URL, and that the gateway runs; then send the same again.",
        )


def _is_busy(status: int, found: Mapping[str, Any]) -> bool:
    """Whether the same is to be asked again: the first may be under way, or was lost with it."""
    return status in _BUSY or found.get("code") == "request_running"


def _seconds_of(answer: HTTPResponse) -> float:
    given = answer.headers.get("Retry-After", "")
    return float(given) if given.isdigit() else 1.0


def _document(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
