"""Putting right what was entered wrongly, as long as a connection has never worked."""

from __future__ import annotations

from dataclasses import replace

from certmail_config.admin.admin import Admin
from certmail_config.base.addresses import impersonated_address, service_account_address
from certmail_config.base.errors import Refused
from certmail_config.ledger import Act
from certmail_config.sql import registry
from certmail_config.tenants.domains import check_domain
from certmail_config.tenants.models import Connection, ConnectionKind, ConnectionState


def correct(
    admin: Admin, id_: str, *, service_account: str, mailbox: str, verify: bool
) -> Connection:
    """Change the service account and the mailbox; key and certificate stay.

    Raises Refused, WrongUse.
    """
    found = _never_worked(admin, id_)
    if found.kind is not ConnectionKind.CUSTOMER_OWNED_APP:
        raise Refused(
            "nothing_to_correct", "A linked account is whichever signs in.", "Link the account."
        )

    mailbox = impersonated_address(mailbox.strip(), "The mailbox")
    with admin.db() as db:
        check_domain(registry.get_tenant(db, found.tenant), mailbox)
    saved = admin.save(
        replace(
            found,
            state=ConnectionState.PENDING,
            code=None,
            message=None,
            remedy=None,
            refused_since=None,
            service_account=service_account_address(service_account.strip(), "The service account"),
            mailbox=mailbox,
            verify=verify,
        )
    )
    admin.record(Act.CONNECTION_CORRECTED, saved.tenant, connection=saved.id)
    return saved


def start_over(admin: Admin, id_: str) -> Connection:
    """Make a connection a draft again, so that the other kind can be chosen.

    Its key and certificate are erased. Raises Refused.
    """
    found = _never_worked(admin, id_)
    draft = Connection(
        found.id, found.tenant, found.name, limits=found.limits, version=found.version
    )
    saved = admin.save(draft)
    admin.record(Act.CONNECTION_CORRECTED, saved.tenant, connection=saved.id, reason="started over")
    return saved


def _never_worked(admin: Admin, id_: str) -> Connection:
    found = admin.connection(id_)
    if found.before_it_worked() is None:
        message = "This connection has worked, so reminders may wait for its mailbox."
        raise Refused("has_worked", message, "Remove it, or add another connection.")
    return found
