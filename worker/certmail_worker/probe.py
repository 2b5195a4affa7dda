"""Trying a connection out, step by step, the way delivery will use it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace

import aiohttp

from certmail_config.certificates import find_key_id
from certmail_config.connections import Connection, Kind
from certmail_config.errors import Refused
from certmail_config.office import Office
from certmail_config.settings import Settings
from certmail_config.token_errors import Denied
from certmail_config.vault import Vault
from certmail_worker.answers import Answered
from certmail_worker.http import exchange, new_session
from certmail_worker.minter import SCOPE, Minter, Purpose, oauth_client, purposes


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


def probe_and_save(office: Office, id_or_name: str) -> Probed:
    """Try a connection out, and open or suspend its lane by what was found. Raises Refused."""
    connection = office.connection(id_or_name)
    if connection.kind is None:
        remedy = f"certmail connections add {connection.tenant} --kind …"
        raise Refused("connection_draft", "This connection is not set up yet.", remedy)
    if connection.kind is Kind.SERVICE_PROVIDER_APP and connection.refresh_token is None:
        remedy = f"certmail connections link {connection.id}"
        raise Refused("not_linked", "No account is linked yet.", remedy)
    probed = asyncio.run(probe(connection, office.settings, office.vault))
    return replace(probed, connection=office.save(probed.connection))


async def probe(connection: Connection, settings: Settings, vault: Vault) -> Probed:
    """Look for the certificate at Google, then ask for a token. Raises SealBroken when the vault lacks the key."""
    async with new_session(
        ca_file=settings.google_ca_file, timeout_seconds=settings.http_timeout_seconds
    ) as session:
        minter = Minter(session, settings.google_token_url, vault, oauth_client(settings))
        steps: tuple[Step, ...] = ()
        if connection.kind is Kind.CUSTOMER_OWNED_APP:
            seen, key_id = await _certificate_seen(connection, session, settings.google_x509_url)
            steps = (seen,)
            if seen.ok:
                connection = connection.working(key_id=key_id)
        for purpose in purposes(connection) if all(step.ok for step in steps) else ():
            steps = (*steps, await _token_granted(connection, minter, purpose))
    for step in steps:
        if not step.ok:
            return Probed(connection.troubled(step.code, step.message, step.remedy), steps)
    return Probed(connection.working(key_id=connection.key_id), steps)


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


async def _token_granted(connection: Connection, minter: Minter, purpose: Purpose) -> Step:
    granted = await minter.mint(connection, purpose)
    if isinstance(granted, Denied):
        return Step(
            f"token to {purpose}", ok=False, code=granted.code, message=granted.message, remedy=granted.remedy
        )
    if granted.scopes and SCOPE[purpose] not in granted.scopes:
        message = f"Google gave a token without {SCOPE[purpose]}."
        return Step(
            f"token to {purpose}", ok=False, code="scope_missing", message=message, remedy="Grant that scope."
        )
    message = f"Google gives access tokens to {purpose} from the mailbox."
    return Step(f"token to {purpose}", ok=True, code="token_granted", message=message)
