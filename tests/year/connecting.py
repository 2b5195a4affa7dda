"""The year's companies, connected at Google and in certmail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from certmail_config.admin.admin import Admin
from certmail_config.base.ids import ConnectionId
from certmail_config.crypto.certificates import KeyPair, new_key_pair
from certmail_config.crypto.sealing import Opener
from certmail_config.google.oauth import OAuthClient
from certmail_config.tenants.models import Connection, ConnectionKind, ConnectionState
from certmail_config.tenants.sealed_fields import open_from
from certmail_worker.google.tenant_cache import TenantInside
from certmail_worker.rehearsal.stage import RehearsalStage
from year.companies import Company
from year.google import Google

VALID_DAYS: Final = 500
"""The certificates outlive the year; how they are renewed is tested elsewhere."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The stage with its companies; `client` is the application that has been linked to accounts."""

    stage: RehearsalStage
    connections: Mapping[ConnectionId, Connection]
    client: OAuthClient


def connect(admin: Admin, google: Google, companies: Sequence[Company], now: datetime) -> Connected:
    """Set all of them up, as if it was `now`, with the limits that Google documents."""
    client = google.make_client()
    # One for all: to make a key takes longer than all else about a company.
    pair = new_key_pair(now, valid_days=VALID_DAYS)
    tenants: dict[str, TenantInside] = {}
    connections: dict[ConnectionId, Connection] = {}

    for company in companies:
        made, draft = admin.add_tenant(company.tenant)
        opener = Opener(open_from(admin.vault, made.private_key, made.id, "private_key"))
        tenants[made.id] = TenantInside(opener, made.organisation)

        google.make_mailbox(company.mailbox)
        working = replace(draft, state=ConnectionState.ACTIVE, mailbox=company.mailbox)
        if company.own_project:
            saved = admin.save(_customer_owned(admin, google, company, working, pair))
        else:
            saved = admin.save(_linked(admin, google, company, working, client))
        connections[saved.id] = saved

    mailboxes = {id_: each.mailbox or "" for id_, each in connections.items()}
    return Connected(RehearsalStage(admin, tenants, mailboxes), connections, client)


def _linked(
    admin: Admin, google: Google, company: Company, working: Connection, client: OAuthClient
) -> Connection:
    token = google.consent(client, company.mailbox).encode()
    return replace(
        working,
        kind=ConnectionKind.SERVICE_PROVIDER_APP,
        sub=company.tenant,
        refresh_token=admin.vault.seal(token, owner=working.owner),
    )


def _customer_owned(
    admin: Admin, google: Google, company: Company, working: Connection, pair: KeyPair
) -> Connection:
    project = f"{company.tenant}-it"
    account = f"certmail@{project}.iam.gserviceaccount.com"
    google.make_service_account(account, project, pair.certificate)
    return replace(
        working,
        kind=ConnectionKind.CUSTOMER_OWNED_APP,
        service_account=account,
        private_key=admin.vault.seal(pair.private_key, owner=working.owner),
        certificate=pair.certificate,
        not_after=pair.not_after,
    )
