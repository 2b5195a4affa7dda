"""The details of one connection, as its page shows them: from both stores, nothing secret.

Reading blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from certmail.gateway.console import texts
from certmail.gateway.console.context import ConsoleContext
from certmail.gateway.console.pages.connection_list import ListedConnection
from certmail.gateway.console.sessions.sessions import Visitor
from certmail.gateway.console.state_label import StateLabel
from certmail.gateway.console.tenant_lookup import tenant_of
from certmail.gateway.worker_requests import RequestState
from certmail_config.admin.taken_mail import was_taken
from certmail_config.base.errors import Refused
from certmail_config.crypto.certificates import ends_soon
from certmail_config.google.checklist import Step
from certmail_config.google.token_errors import Blame
from certmail_config.onboarding.client_ids import client_id_of
from certmail_config.onboarding.promised_mail import Promise, promise_of
from certmail_config.onboarding.worker_requests import Wish
from certmail_config.status.lane_status import last_leaves_at, read_lanes, sent_today
from certmail_config.tenants.models import Connection, ConnectionState
from certmail_config.tenants.pauses import pause_of

_AT_GOOGLE: Final = frozenset(
    {
        "certificate_not_uploaded",
        "key_unknown",
        "service_account_unknown",
        "delegation_missing",
        "scope_missing",
    }
)
API_DISABLED: Final = "api_disabled"


@dataclass(frozen=True, slots=True)
class ConnectionDetails(StateLabel):
    """One connection, as its page shows it."""

    line: ListedConnection
    answer: RequestState | None
    leaves_at: datetime | None
    sent_today: int
    paused: tuple[str, str] | None
    promised: Promise | None = None
    """The test mail that was asked for when it could not go yet."""
    client_id: str = ""
    """The service account's numeric client ID, once Google has told it."""
    mail_taken: bool = False
    """Whether Gmail took a mail from the mailbox; asked of what works only."""

    @property
    def connection(self) -> Connection:
        """The connection."""
        return self.line.connection

    @property
    def unproven(self) -> bool:
        """Whether Google gives the permission, and no mail has shown yet that Gmail takes any."""
        return self._works and not self.mail_taken

    @property
    def mail_refused(self) -> bool:
        """Whether the first mail that was to show it was refused, so that it is not set up yet."""
        blamed = (step for step in self.steps if not step.ok and step.blame is Blame.CUSTOMER)
        return self.unproven and any(step.name == "test mail" for step in blamed)

    @property
    def shown(self) -> ConnectionState:
        """The state that the page shows."""
        return ConnectionState.PENDING if self.mail_refused else self.line.shown

    @property
    def _works(self) -> bool:
        return self.connection.state is ConnectionState.ACTIVE and not self.line.troubled

    @property
    def never_worked(self) -> bool:
        """Whether what was entered can still be corrected."""
        return not self.line.has_worked

    @property
    def all_passed(self) -> bool:
        """Whether a checklist has just found nothing wrong."""
        over = self.answer is not None and self.answer.over
        return over and bool(self.steps) and all(step.ok for step in self.steps)

    @property
    def remedy(self) -> str:
        """What to do about its state."""
        connection = self.connection
        if connection.code == "certificate_expired" and connection.next_certificate:
            return texts.NEXT

        return texts.remedy(
            connection.code, connection.remedy or self.line.lane.remedy, connection.kind
        )

    @property
    def at_google(self) -> bool:
        """Whether something is to be done again at Google, of what once was set up there."""
        return self.line.troubled and self.connection.code in _AT_GOOGLE

    @property
    def running(self) -> bool:
        """Whether a worker is at it, so that the page should be looked at again."""
        return self.answer is not None and not self.answer.over

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that are known, unless a worker or a person has found out otherwise since."""
        if self.answer is None or self.answer.worker_request.wish is Wish.REMOVE:
            return ()

        steps = self.answer.worker_request.steps
        refused = any(not step.ok and step.blame is Blame.CUSTOMER for step in steps)

        # One that works was refused once: that stands until it is seen to work again.
        refused = refused and self.connection.refused_since is None
        outdated = refused if self._works else all(step.ok for step in steps)
        return () if self.answer.over and outdated else steps

    @property
    def spreading(self) -> bool:
        """Whether it may only be a matter of time, so that looking again now and then is worth it.

        So it is while it is set up: workers try by themselves, whether anybody has pressed a button
        here or not.
        """
        return self.being_set_up or any(step.waiting for step in self.steps)

    @property
    def to_come(self) -> tuple[str, ...]:
        """The names of steps that were not reached."""
        if self.all_passed and not self.unproven:
            return ()  # but for the test mail, which nobody asked for

        if (
            (self._works or self.connection.state is ConnectionState.DISABLED)
            and not self.running
            and not self.steps
        ):
            return ()  # nothing is left to do, or nothing can be tried

        known = {step.name for step in self.steps}
        return tuple(name for name in texts.planned(self.connection) if name not in known)

    def passed(self, name: str) -> bool:
        """Whether a step was seen to be as it must be."""
        works = self.connection.state is ConnectionState.ACTIVE and name != "test mail"
        return works or any(step.name == name and step.ok for step in self.steps)

    @property
    def api_disabled(self) -> bool:
        """Whether Gmail has said that its API is not enabled in the project.

        And nothing has shown since that it is.
        """
        troubled = self.connection.code == API_DISABLED
        return troubled or any(step.code == API_DISABLED and not step.ok for step in self.steps)

    @property
    def cloud_ready(self) -> bool:
        """Whether the Google Cloud project is as it must be, as far as that can be seen."""
        return self.passed("certificate") and not self.api_disabled

    @property
    def steps_done(self) -> int:
        """How many of the four steps of a set-up are done, the first of which led to this page."""
        return 1 + sum(
            (self.cloud_ready, self.passed("token to send"), self._works and self.mail_taken)
        )

    @property
    def to_be_mended(self) -> bool:
        """Whether the last check ended at what somebody has to mend: it does not pass by itself."""
        return any(
            not step.ok and not step.waiting and step.blame is Blame.CUSTOMER for step in self.steps
        )

    @property
    def account_seen(self) -> bool:
        """Whether Google was seen to know the service account."""
        missing = any(step.code == "certificate_not_uploaded" for step in self.steps)
        return missing or self.passed("certificate")

    @property
    def being_set_up(self) -> bool:
        """Whether the page is a guide through the first set-up."""
        return self.never_worked and self.connection.state is not ConnectionState.DISABLED

    @property
    def certificate_ended(self) -> bool:
        """Whether the certificate has expired."""
        ends = self.connection.not_after
        return ends is not None and ends <= datetime.now(UTC)

    @property
    def certificate_ends_soon(self) -> bool:
        """Whether it is time to make the next one."""
        certificate, ends = self.connection.certificate, self.connection.not_after
        return bool(certificate and ends and ends_soon(certificate, ends, datetime.now(UTC)))


def connection_of(context: ConsoleContext, visitor: Visitor, id_: str) -> Connection:
    """A connection that this visitor may see.

    Raises Refused for any other, as if there were none.
    """
    found = context.admin.connection(id_)
    if "/" in id_ or not visitor.may_see(found):
        raise Refused("unknown_connection", "There is no such connection.", "Go back to the list.")
    return found


def read_details(context: ConsoleContext, visitor: Visitor, id_: str) -> ConnectionDetails:
    """Read a connection's details; raises Refused, StoresUnreachable, RedisError, SealBroken."""
    connection = connection_of(context, visitor, id_)
    working = connection.state is ConnectionState.ACTIVE

    redis = context.admin.redis
    [lane] = read_lanes(redis, [connection.id])
    answer = context.requester.latest(connection.id)

    # A page that is looked at twice a second says when all will have left only in the end: that
    # takes a while to know.
    settled = answer is None or answer.over

    return ConnectionDetails(
        line=ListedConnection(connection, lane, tenant_of(context, connection.tenant).organisation),
        answer=answer,
        leaves_at=last_leaves_at(redis, connection.id) if settled else None,
        sent_today=sent_today(redis, connection.id),
        paused=pause_of(redis, connection.tenant),
        promised=promise_of(context.admin.strongbox, connection.id),
        client_id=client_id_of(context.admin.strongbox, connection),
        mail_taken=working and was_taken(context.admin, connection),
    )
