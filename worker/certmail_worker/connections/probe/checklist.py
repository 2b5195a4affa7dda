"""The checklist of a connection, from top to bottom; each step needs the ones before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import aiohttp

from certmail_config.base.errors import SealBroken
from certmail_config.crypto.vault import Vault
from certmail_config.google.checklist import Step
from certmail_config.google.oauth import Granted, read_account
from certmail_config.google.token_errors import Blame
from certmail_config.settings import Settings
from certmail_config.settings.oauth_client import oauth_client
from certmail_config.tenants.models import Connection, ConnectionKind
from certmail_worker.connections.probe import certificates, grants
from certmail_worker.connections.probe.steps import (
    concluded,
    failed,
    passed,
    seen_since,
    still_refused,
    until_confirmed,
    with_grace,
)
from certmail_worker.connections.probe.trial_mail import Allowance, send_test_mail
from certmail_worker.google.gmail import Gmail
from certmail_worker.google.http import exchange, new_session
from certmail_worker.google.responses import Answered
from certmail_worker.google.token_client import Purpose, TokenClient, purposes

OnSteps = Callable[[Sequence[Step]], Awaitable[None]]
"""Called with the steps that are known, whenever there is one more."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What was found; `connection` is the connection as it should now stand."""

    connection: Connection
    steps: tuple[Step, ...]


async def probe(
    connection: Connection,
    settings: Settings,
    vault: Vault,
    *,
    allowance: Allowance | None = None,
    on_steps: OnSteps | None = None,
) -> Probed:
    """Go through the checklist, up to the first step that fails.

    With `allowance` it goes on to a test mail.

    Google is asked only for what it gives without harm: nothing changes there, but for the test
    mail. A certificate that is to take the place of the present one does so here, as soon as Google
    accepts it.
    """
    now = datetime.now(UTC)

    async with new_session(
        ca_file=settings.google_ca_file,
        timeout_seconds=settings.http_timeout_seconds,
        proxy=settings.proxy,
    ) as session:
        checklist = Checklist(connection, settings, vault, session, allowance)
        steps: list[Step] = []

        try:
            async for step in checklist.steps(now):
                graced = with_grace(step, seen_since(step, connection, now), now)
                steps.append(until_confirmed(graced, connection, now, settings.confirm_seconds))
                if on_steps is not None:
                    await on_steps(steps)
                if not step.ok:
                    break
        except SealBroken as broken:
            steps.append(
                failed("vault", broken.code, broken.message, broken.remedy, Blame.OPERATOR)
            )

    ended = concluded(checklist.connection, steps, now, settings.confirm_seconds)
    return Probed(ended, (*steps, *checklist.side_steps))


@dataclass(slots=True)
class Checklist:
    """The checklist of one connection that is being examined.

    `connection` is what is known of it so far, `side_steps` are steps that decide nothing.
    """

    connection: Connection
    settings: Settings
    vault: Vault
    session: aiohttp.ClientSession
    allowance: Allowance | None
    side_steps: list[Step] = field(default_factory=list)

    async def steps(self, now: datetime) -> AsyncIterator[Step]:
        """Yield one step after the other; whoever asks stops at the first that fails."""
        client_id, granted = None, None
        refused = still_refused(self.connection)

        if self.connection.kind is ConnectionKind.CUSTOMER_OWNED_APP:
            if self.connection.next_certificate is not None:
                await self._rotate()
            yield self._dates(now)
            seen, key_id, ahead = await self._listed("certificate", self.connection)
            yield seen
            self.connection = replace(self.connection, key_id=key_id)
            if ahead is not None:
                yield certificates.clock(ahead)
            known, client_id = await grants.identity(
                self.connection, self._token_client(key_seen=key_id is not None)
            )
            yield known

        for purpose in purposes(self.connection):
            token_client = self._token_client(
                key_seen=self.connection.kind is ConnectionKind.CUSTOMER_OWNED_APP
            )
            step, found = await grants.token(self.connection, token_client, purpose, client_id)
            yield step
            granted = found if purpose is Purpose.SEND else granted

        assert granted is not None, "else a step before has failed"

        if self.connection.kind is ConnectionKind.SERVICE_PROVIDER_APP:
            async for step in self._account(granted):
                yield step

        if self.allowance is not None:
            gmail = Gmail(self.session, self.settings.gmail_url)
            yield await send_test_mail(self.connection, granted.access_token, gmail, self.allowance)
        elif refused is not None:
            yield refused

    def _dates(self, now: datetime) -> Step:
        certificate, not_after = self.connection.certificate, self.connection.not_after
        assert certificate is not None, "made with its key"
        assert not_after is not None, "made with the certificate"
        return certificates.dates(certificate, not_after, now, self.connection.id)

    async def _rotate(self) -> None:
        """Let the next certificate take over once Google lists it and gives a token for its key."""
        name, now = "next certificate", self.connection
        seen, key_id, _ = await self._listed(name, now.rotated(key_id=None))
        candidate = now.rotated(key_id=key_id)

        if seen.ok:
            step, granted = await grants.token(
                candidate, self._token_client(key_seen=True), Purpose.SEND
            )
            if step.ok and granted is not None:
                self.connection = candidate
                message = f"It has taken over, as key {key_id}: the old one may be deleted from the service account now."
                self.side_steps.append(passed(name, "certificate_rotated", message))
                return
            seen = step

        remedy = seen.remedy.replace(f"certificate {now.id}`", f"certificate {now.id} --next`")
        message = f"It has not taken over yet; the present one goes on. {seen.message}"
        self.side_steps.append(failed(name, seen.code, message, remedy, Blame.NOBODY, waiting=True))

    async def _account(self, granted: Granted) -> AsyncIterator[Step]:
        """Whose account it is.

        Its address may have changed since, and Gmail sends from none but that.
        """
        name, headers = "account", {"Authorization": f"Bearer {granted.access_token}"}
        answer = await exchange(
            self.session, "GET", self.settings.google_userinfo_url, headers=headers
        )
        account = (
            read_account(answer.body)
            if isinstance(answer, Answered) and answer.status == 200
            else None
        )
        if not isinstance(answer, Answered) or account is None:
            message = "Google does not say whose account it is now."
            yield failed(name, "account_unknown", message, "Probe again in a minute.", Blame.NOBODY)
            return

        if account.sub != self.connection.sub:
            message = "Google says that the token is another account's."
            yield failed(name, "another_account", message, "Link the account again.")
            return

        if account.unusable:
            message = f"Google names an address for the account that reminders cannot be sent from: {account.unusable}."
            yield failed(name, "address_unusable", message, "Link an account of your company's.")
            return

        moved = self.connection.mailbox is not None and account.email != self.connection.mailbox
        self.connection = replace(self.connection, mailbox=account.email)
        changed = " Its address has changed; reminders leave from the new one." if moved else ""
        yield passed(name, "account_known", f"It is {account.email}.{changed}")
        ahead = certificates.clock_ahead(answer.headers)
        if ahead is not None:
            yield certificates.clock(ahead)

    async def _listed(
        self, name: str, connection: Connection
    ) -> tuple[Step, str | None, float | None]:
        assert connection.certificate is not None, "made with its key"
        return await certificates.listed(
            name,
            self.session,
            self.settings.google_x509_url,
            str(connection.service_account),
            connection.certificate,
            connection.id,
        )

    def _token_client(self, *, key_seen: bool) -> TokenClient:
        """A token client that has remembered no key.

        It remembers keys by version, and here the key changes before the version does.
        """
        url, client = self.settings.google_token_url, oauth_client(self.settings)
        return TokenClient(self.session, url, self.vault, client, key_seen)
