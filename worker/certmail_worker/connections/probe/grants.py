"""Asking for tokens as delivery does.

And telling what was not granted from what has not spread yet.
"""

from __future__ import annotations

import asyncio
from typing import Final

from certmail_config.google.checklist import Step
from certmail_config.google.oauth import Granted
from certmail_config.google.token_errors import Blame, Denied
from certmail_config.tenants.models import Connection
from certmail_worker.connections.probe.steps import denied, failed, passed
from certmail_worker.google.token_client import SCOPE, Purpose, TokenClient, to_paste

TRIES: Final = 3
"""How often a refusal is asked about.

While Google spreads a change, not all of its machines know of it; and one answer may be wrong.
"""
PAUSE_SECONDS: Final = 0.3
_GRANTED: Final = {
    Purpose.SEND: "Google lets certmail send from the mailbox.",
    Purpose.LOOK: "Google lets certmail look for sent mail in the mailbox.",
}


async def identity(connection: Connection, token_client: TokenClient) -> tuple[Step, str | None]:
    """Ask who the service account is: needs its key, but no delegation.

    Gives also its numeric client ID.
    """
    name = "service account"
    found = await token_client.client_id(connection)
    if isinstance(found, Denied):
        return denied(name, found), None

    if found is None:  # it can be read in the console, too
        message = f"Google accepts the key of {connection.service_account}."
        return passed(name, "key_accepted", message), None

    message = f"Google accepts the key of {connection.service_account}; its client ID is {found}."
    return passed(name, "key_accepted", message, value=found), found


async def token(
    connection: Connection,
    token_client: TokenClient,
    purpose: Purpose,
    client_id: str | None = None,
) -> tuple[Step, Granted | None]:
    """Ask for a token with exactly one scope."""
    name = f"token to {purpose}"
    granted, refusal = await _ask(connection, token_client, purpose)

    if granted is not None and refusal is not None:
        message = "Google has granted it, and has refused it a moment before or after: it is still spreading."
        return failed(name, refusal.code, message, "Nothing to do but wait.", waiting=True), granted
    if refusal is not None:
        return denied(name, _precise(refusal, client_id)), None

    assert granted is not None, "one or the other"
    if granted.scopes and SCOPE[purpose] not in granted.scopes:
        message = f"Google gave a token without {SCOPE[purpose]}."
        return failed(name, "scope_missing", message, _grant_scope(connection, client_id)), None

    message = _GRANTED[purpose]
    return passed(name, "token_granted", message), granted


async def _ask(
    connection: Connection, token_client: TokenClient, purpose: Purpose
) -> tuple[Granted | None, Denied | None]:
    """Ask for a token, a few times where Google blames the customer: it may be spreading a change.

    Gives the grant and the refusal that were answered, one or both.
    """
    granted, refusal = None, None

    for _ in range(TRIES):
        answer = await token_client.mint(connection, purpose)
        if isinstance(answer, Granted):
            granted = answer
        else:
            refusal = answer
        if refusal is None or refusal.blame is not Blame.CUSTOMER or refusal.confirmed:
            break
        await asyncio.sleep(PAUSE_SECONDS)

    return granted, refusal


def _precise(refusal: Denied, client_id: str | None) -> Denied:
    """The refusal with the number that the Admin console wants."""
    remedy = refusal.remedy
    if client_id is not None:
        remedy = remedy.replace(
            "the service account's numeric client ID (not its email)", f"the client ID {client_id}"
        )
    return Denied(refusal.blame, refusal.code, refusal.message, remedy, refusal.settling)


def _grant_scope(connection: Connection, client_id: str | None) -> str:
    if connection.service_account is None:
        return "Link the account again and tick the box for sending email."
    who = f"the client ID {client_id}" if client_id else "the service account's numeric client ID"
    return (
        f"Authorise {who} for {to_paste(connection)} in the Admin console's domain-wide delegation."
    )
