"""What the console's pages have at hand."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from certmail.gateway.asking import Asker
from certmail.gateway.console.rendering import Pages
from certmail.gateway.console.visitors import Visitors
from certmail_config.office import Office


@dataclass(frozen=True, slots=True)
class Front:
    """One gateway's; `secure` says that browsers reach it by HTTPS."""

    office: Office
    visitors: Visitors
    asker: Asker
    pages: Pages
    secure: bool


FRONT: web.AppKey[Front] = web.AppKey("front", Front)


def front_of(office: Office) -> Front:
    """Make it over open stores."""
    return Front(
        office=office,
        visitors=Visitors(office.strongbox),
        asker=Asker(office),
        pages=Pages(),
        secure=office.settings.base_url.startswith("https://"),
    )
