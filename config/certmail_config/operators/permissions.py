"""Who may do what: each page of the console, and each command, with the role that it needs.

What is not named here only an admin may do. A test goes through every route and command there is,
with each role, and fails where one is missing here. What an API key may do its scopes say, in the
table of the API's routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from certmail_config.operators.roles import OperatorRole

_VIEWER, _OPERATOR, _ADMIN = OperatorRole

PAGES: Final[Mapping[tuple[str, str], OperatorRole]] = {
    # Below /console.
    ("GET", ""): _VIEWER,
    ("GET", "/account"): _VIEWER,
    ("POST", "/account"): _VIEWER,
    ("POST", "/sign-out"): _VIEWER,
    ("GET", "/connections/{id}"): _VIEWER,
    ("GET", "/connections/{id}/certificate"): _VIEWER,
    ("GET", "/new"): _OPERATOR,
    ("POST", "/new"): _OPERATOR,
    ("GET", "/set-up/{tenant}/{name}"): _OPERATOR,
    ("POST", "/set-up/{tenant}/{name}/linked-account"): _OPERATOR,
    ("GET", "/set-up/{tenant}/{name}/service-account"): _OPERATOR,
    ("POST", "/set-up/{tenant}/{name}/service-account"): _OPERATOR,
    ("POST", "/set-up/{tenant}/{name}/invitation"): _OPERATOR,
    ("POST", "/connections/{id}/check"): _OPERATOR,
    ("POST", "/connections/{id}/link"): _OPERATOR,
    ("POST", "/connections/{id}/correction"): _OPERATOR,
    ("POST", "/connections/{id}/another-kind"): _OPERATOR,
    ("POST", "/connections/{id}/delegation"): _OPERATOR,
    ("POST", "/connections/{id}/invitation"): _OPERATOR,
    ("POST", "/connections/{id}/suspend"): _OPERATOR,
    ("POST", "/connections/{id}/resume"): _OPERATOR,
    ("POST", "/connections/{id}/rotate"): _OPERATOR,
    ("GET", "/connections/{id}/removal"): _OPERATOR,
    ("POST", "/connections/{id}/removal"): _OPERATOR,
    ("GET", "/deliveries"): _VIEWER,
    ("POST", "/deliveries"): _VIEWER,
    ("GET", "/deliveries/export"): _VIEWER,
    ("GET", "/deliveries/{job}"): _VIEWER,
    ("GET", "/live"): _VIEWER,
    ("GET", "/attention"): _VIEWER,
    ("POST", "/attention"): _OPERATOR,
    ("GET", "/tenants"): _VIEWER,
    ("GET", "/tenants/{tenant}"): _VIEWER,
    ("POST", "/tenants/{tenant}/connections/{id}/limits"): _OPERATOR,
    ("GET", "/templates"): _VIEWER,
    ("GET", "/tenants/{tenant}/templates"): _VIEWER,
    ("GET", "/tenants/{tenant}/templates/differences"): _VIEWER,
    ("GET", "/tenants/{tenant}/templates/brand"): _VIEWER,
    ("GET", "/tenants/{tenant}/templates/brand/frame"): _VIEWER,
    ("GET", "/tenants/{tenant}/templates/texts/{locale}/{kind}"): _VIEWER,
    ("GET", "/tenants/{tenant}/templates/texts/{locale}/{kind}/frame"): _VIEWER,
    ("POST", "/tenants/{tenant}/templates/brand"): _ADMIN,
    ("POST", "/tenants/{tenant}/templates/brand/frame"): _ADMIN,
    ("POST", "/tenants/{tenant}/templates/texts/{locale}/{kind}"): _ADMIN,
    ("POST", "/tenants/{tenant}/templates/texts/{locale}/{kind}/frame"): _ADMIN,
    ("GET", "/tenants/{tenant}/templates/samples/{id}"): _ADMIN,
    ("GET", "/tenants/{tenant}/templates/reset"): _ADMIN,
    ("POST", "/tenants/{tenant}/templates/reset"): _ADMIN,
}
OPEN: Final = frozenset(
    {
        ("GET", "/"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/console/static/{version}/{name}"),
        ("GET", "/console/sign-in"),
        ("POST", "/console/sign-in"),
        ("POST", "/console/sign-in/google"),
        ("GET", "/console/sign-in/google/callback"),
        ("GET", "/oauth/google/callback"),
    }
)
"""Routes that ask for no operator, beside those of links (`/connect`) and the API's."""

COMMANDS: Final[Mapping[str, OperatorRole]] = {
    "demo": _ADMIN,
    "up": _ADMIN,
    "worker": _ADMIN,
    "gateway": _ADMIN,
    "flower": _ADMIN,
    "sandbox": _ADMIN,
    "tenants add": _ADMIN,
    "tenants set": _ADMIN,
    "tenants list": _VIEWER,
    "tenants show": _VIEWER,
    "tenants suspend": _ADMIN,
    "tenants resume": _ADMIN,
    "tenants history": _VIEWER,
    "tenants remove": _ADMIN,
    "templates list": _VIEWER,
    "templates show": _VIEWER,
    "templates check": _VIEWER,
    "templates publish": _ADMIN,
    "templates diff": _VIEWER,
    "templates reset": _ADMIN,
    "connections add": _OPERATOR,
    "connections set": _OPERATOR,
    "connections list": _VIEWER,
    "connections show": _VIEWER,
    "connections certificate": _VIEWER,
    "connections rotate": _OPERATOR,
    "connections probe": _OPERATOR,
    "connections test": _OPERATOR,
    "connections link": _OPERATOR,
    "connections setup-link": _OPERATOR,
    "connections suspend": _OPERATOR,
    "connections resume": _OPERATOR,
    "connections remove": _OPERATOR,
    "keys create": _ADMIN,
    "keys list": _ADMIN,
    "keys revoke": _ADMIN,
    "keys deployment": _ADMIN,
    "operators add": _ADMIN,
    "operators list": _ADMIN,
    "operators role": _ADMIN,
    "operators reset": _ADMIN,
    "operators disable": _ADMIN,
    "operators enable": _ADMIN,
    "operators remove": _ADMIN,
    "webhooks add": _ADMIN,
    "webhooks list": _VIEWER,
    "webhooks show": _VIEWER,
    "webhooks test": _ADMIN,
    "webhooks pause": _ADMIN,
    "webhooks resume": _ADMIN,
    "webhooks rotate": _ADMIN,
    "webhooks replay": _ADMIN,
    "webhooks remove": _ADMIN,
    "send": _OPERATOR,
    "status": _VIEWER,
    "cancel": _OPERATOR,
    "uncertain list": _OPERATOR,
    "uncertain settle": _OPERATOR,
    "pause": _OPERATOR,
    "resume": _OPERATOR,
    "deliveries list": _OPERATOR,
    "deliveries totals": _VIEWER,
    "deliveries export": _OPERATOR,
    "campaigns list": _VIEWER,
    "campaign plan": _VIEWER,
    "campaign presets": _VIEWER,
    "campaign run": _OPERATOR,
    "campaign show": _VIEWER,
    "campaign progress": _OPERATOR,
    "campaign remind": _OPERATOR,
    "campaign pause": _OPERATOR,
    "campaign resume": _OPERATOR,
    "campaign stop": _OPERATOR,
    "campaign remove": _OPERATOR,
    "erase": _ADMIN,
    "preview": _VIEWER,
    "simulate": _VIEWER,
    "doctor": _VIEWER,
    "doctor --repair": _ADMIN,
    "logs explain": _VIEWER,
    "vault keygen": _ADMIN,
    "vault rotate": _ADMIN,
    "db upgrade": _ADMIN,
    "redis acl": _ADMIN,
}
"""By the role of `CERTMAIL_COMMAND_ROLE`. What lists recipients is nothing for a viewer."""


def role_for_page(method: str, path: str) -> OperatorRole:
    """The role that a page below /console needs."""
    return PAGES.get((method, path), _ADMIN)


def role_for_command(name: str) -> OperatorRole:
    """The role that a command needs, as in `tenants add`."""
    return COMMANDS.get(name, _ADMIN)
