"""Linking an account, from Google's callback to a question, and from its answer to a connection that works.

Read `finish` from top to bottom, then `accept` and `decline`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import Final

from redis.exceptions import LockError, RedisError

from certmail.gateway.google import Google
from certmail_config.account_use import turn, users_of
from certmail_config.connections import SEND_SCOPE, Connection, ConnectionState, Kind
from certmail_config.domains import check_domain
from certmail_config.errors import Refused, SealBroken
from certmail_config.ids import ConnectionId
from certmail_config.links import Link, take_link
from certmail_config.oauth import ISSUERS, Account, Granted
from certmail_config.offers import Offer, hash_of, keep_offer
from certmail_config.office import Office
from certmail_config.outcomes import recall_outcome, remember_outcome
from certmail_config.renewal import open_from, seal_for
from certmail_config.sql import registry
from certmail_config.token_errors import Denied

log = logging.getLogger(__name__)

WHO_CONSENTS: Final = "whoever signed in with Google"
"""In the words of the record."""


@dataclass(frozen=True, slots=True)
class Linked:
    """How it ended, in words for the person at the browser; `back` is the path of ours that the consent was begun on."""

    ok: bool
    code: str
    message: str
    remedy: str = ""
    back: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """Nothing is linked yet: somebody is asked whether to send from the account, under this offer's id."""

    offer: str


STALE = Linked(
    ok=False,
    code="link_used_or_expired",
    message="This sign-in was used before, has expired, or was not started here.",
    remedy="If this page was only loaded again, look at the connection first: it says how the sign-in ended. Else link the account again.",
)


DECLINED = Linked(
    ok=False,
    code="declined",
    message="That account was not linked: its permission was given back.",
    remedy="Link the account that reminders are to be sent from.",
)


async def finish(office: Office, google: Google, query: Mapping[str, str], browser: str) -> Linked | Question:
    """Finish a consent. Whatever goes wrong after Google gave a token, the token is given back if nothing else hangs on it.

    `browser` is the secret of the browser that comes back; it must be the one that left, and it alone may answer the question.
    """
    state = query.get("state", "")
    link = await asyncio.to_thread(take_link, office.redis, office.vault, state)
    if link is None:
        return await asyncio.to_thread(ended_before, office, state, browser)
    if not link.belongs_to(browser):
        return STALE
    ended = await _finish(office.acting_as(WHO_CONSENTS), google, query, link, browser)
    ended = replace(ended, back=link.back) if isinstance(ended, Linked) else ended
    await asyncio.to_thread(remember, office, state, browser, ended)
    return ended


def remember(office: Office, used: str, browser: str, ended: Linked | Question) -> None:
    """Keep how it ended for whoever loads the page again; it has ended so, whether that succeeds or not."""
    try:
        remember_outcome(office.strongbox, used, browser, asdict(ended))
    except RedisError as error:
        log.warning("outcome_not_kept", extra={"error": type(error).__name__})


def ended_before(office: Office, used: str, browser: str) -> Linked | Question:
    """How what was used before has ended, if this browser may know. Raises RedisError."""
    value = recall_outcome(office.strongbox, used, browser)
    if value is None:
        return STALE
    return Question(**value) if "offer" in value else Linked(**value)


async def accept(office: Office, google: Google, offer: Offer) -> Linked:
    """Somebody said yes: send from the account. It is asked for once more, since its permission may have ended meanwhile."""
    office = office.acting_as(WHO_CONSENTS)
    granted = Granted(offer.access_token, 1, frozenset({SEND_SCOPE}), offer.refresh_token, offer.sub)
    before: Connection | None = None
    async with _turn(office, offer.sub):
        try:
            connection = await asyncio.to_thread(office.connection, offer.connection)
            if connection.version != offer.version:
                ended = STALE
            else:
                before = connection
                link = Link(offer.connection, offer.version, "", another=offer.another)
                found = await _examine(office, google, connection, granted, offer.sub, link)
                ended = (
                    found if isinstance(found, Linked) else await _keep(office, connection, granted, found)
                )
        except Refused:
            ended = STALE
        if not ended.ok:
            await _give_back(office, google, offer.connection, granted, offer.sub, ended.code)
    if ended.ok and before is not None and before.sub not in {None, offer.sub}:
        await _give_back_former(office, google, before)
    return replace(ended, back=offer.back)


async def decline(office: Office, google: Google, offer: Offer) -> None:
    """Somebody said no: the connection stays as it is, and the permission is given back if nothing else hangs on it."""
    granted = Granted(offer.access_token, 1, frozenset(), offer.refresh_token, offer.sub)
    async with _turn(office, offer.sub):
        await _give_back(office, google, offer.connection, granted, offer.sub, "declined")


async def _finish(
    office: Office, google: Google, query: Mapping[str, str], link: Link, browser: str
) -> Linked | Question:
    if query.get("iss", next(iter(ISSUERS))) not in ISSUERS:
        return STALE
    try:
        connection = await asyncio.to_thread(office.connection, link.connection)
    except Refused:
        return STALE
    if connection.kind is not Kind.SERVICE_PROVIDER_APP or connection.version != link.version:
        return STALE  # set up anew since: the consent was for something else
    if "error" in query or "code" not in query:
        return await _trouble(office, connection, _not_consented(query.get("error", "")))
    granted = await google.exchange(query["code"], link.verifier)
    if isinstance(granted, Denied):
        return await _trouble(
            office,
            connection,
            Linked(ok=False, code=granted.code, message=granted.message, remedy=granted.remedy),
        )
    sub = granted.sub or await _ask_whose(google, granted)
    async with _turn(office, sub):
        try:
            ended = await _take(office, google, connection, granted, sub, link, browser)
        except Refused:  # removed or changed while Google was asked
            ended = STALE
        if isinstance(ended, Linked) and not ended.ok:
            await _give_back(office, google, connection.id, granted, sub, ended.code)
    return ended


async def _ask_whose(google: Google, granted: Granted) -> str | None:
    account = await google.account(granted.access_token)
    return account.sub if account else None


@asynccontextmanager
async def _turn(office: Office, sub: str | None) -> AsyncIterator[None]:
    """While nobody else links or revokes the account; of one that is not known nothing is kept or revoked."""
    if sub is None:
        yield
        return
    lock = turn(office.redis, sub)
    if not await asyncio.to_thread(lock.acquire):
        raise Refused("account_busy", "Somebody else is linking this account.", "Link it again in a minute.")
    try:
        yield
    finally:
        with suppress(LockError):  # it ran out: nothing is to be returned
            await asyncio.to_thread(lock.release)


async def _give_back(
    office: Office, google: Google, connection: ConnectionId, granted: Granted, sub: str | None, code: str
) -> None:
    """Revoke what is not going to be used, unless that would end what connections send by: the one to be linked, or others.

    Of an account that is not known nobody can say whether one does, so its grant stays: unused, until its owner withdraws it.
    """
    told = {"connection": connection, "code": code}
    if sub is None or await asyncio.to_thread(_is_used, office, sub):
        log.info("grant_left", extra=told)
        return
    revoked = await google.revoke(granted.refresh_token or granted.access_token)
    log.info("grant_given_back", extra=told | {"confirmed": revoked})


async def _give_back_former(office: Office, google: Google, before: Connection) -> None:
    """The account that a connection has sent from until now, by the same rule."""
    try:
        token = open_from(office.vault, before.refresh_token or b"", before.owner, "refresh_token").decode()
    except SealBroken:
        return  # without the vault's key nobody can say to Google what is meant
    async with _turn(office, before.sub):
        former = Granted("", 1, frozenset(), token, before.sub)
        await _give_back(office, google, before.id, former, before.sub, "another_account_took_over")


def _is_used(office: Office, sub: str) -> bool:
    with office.db() as db:
        return bool(users_of(db, sub))


async def _take(
    office: Office,
    google: Google,
    connection: Connection,
    granted: Granted,
    sub: str | None,
    link: Link,
    browser: str,
) -> Linked | Question:
    """Check what was granted, and by whom; the account that the connection has is kept at once, of another somebody is asked.

    Raises Refused if the connection was removed meanwhile.
    """
    found = await _examine(office, google, connection, granted, sub, link)
    if isinstance(found, Linked):
        return found
    if connection.sub == found.sub:
        return await _keep(office, connection, granted, found)
    if (await asyncio.to_thread(office.connection, connection.id)).version != connection.version:
        return STALE  # changed while Google was asked: nobody is asked about what cannot be linked
    offer = Offer(
        connection.id,
        connection.version,
        found.sub,
        found.email,
        refresh_token=granted.refresh_token or "",
        access_token=granted.access_token,
        browser=hash_of(browser),
        form=secrets.token_urlsafe(32),
        back=link.back,
        another=link.another,
    )
    return Question(await asyncio.to_thread(keep_offer, office.strongbox, offer))


async def _examine(
    office: Office, google: Google, connection: Connection, granted: Granted, sub: str | None, link: Link
) -> Account | Linked:
    """Whose account it is, or why it cannot be linked. `sub` is whose turn this is."""
    account = await google.account(granted.access_token)
    if SEND_SCOPE not in granted.scopes:
        message = "The box for sending email on your behalf was not ticked, so certmail may not send."
        remedy = "Link the account again and tick the box for sending email."
        return await _trouble(office, connection, _failed("scope_missing", message, remedy))
    if granted.refresh_token is None:
        message = "Google gave no lasting permission."
        return await _trouble(
            office, connection, _failed("no_refresh_token", message, "Link the account again.")
        )
    if account is None or account.sub != sub:
        message = "Google did not say whose account this is."
        remedy = "Link the account again in a minute."
        return await _trouble(office, connection, _failed("account_unknown", message, remedy))
    if account.unusable:
        message = f"Google names an address for this account that reminders cannot be sent from: {account.unusable}."
        return await _trouble(
            office, connection, _failed("address_unusable", message, "Link an account of your company's.")
        )
    if connection.sub not in {None, account.sub} and not link.another:
        message = "This connection was linked to another account before, and still is."
        remedy = (
            "Sign in with that account. Whoever runs certmail can also let another account take its place: "
            f"certmail connections link {connection.id} --another-account."
        )
        return _failed("another_account", message, remedy)
    try:
        await asyncio.to_thread(_check_domain, office, connection, account.email)
    except Refused as refused:
        return await _trouble(office, connection, _failed(refused.code, refused.message, refused.remedy))
    return account


async def _keep(office: Office, connection: Connection, granted: Granted, account: Account) -> Linked:
    assert granted.refresh_token is not None, "examined"
    linked = replace(
        connection.working(key_id=None),
        sub=account.sub,
        mailbox=account.email,
        refresh_token=seal_for(
            office.vault, granted.refresh_token.encode(), connection.owner, "refresh_token"
        ),
    )
    await asyncio.to_thread(office.save, linked)
    return Linked(
        ok=True, code="linked", message=f"{account.email} is linked: reminders will be sent from it."
    )


def _check_domain(office: Office, connection: Connection, mailbox: str) -> None:
    with office.db() as db:
        check_domain(registry.get_tenant(db, connection.tenant), mailbox)


def _failed(code: str, message: str, remedy: str) -> Linked:
    return Linked(ok=False, code=code, message=message, remedy=remedy)


def _not_consented(error: str) -> Linked:
    if error == "access_denied":
        return Linked(
            ok=False,
            code="consent_denied",
            message="The permission was not given.",
            remedy="Link the account again and allow it.",
        )
    message = f"Google ended the sign-in: {error[:80] or 'no code came back'}."
    return Linked(ok=False, code="consent_failed", message=message, remedy="Link the account again.")


async def _trouble(office: Office, connection: Connection, ended: Linked) -> Linked:
    """Say what happened on the connection too, unless it works: a failed second consent breaks nothing.

    Nor does it at Google: its grant is not given back (see `_give_back`), and tokens of a narrower consent are narrower
    themselves; that they take anything from those given before is nowhere documented (google.md §3.2). Should they, Gmail
    answers the next reminder with insufficient permissions, and the connection says `scope_missing` and what to do.
    """
    if connection.state is not ConnectionState.ACTIVE:
        await asyncio.to_thread(office.save, connection.troubled(ended.code, ended.message, ended.remedy))
    return ended
