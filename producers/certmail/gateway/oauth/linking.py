"""Linking an account, from Google's callback to a question, and on to a connection that works.

Read `finish` from top to bottom, then `accept` and `decline`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from certmail.gateway.oauth.account_check import check_account, record_failure
from certmail.gateway.oauth.google_client import Google
from certmail.gateway.oauth.grants import account_lock, give_back, give_back_former
from certmail.gateway.oauth.link_outcomes import (
    STALE,
    LinkOutcome,
    Question,
    ended_before,
    failed,
    not_consented,
    remember,
)
from certmail_config.admin.admin import Admin
from certmail_config.base.errors import Refused
from certmail_config.crypto.hashing import hash_of_secret
from certmail_config.google.oauth import ISSUERS, Account, Granted
from certmail_config.google.token_errors import Denied
from certmail_config.onboarding.account_offers import Offer, keep_offer
from certmail_config.onboarding.consents import Consent, take_link
from certmail_config.tenants.models import SEND_SCOPE, Connection, ConnectionKind
from certmail_config.tenants.sealed_fields import seal_for

WHO_CONSENTS: Final = "whoever signed in with Google"
"""In the words of the record."""


async def finish(
    admin: Admin, google: Google, query: Mapping[str, str], browser: str
) -> LinkOutcome | Question:
    """Finish a consent.

    Whatever goes wrong after Google gave a token, the token is given back if nothing else hangs on
    it.

    `browser` is the secret of the browser that comes back; it must be the one that left, and it
    alone may answer the question.
    """
    state = query.get("state", "")
    link = await asyncio.to_thread(take_link, admin.redis, admin.vault, state)
    if link is None:
        return await asyncio.to_thread(ended_before, admin, state, browser)
    if not link.belongs_to(browser):
        return STALE

    ended = await _finish(admin.acting_as(WHO_CONSENTS), google, query, link, browser)
    ended = replace(ended, back=link.back) if isinstance(ended, LinkOutcome) else ended
    await asyncio.to_thread(remember, admin, state, browser, ended)

    return ended


async def accept(admin: Admin, google: Google, offer: Offer) -> LinkOutcome:
    """Link the account of an offer: somebody said yes.

    It is asked for once more, since its permission may have ended meanwhile.
    """
    admin = admin.acting_as(WHO_CONSENTS)
    granted = Granted(
        offer.access_token, 1, frozenset({SEND_SCOPE}), offer.refresh_token, offer.sub
    )
    before: Connection | None = None

    async with account_lock(admin, offer.sub):
        try:
            connection = await asyncio.to_thread(admin.connection, offer.connection)
            if connection.version != offer.version:
                ended = STALE
            else:
                before = connection
                link = Consent(offer.connection, offer.version, "", another=offer.another)
                found = await check_account(admin, google, connection, granted, offer.sub, link)
                if isinstance(found, LinkOutcome):
                    ended = found
                else:
                    ended = await _save(admin, connection, granted, found)
        except Refused:
            ended = STALE

        if not ended.ok:
            await give_back(admin, google, offer.connection, granted, offer.sub, ended.code)

    if ended.ok and before is not None and before.sub not in {None, offer.sub}:
        await give_back_former(admin, google, before)

    return replace(ended, back=offer.back)


async def decline(admin: Admin, google: Google, offer: Offer) -> None:
    """Give the grant of an offer back: somebody said no.

    The connection stays as it is, and so does the grant if something else needs it.
    """
    granted = Granted(offer.access_token, 1, frozenset(), offer.refresh_token, offer.sub)
    async with account_lock(admin, offer.sub):
        await give_back(admin, google, offer.connection, granted, offer.sub, "declined")


async def _finish(
    admin: Admin, google: Google, query: Mapping[str, str], link: Consent, browser: str
) -> LinkOutcome | Question:
    if query.get("iss", next(iter(ISSUERS))) not in ISSUERS:
        return STALE

    try:
        connection = await asyncio.to_thread(admin.connection, link.connection)
    except Refused:
        return STALE

    # Set up anew since: the consent was for something else.
    if (
        connection.kind is not ConnectionKind.SERVICE_PROVIDER_APP
        or connection.version != link.version
    ):
        return STALE
    if "error" in query or "code" not in query:
        return await record_failure(admin, connection, not_consented(query.get("error", "")))

    granted = await google.exchange(query["code"], link.verifier)
    if isinstance(granted, Denied):
        return await record_failure(
            admin, connection, failed(granted.code, granted.message, granted.remedy)
        )

    sub = granted.sub or await _ask_whose(google, granted)

    async with account_lock(admin, sub):
        try:
            ended = await _take(admin, google, connection, granted, sub, link, browser)
        except Refused:  # removed or changed while Google was asked
            ended = STALE

        if isinstance(ended, LinkOutcome) and not ended.ok:
            await give_back(admin, google, connection.id, granted, sub, ended.code)

    return ended


async def _ask_whose(google: Google, granted: Granted) -> str | None:
    account = await google.account(granted.access_token)
    return account.sub if account else None


async def _take(
    admin: Admin,
    google: Google,
    connection: Connection,
    granted: Granted,
    sub: str | None,
    link: Consent,
    browser: str,
) -> LinkOutcome | Question:
    """Check what was granted, and by whom.

    The account that the connection has is kept at once, of another somebody is asked. Raises
    Refused if the connection was removed meanwhile.
    """
    found = await check_account(admin, google, connection, granted, sub, link)
    if isinstance(found, LinkOutcome):
        return found
    if connection.sub == found.sub:
        return await _save(admin, connection, granted, found)

    # Changed while Google was asked: nobody is asked about what cannot be linked.
    if (await asyncio.to_thread(admin.connection, connection.id)).version != connection.version:
        return STALE

    offer = Offer(
        connection.id,
        connection.version,
        found.sub,
        found.email,
        refresh_token=granted.refresh_token or "",
        access_token=granted.access_token,
        browser=hash_of_secret(browser),
        form=secrets.token_urlsafe(32),
        back=link.back,
        another=link.another,
    )
    return Question(await asyncio.to_thread(keep_offer, admin.strongbox, offer))


async def _save(
    admin: Admin, connection: Connection, granted: Granted, account: Account
) -> LinkOutcome:
    assert granted.refresh_token is not None, "examined"
    linked = replace(
        connection.working(key_id=None),
        sub=account.sub,
        mailbox=account.email,
        refresh_token=seal_for(
            admin.vault, granted.refresh_token.encode(), connection.owner, "refresh_token"
        ),
    )

    await asyncio.to_thread(admin.save, linked)
    return LinkOutcome(
        ok=True,
        code="linked",
        message=f"{account.email} is linked: reminders will be sent from it.",
    )
