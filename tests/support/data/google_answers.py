"""Gmail's error answers in the dialects that it speaks (google.md §1.4).

Tests have the sandbox give them.
"""

from __future__ import annotations

from typing import Any

Fault = str | dict[str, Any]
DATE = "Mon, 23 Nov 2026 18:00:00 GMT"
"""The Date of answers that name a time: waits are counted from it, whatever our clock says."""
PAGE = "<!DOCTYPE html><html lang=en><title>Error {0}</title><p><b>{0}.</b> <ins>That's an error.</ins><p>{1}</html>"


def answer(status: int, body: object, **headers: str) -> Fault:
    """An answer word for word; `retry_after` stands for Retry-After."""
    return {
        "status": status,
        "headers": {name.replace("_", "-"): text for name, text in headers.items()},
        "body": body,
    }


def cut(given: Fault, how: str = "length") -> Fault:
    """The same answer, whose body breaks off."""
    assert isinstance(given, dict)
    return {**given, "cut": how}


def page(
    status: int, text: str = "The server cannot process the request.", **headers: str
) -> Fault:
    """A page instead of JSON, as Google's front end or a proxy gives it."""
    return answer(
        status, PAGE.format(status, text), Content_Type="text/html; charset=UTF-8", **headers
    )


def legacy(status: int, reason: str, message: str, domain: str = "global", **headers: str) -> Fault:
    """The older dialect: `error.errors[]` alone."""
    error = {"errors": [_item(domain, reason, message)], "code": status, "message": message}
    return answer(status, {"error": error}, **headers)


def wire(
    status: int, reason: str, message: str, canonical: str, info: str = "", **headers: str
) -> Fault:
    """Today's form: both dialects at once."""
    error: dict[str, Any] = {
        "code": status,
        "message": message,
        "errors": [_item("global", reason, message)],
        "status": canonical,
    }
    return answer(status, {"error": error | _details(info)}, **headers)


def newer(status: int, message: str, canonical: str, info: str = "", **headers: str) -> Fault:
    """The newer dialect: a canonical status, perhaps ErrorInfo, and no `errors`."""
    error: dict[str, Any] = {"code": status, "message": message, "status": canonical}
    return answer(status, {"error": error | _details(info)}, **headers)


def _item(domain: str, reason: str, message: str) -> dict[str, str]:
    return {"domain": domain, "reason": reason, "message": message}


def _details(info: str) -> dict[str, Any]:
    if not info:
        return {}
    about = {
        "service": "gmail.googleapis.com",
        "method": "caribou.api.proto.MailboxService.SendMessage",
    }
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return {
        "details": [{"@type": kind, "reason": info, "domain": "googleapis.com", "metadata": about}]
    }
