"""The words and look that a tenant has published, from the deployment's stores."""

from __future__ import annotations

from certmail_config.admin.admin import open_admin
from certmail_config.admin.templates.publishing import templates_of
from certmail_config.compose.own.tenant_words import read_words
from certmail_config.compose.samples import SampleSender
from certmail_config.settings import Settings
from certmail_config.settings.existing_deployment import require_deployment
from certmail_config.sql import registry
from certmail_config.tenants.models import DEFAULT_NAME
from certmail_worker.cli.preview.samples import Writer, failing


def of_tenant(tenant: str) -> Writer:
    """What a tenant has published, from its mailbox; raises Refused, StoresUnreachable."""
    settings = Settings.from_env()
    require_deployment(settings)

    with open_admin(settings) as admin:
        state = templates_of(admin, tenant)
        with admin.db() as db:
            found = registry.get_tenant(db, tenant)
            connection = registry.find_connection(db, tenant, DEFAULT_NAME)
        reply_to = admin.reply_to_of(found)

    mailbox = connection.mailbox if connection else None
    sender = SampleSender(found.organisation, mailbox or "", reply_to or "")
    suspended = tuple(failing(place, why) for place, why in state.off.items())
    words = read_words(
        state.version, state.document.written().encode(), state.off, settings.logo_hosts
    )
    return Writer(words, sender, suspended)
