"""What the console's pages have at hand."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from certmail.gateway.console.application import Application, application_of
from certmail.gateway.console.rendering import Pages
from certmail.gateway.console.sessions.rate import Pace
from certmail.gateway.console.sessions.sessions import Visitors
from certmail.gateway.peers import Proxies
from certmail.gateway.redis_room import Space
from certmail.gateway.worker_requests import Asker
from certmail_config.admin.admin import Office


@dataclass(frozen=True, slots=True)
class Front:
    """One gateway's; `secure` says that browsers reach it by HTTPS."""

    office: Office
    visitors: Visitors
    asker: Asker
    pages: Pages
    application: Application
    secure: bool
    proxies: Proxies
    space: Space
    pace: Pace


FRONT: web.AppKey[Front] = web.AppKey("front", Front)


def front_of(office: Office) -> Front:
    """Make it over open stores."""
    application = application_of(office.settings)
    return Front(
        office=office,
        visitors=Visitors(office.strongbox),
        asker=Asker(office),
        pages=Pages(application),
        application=application,
        secure=office.settings.base_url.startswith("https://"),
        proxies=Proxies.of(office.settings.trusted_proxies),
        space=Space.of(office.redis, office.settings),
        pace=Pace(),
    )
