"""The mail in its frame: a page by itself that may do nothing, shown by no page but ours.

What a tenant has written is in it, so its own policy forbids all but its own styles, and a picture
from the hosts that logos may come from; and the frame it is shown in lets it run nothing, open
nothing and lead nowhere.
"""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web

FRAMES = "frame-src 'self'; "
"""What the policy of a page with such a frame says besides."""


def framed(page: str, logo_hosts: Collection[str], *, status: int = 200) -> web.Response:
    """The answer that is this page."""
    pictures = " ".join(f"https://{host}" for host in logo_hosts) or "'none'"
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src {pictures}; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'; sandbox"
    )
    headers = {"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN"}
    return web.Response(text=page, content_type="text/html", headers=headers, status=status)
