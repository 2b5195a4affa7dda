"""Pages for people: escaped by default, with nothing loaded from elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

# No form-action: browsers would apply it to the consent form's redirect to the application as well.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_environment = Environment(
    loader=PackageLoader("certmail_sandbox"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["day"] = lambda at: f"{datetime.fromtimestamp(at, UTC):%d %b %Y}"


def page(template: str, *, status: int = 200, **values: object) -> web.Response:
    """A page made from a template, with headers that let it load nothing from elsewhere."""
    return web.Response(
        text=_environment.get_template(template).render(values),
        status=status,
        content_type="text/html",
        headers={
            "Content-Security-Policy": POLICY,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
