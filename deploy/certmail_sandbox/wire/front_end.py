"""Pages of Google's front end, which answers where no API does.

They are HTML, whatever the client accepts.
"""

from __future__ import annotations

from html import escape

from aiohttp import web

_PAGE = """<!DOCTYPE html>
<html lang=en>
  <meta charset=utf-8>
  <title>Error {status} ({title})!!1</title>
  <p><b>{status}.</b> <ins>That's an error.</ins>
  <p>{words}
"""


def unknown_address(path: str) -> web.Response:
    """404, for a path that no API has."""
    return _page(
        404,
        "Not Found",
        f"The requested URL <code>{escape(path)}</code> was not found on this server.",
    )


def wrong_method(method: str, path: str) -> web.Response:
    """405, for a path that does not take this method."""
    words = f"The request method <code>{escape(method)}</code> is inappropriate for the URL <code>{escape(path)}</code>."
    return _page(405, "Method Not Allowed", words)


def too_long_address(path: str) -> web.Response:
    """414, for an address longer than the front end takes."""
    words = f"The requested URL <code>{escape(path[:200])}…</code> is too large to process."
    return _page(414, "Request-URI Too Large", words)


def too_large_head() -> web.Response:
    """413, for header fields larger than the front end takes."""
    return _page(
        413, "Request Entity Too Large", "Your client issued a request that was too large."
    )


def bad_gateway() -> web.Response:
    """502, Google's page for a passing failure (google.md §1.4)."""
    words = "The server encountered a temporary error and could not complete your request.<p>Please try again in 30 seconds."
    return _page(502, "Server Error", words)


def _page(status: int, title: str, words: str) -> web.Response:
    text = _PAGE.format(status=status, title=title, words=words)
    return web.Response(status=status, text=text, content_type="text/html")
