"""Trying a connection out, step by step, the way delivery will use it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import aiohttp

from certmail_config.certificates import find_key_id
from certmail_config.connections import SEND_SCOPE, Connection, Kind
from certmail_config.oauth import Denied
from certmail_config.settings import Settings
from certmail_config.vault import Vault
from certmail_worker.answers import Answered
from certmail_worker.http import exchange, new_session
from certmail_worker.tokens import mint, signer


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the checklist; a failed one says what Google said and what to do."""

    name: str
    ok: bool
    code: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Probed:
    """What was found; `connection` is the connection as it should now stand."""

    connection: Connection
    steps: tuple[Step, ...]


async def probe(connection: Connection, settings: Settings, vault: Vault) -> Probed:
    """Look for the certificate at Google, then ask for a token. Raises SealBroken when the vault lacks the key."""
    assert connection.kind is Kind.CUSTOMER_OWNED_APP, "the other kind is linked by consent"
    async with new_session(
        ca_file=settings.google_ca_file, timeout_seconds=settings.http_timeout_seconds
    ) as session:
        seen, key_id = await _certificate_seen(connection, session, settings.google_x509_url)
        if not seen.ok:
            return Probed(connection.troubled(seen.code, seen.message, seen.remedy), (seen,))
        connection = connection.working(key_id=key_id)
        granted = await _token_granted(connection, session, settings, vault)
        if not granted.ok:
            return Probed(connection.troubled(granted.code, granted.message, granted.remedy), (seen, granted))
        return Probed(connection, (seen, granted))


async def _certificate_seen(
    connection: Connection, session: aiohttp.ClientSession, url: str
) -> tuple[Step, str | None]:
    """The public list of a service account's certificates proves the upload and gives the key id (google.md §4.1)."""
    name = "certificate"
    answer = await exchange(session, "GET", url.rstrip("/") + "/" + str(connection.service_account))
    if not isinstance(answer, Answered):
        message = f"Google's list of certificates cannot be reached: {answer.why}"
        return Step(
            name,
            ok=False,
            code="x509_unreachable",
            message=message,
            remedy="Check the network, then probe again.",
        ), None
    if answer.status == 404:
        message = f"Google says: there is no service account {connection.service_account} (HTTP 404)."
        return Step(
            name,
            ok=False,
            code="service_account_unknown",
            message=message,
            remedy="Check the service account's email address.",
        ), None
    try:
        published = json.loads(answer.body)
        if answer.status != 200 or not isinstance(published, dict):
            raise ValueError
    except ValueError:
        message = f"Google's list of certificates could not be read (HTTP {answer.status})."
        return Step(
            name, ok=False, code="x509_unreachable", message=message, remedy="Probe again in a minute."
        ), None
    assert connection.certificate is not None, "made when the connection was added"
    key_id = find_key_id({str(kid): str(pem) for kid, pem in published.items()}, connection.certificate)
    if key_id is None:
        message = f"The service account has {len(published)} keys, but not the one of certmail's certificate."
        remedy = (
            f"Download it (`certmail connections certificate {connection.id}`) and upload it in the Google Cloud console: "
            "service account, Keys, Add key, Upload existing key. It may take a minute to be seen."
        )
        return Step(name, ok=False, code="certificate_not_uploaded", message=message, remedy=remedy), None
    return Step(
        name, ok=True, code="certificate_seen", message=f"Google lists the certificate under key {key_id}."
    ), key_id


async def _token_granted(
    connection: Connection, session: aiohttp.ClientSession, settings: Settings, vault: Vault
) -> Step:
    granted = await mint(connection, signer(connection, vault), session, settings.google_token_url)
    if isinstance(granted, Denied):
        return Step("token", ok=False, code=granted.code, message=granted.message, remedy=granted.remedy)
    if granted.scopes and SEND_SCOPE not in granted.scopes:
        return Step(
            "token",
            ok=False,
            code="scope_missing",
            message="Google gave a token without gmail.send.",
            remedy="Authorise that scope.",
        )
    return Step("token", ok=True, code="token_granted", message="Google gives access tokens for the mailbox.")
