"""The check whether an account that somebody signed in with can be linked.

What is wrong is said on the connection too.
"""

from __future__ import annotations

import asyncio

from certmail.gateway.oauth.google_client import Google
from certmail.gateway.oauth.link_outcomes import LinkOutcome, failed
from certmail_config.admin.admin import Admin
from certmail_config.base.errors import Refused
from certmail_config.google.oauth import Account, Granted
from certmail_config.onboarding.consents import Consent
from certmail_config.sql import registry
from certmail_config.tenants.domains import check_domain
from certmail_config.tenants.models import SEND_SCOPE, Connection, ConnectionState


async def check_account(
    admin: Admin,
    google: Google,
    connection: Connection,
    granted: Granted,
    sub: str | None,
    link: Consent,
) -> Account | LinkOutcome:
    """The account that somebody signed in with, or why it cannot be linked.

    `sub` is the account whose turn this is.
    """
    account = await google.account(granted.access_token)

    if SEND_SCOPE not in granted.scopes:
        message = (
            "The box for sending email on your behalf was not ticked, so certmail may not send."
        )
        remedy = "Link the account again and tick the box for sending email."
        return await record_failure(admin, connection, failed("scope_missing", message, remedy))

    if granted.refresh_token is None:
        message = "Google gave no lasting permission."
        return await record_failure(
            admin, connection, failed("no_refresh_token", message, "Link the account again.")
        )

    if account is None or account.sub != sub:
        message = "Google did not say whose account this is."
        remedy = "Link the account again in a minute."
        return await record_failure(admin, connection, failed("account_unknown", message, remedy))

    if account.unusable:
        message = (
            "Google names an address for this account that reminders cannot be sent from: "
            f"{account.unusable}."
        )
        return await record_failure(
            admin,
            connection,
            failed("address_unusable", message, "Link an account of your company's."),
        )

    if connection.sub not in {None, account.sub} and not link.another:
        message = "This connection was linked to another account before, and still is."
        remedy = (
            "Sign in with that account. "
            "Whoever runs certmail can also let another account take its place: "
            f"certmail connections link {connection.id} --another-account."
        )
        return failed("another_account", message, remedy)

    try:
        await asyncio.to_thread(_check_domain, admin, connection, account.email)
    except Refused as refused:
        return await record_failure(
            admin, connection, failed(refused.code, refused.message, refused.remedy)
        )

    return account


async def record_failure(admin: Admin, connection: Connection, ended: LinkOutcome) -> LinkOutcome:
    """Say what happened on the connection too, unless it works.

    A failed second consent breaks nothing. Nor does it at Google: its grant is not given back (see
    `grants.give_back`), and tokens of a narrower consent are narrower themselves; that they take
    anything from those given before is nowhere documented (google.md §3.2). Should they, Gmail
    answers the next reminder with insufficient permissions, and the connection says `scope_missing`
    and what to do.
    """
    if connection.state is not ConnectionState.ACTIVE:
        await asyncio.to_thread(
            admin.save, connection.failing(ended.code, ended.message, ended.remedy)
        )

    return ended


def _check_domain(admin: Admin, connection: Connection, mailbox: str) -> None:
    with admin.db() as db:
        check_domain(registry.get_tenant(db, connection.tenant), mailbox)
