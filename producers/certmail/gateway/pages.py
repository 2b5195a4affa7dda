"""The page that somebody sees after Google sent him back: what happened, and what to do."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from aiohttp import web

from certmail.gateway.linking import Linked

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
STYLE = """
:root { color-scheme: light dark; --ink: #16202c; --paper: #f4f6f8; --card: #fff; --good: #0b7a4b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --paper: #10161d; --card: #1a232d; --good: #53d39b; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
  font: 17px/1.5 system-ui, sans-serif; padding: 1rem; }
main { background: var(--card); border-radius: 14px; padding: 2rem; max-width: 34rem; width: 100%; box-shadow: 0 1px 3px #0003; }
h1 { font-size: 1.35rem; margin: 0 0 .5rem; }
h1.good { color: var(--good); } h1.bad { color: var(--bad); }
p { margin: .5rem 0 0; overflow-wrap: anywhere; }
footer { margin-top: 1.5rem; font-size: .85rem; opacity: .7; }
"""


def result(ended: Linked) -> web.Response:
    """The page for one ended consent; everything in it is escaped, and it runs no script."""
    title, tone = ("Account linked", "good") if ended.ok else ("Account not linked", "bad")
    remedy = f"<p>{escape(ended.remedy)}</p>" if ended.remedy else "<p>You can close this page.</p>"
    body = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} · certmail</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f'<body><main><h1 class="{tone}">{title}</h1><p>{escape(ended.message)}</p>{remedy}'
        "<footer>certmail sends access review reminders from your own mailbox.</footer></main></body></html>"
    )
    headers = HEADERS | {
        "Content-Security-Policy": HEADERS["Content-Security-Policy"].format(hash=_style_hash())
    }
    return web.Response(text=body, content_type="text/html", status=200 if ended.ok else 400, headers=headers)


def _style_hash() -> str:
    return base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
