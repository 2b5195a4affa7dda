"""The stores, clients and limits that every page of the console works with."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from certmail.gateway.console.application import Application, application_of
from certmail.gateway.console.rendering import Pages
from certmail.gateway.console.sessions.password_check import PasswordChecker
from certmail.gateway.console.sessions.rate import RateLimit
from certmail.gateway.console.sessions.sessions import Sessions
from certmail.gateway.console.templates_limits import TemplatesLimits
from certmail.gateway.peers import Proxies
from certmail.gateway.redis_room import Space
from certmail.gateway.worker_requests import WorkerRequester
from certmail_config.admin.admin import Admin


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """The context of one gateway's pages; `secure` says that browsers reach it by HTTPS."""

    admin: Admin
    sessions: Sessions
    requester: WorkerRequester
    pages: Pages
    application: Application
    secure: bool
    proxies: Proxies
    space: Space
    rate_limit: RateLimit
    templates: TemplatesLimits
    passwords: PasswordChecker

    @property
    def by_google(self) -> bool:
        """Whether operators may sign in with Google."""
        return self.admin.settings.operator_oauth_client_id is not None


CONSOLE: web.AppKey[ConsoleContext] = web.AppKey("console", ConsoleContext)


def console_context(admin: Admin) -> ConsoleContext:
    """Make the context over open stores."""
    application = application_of(admin.settings)

    return ConsoleContext(
        admin=admin,
        sessions=Sessions(admin.strongbox),
        requester=WorkerRequester(admin),
        pages=Pages(application),
        application=application,
        secure=admin.settings.base_url.startswith("https://"),
        proxies=Proxies.of(admin.settings.trusted_proxies),
        space=Space.of(admin.redis, admin.settings),
        rate_limit=RateLimit(),
        templates=TemplatesLimits(),
        passwords=PasswordChecker(),
    )
