"""The answers of those faults that answer at all."""

from __future__ import annotations

from aiohttp import web

from certmail_sandbox.faults import Fault
from certmail_sandbox.wire import front_end, gmail_errors

STRING_ERRORS = ("/token", "/oauth2/v4/token", "/revoke", "/tokeninfo")


def answer(fault: Fault, path: str) -> web.Response:
    """The answer that the client gets instead of the true one."""
    if fault.verbatim is not None:
        given = fault.verbatim
        return web.Response(status=given.status, headers=given.headers, body=given.body)

    match fault.kind:
        case "429_retry_at":
            assert fault.retry_at is not None
            return gmail_errors.user_rate_limit(fault.retry_at).response()
        case "401_once" | "drop_token":
            return gmail_errors.invalid_credentials().response()
        case "502_html":
            return front_end.bad_gateway()
        case "503" if path in STRING_ERRORS:
            return web.json_response(
                {"error": "internal_failure", "error_description": "Backend Error"}, status=503
            )
        case "503":
            return gmail_errors.backend_error().response()
        case _:
            raise AssertionError(fault.kind)
