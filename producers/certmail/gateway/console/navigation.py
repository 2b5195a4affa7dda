"""The console's main pages, as each page names them at its head. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from certmail.gateway.console.texts import N_
from certmail_config.operators.roles import OperatorRole


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """A main page, and the beginnings of the addresses of all that belongs to it.

    It is shown to those whose role covers what it `needs`.
    """

    path: str
    name: str
    below: tuple[str, ...]
    needs: OperatorRole = OperatorRole.VIEWER

    def is_at(self, path: str) -> bool:
        """Whether a page of this address belongs to it."""
        return path == self.path or path.startswith(self.below)


NAVIGATION: Final = (
    NavigationItem(
        "/console",
        N_("Connections"),
        ("/console/connections/", "/console/new", "/console/set-up/"),
    ),
    NavigationItem("/console/deliveries", N_("Deliveries"), ("/console/deliveries/",)),
    NavigationItem("/console/campaigns", N_("Campaigns"), ("/console/campaigns/",)),
    NavigationItem("/console/attention", N_("Attention"), ("/console/attention/",)),
    NavigationItem("/console/tenants", N_("Tenants"), ("/console/tenants/",)),
    NavigationItem("/console/webhooks", N_("Webhooks"), ("/console/webhooks/",)),
    NavigationItem("/console/templates", N_("Templates"), ()),
    NavigationItem(
        "/console/operators", N_("Operators"), ("/console/operators/",), OperatorRole.ADMIN
    ),
)
"""In the order in which they stand."""
