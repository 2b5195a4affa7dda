"""The form of an endpoint: as it was typed, and what is meant by it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from certmail.gateway.console.form_fields import WrongField, of_field, values_of
from certmail.gateway.console.texts import N_
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.sql.webhooks.endpoints import EVERY_TENANT, Endpoint
from certmail_config.tenants.models import check_name
from certmail_config.webhooks.catalogue import EVERY_TYPE

MAX_TENANTS: Final = 1_000
_FIELD: Final = {"invalid_url": "url", "unknown_type": "types", "missing_option": "tenants"}
"""The field of each thing that may be wrong; else it is the tenants."""


@dataclass(frozen=True, slots=True)
class WebhookForm:
    """The fields as they were typed; without a type it is told of everything."""

    url: str = ""
    name: str = ""
    tenants: str = ""
    every: bool = False
    types: frozenset[str] = frozenset()

    def whose(self) -> list[str]:
        """The tenants that are meant; raises WrongField."""
        if self.every:
            return [EVERY_TENANT]

        named = list(dict.fromkeys(each for each in re.split(r"[\s,;]+", self.tenants) if each))
        if not named:
            message = N_("Name a tenant, or tick that it is told of every tenant.")
            raise WrongField("tenants", WrongUse("missing_tenant", message, ""))
        if len(named) > MAX_TENANTS:
            message = N_("That is more than one webhook can be told of. Tick every tenant.")
            raise WrongField("tenants", WrongUse("too_many_tenants", message, ""))
        with of_field("tenants"):
            for each in named:
                check_name(each, "tenant")
        return named

    def called(self) -> str:
        """The name that is meant; raises WrongField."""
        if not self.name.isprintable():
            message = N_("The name holds a character that nobody sees.")
            raise WrongField("name", WrongUse("invalid_webhook_name", message, ""))
        return self.name


def from_form(form: Any) -> WebhookForm:
    """What was typed."""
    typed = values_of(form, "url", "name", "tenants", "every")
    types = frozenset(each for each in form.getall("type", []) if isinstance(each, str))
    return WebhookForm(typed["url"], typed["name"], typed["tenants"], bool(typed["every"]), types)


def from_endpoint(endpoint: Endpoint) -> WebhookForm:
    """An endpoint as its form begins."""
    return WebhookForm(endpoint.url, endpoint.name, types=endpoint.types - {EVERY_TYPE})


@contextmanager
def at_its_field() -> Iterator[None]:
    """Raise WrongField, at the field that it is about, for what is wrong or refused in the block."""
    try:
        yield
    except WrongField:
        raise
    except Refused as error:
        if error.code == "unknown_webhook":
            raise
        wrong = WrongUse(error.code, error.message, _REMEDIES.get(error.code, error.remedy))
        raise WrongField("tenants", wrong) from None
    except WrongUse as error:
        raise WrongField(_FIELD.get(error.code, "tenants"), error) from None


_REMEDIES: Final = {
    "unknown_tenant": N_("Look under Tenants what it is called."),
    "too_many_webhooks": N_("Remove one that nobody needs."),
}
"""What to do, where the command line's words would name a command."""
