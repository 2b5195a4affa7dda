"""Many tenants in one deployment, each with a mailbox of its own in which one thing goes wrong.

Set up and looked at within the test's process, through the same doors that the commands use: a
process per step would take minutes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from sqlalchemy import select

from certmail import Mailer, Reminder
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base import redis_keys
from certmail_config.crypto.certificates import KeyPair, new_key_pair
from certmail_config.jobs.uncertain_policy import Rule
from certmail_config.ledger.view import JobView
from certmail_config.settings import Settings
from certmail_config.sql import tables
from certmail_config.tenants.models import SEND_SCOPE, Connection, ConnectionKind, ConnectionState
from support.deployment.deployment import BUSY_SECONDS, Deployment, wait_for

REDIRECT = "http://localhost/callback"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job, as the record has it; `at` is on the ledger's clock."""

    kind: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """Jobs as the ledger sees them, and how often Google was asked to send each, and has it."""

    views: dict[str, JobView]
    posts: Counter[str]
    copies: Counter[str]


@dataclass(slots=True)
class ManyTenants:
    """See the module."""

    deployment: Deployment
    admin: Admin
    mailer: Mailer
    pair: KeyPair
    client: dict[str, str]
    connections: dict[str, Connection] = field(default_factory=dict)

    def add(
        self, tenant: str, *, linked: bool = False, in_flight: int = 1, project: str = ""
    ) -> None:
        """Make a tenant with a working connection.

        It is a service account's, or with `linked` that of an account that consented. The service
        account lies in a project of its own, or in one that is named.
        """
        project = project or f"{tenant}-it"
        account = account_of(tenant, project)
        self.deployment.control("POST", "/service-accounts", {"email": account, "project": project})
        self.deployment.control(
            "PUT", f"/service-accounts/{account}/delegation", {"scopes": [SEND_SCOPE]}
        )
        self.deployment.control("POST", f"/service-accounts/{account}/keys", self.pair.certificate)
        mailbox = mailbox_of(tenant)
        self.deployment.control("POST", "/accounts", {"email": mailbox})
        _, draft = self.admin.add_tenant(tenant)
        self.admin.change_limits(draft.id, {"units_per_minute": 15_000, "in_flight": in_flight})
        working = replace(draft, state=ConnectionState.ACTIVE, mailbox=mailbox)
        vault, owner = self.admin.vault, draft.owner

        if linked:
            token = vault.seal(self._consent(mailbox).encode(), owner=owner)
            working = replace(
                working, kind=ConnectionKind.SERVICE_PROVIDER_APP, sub=tenant, refresh_token=token
            )
        else:
            working = replace(
                working,
                kind=ConnectionKind.CUSTOMER_OWNED_APP,
                service_account=account,
                private_key=vault.seal(self.pair.private_key, owner=owner),
                certificate=self.pair.certificate,
                not_after=self.pair.not_after,
            )

        self.connections[tenant] = self.admin.save(working)

    def _consent(self, account: str) -> str:
        """Sign in and allow everything; gives the refresh token."""
        query = {
            "client_id": self.client["client_id"],
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": SEND_SCOPE,
            "access_type": "offline",
            "prompt": "consent",
        }

        form = {"account": account, "scope": SEND_SCOPE, "decision": "allow"}
        page = f"{self.deployment.google}/o/oauth2/v2/auth?{urlencode(query)}"
        back = requests.post(page, data=form, allow_redirects=False, timeout=60)
        [code] = parse_qs(urlsplit(back.headers["Location"]).query)["code"]
        grant = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            **self.client,
        }
        answer = requests.post(f"{self.deployment.google}/token", data=grant, timeout=60).json()

        return str(answer["refresh_token"])

    def spoil(self, tenant: str, fault: str | dict[str, Any], *, path: str, **more: Any) -> None:
        """Let something go wrong in one tenant's mailbox."""
        match = {"path": path, "mailbox": mailbox_of(tenant)}
        self.deployment.control("POST", "/faults", {"match": match, "fault": fault, **more})

    def remind(
        self, tenant: str, name: str, *, priority: int = 5, uncertain: str | None = None
    ) -> str:
        """Enqueue one reminder; gives the job."""
        to = f"{name}@people.example"
        rule = None if uncertain is None else Rule(uncertain)
        return self.mailer.send(
            Reminder(tenant=tenant, to=to, priority=priority, uncertain=rule)
        ).id

    def status(self, job: str) -> JobView:
        """A job as `certmail status` sees it."""
        view = self.mailer.status(job)
        assert view is not None
        return view

    def at_one_moment(self, jobs: Sequence[str]) -> Moment:
        """What the ledger and Google say of these jobs, while nothing happens to them.

        Some may be tried again meanwhile: what both say has to belong together.
        """
        found: list[Moment] = []

        def nothing_happened() -> bool:
            before = {job: self.status(job) for job in jobs}
            posts = Counter(str(item["certmail_id"]) for item in self.posts())
            copies = self.deployment.copies()
            views = {job: self.status(job) for job in jobs}
            found[:] = [Moment(views, posts, copies)]
            return all(
                (before[job].state, before[job].attempts) == (views[job].state, views[job].attempts)
                for job in jobs
            )

        wait_for("a moment in which nothing happens", nothing_happened)
        return found[0]

    def settled(self, job: str, *states: str) -> JobView:
        """Wait until a job is in one of these states."""
        wait_for(f"{job} in {states}", lambda: self.status(job).state in states, BUSY_SECONDS)
        return self.status(job)

    def history(self, job: str, *kinds: str) -> list[Event]:
        """What happened to a job, from the record."""
        query = select(tables.events).where(tables.events.c.job == job)
        with self.admin.db() as db:
            rows = db.execute(
                query.order_by(tables.events.c.stream_ms, tables.events.c.stream_n)
            ).all()
        events = [Event(row.type, row.at.astimezone(UTC), json.loads(row.data)) for row in rows]
        return [event for event in events if event.kind in kinds]

    def happened(self, job: str, kind: str, count: int = 1) -> list[Event]:
        """The first so many events of a kind, once they are on record."""
        found: list[Event] = []

        def all_there() -> bool:
            found[:] = self.history(job, kind)[:count]
            return len(found) == count

        wait_for(f"{count} times {kind} on record for {job}", all_there, BUSY_SECONDS)
        return found

    def job(self, job: str) -> dict[str, str]:
        """A job's hash in the ledger."""
        return self._hash(redis_keys.JOB + job)

    def lane(self, tenant: str) -> dict[str, str]:
        """What stands against a tenant's lane."""
        return self._hash(redis_keys.LANE_INFO + self.connections[tenant].id)

    def until(self, tenant: str, job: str) -> datetime | None:
        """The latest time before which a job, its mailbox or its project may not send."""
        lane = self.lane(tenant)
        pauses = [
            self._hash(redis_keys.MAILBOX + lane["mailbox"]),
            self._hash(redis_keys.PROJECT + lane["project"]),
        ]
        found = [*(pause.get("cooling") for pause in pauses), self.job(job).get("not_before")]
        return max(
            (datetime.fromtimestamp(int(text) / 1000, UTC) for text in found if text), default=None
        )

    def due(self, job: str) -> datetime:
        """When somebody must look at a job next."""
        score = cast("float", self.admin.redis.zscore(redis_keys.DUE, job))
        return datetime.fromtimestamp(score / 1000, UTC)

    def let_come(self, job: str) -> None:
        """Make a waiting job due now: time passes for it alone."""
        self.admin.redis.zadd(redis_keys.DUE, {job: 0})

    def let_ask_again(self) -> None:
        """Let the fleet ask for tokens again at once.

        After a failure to reach Google it waits for some seconds.
        """
        redis = self.admin.redis
        for name in redis.scan_iter(redis_keys.REFUSAL + "*"):
            redis.delete(name)

    def posts(self, tenant: str | None = None) -> list[dict[str, Any]]:
        """What was asked of messages.send, in one mailbox or in all."""
        wanted = None if tenant is None else mailbox_of(tenant)
        return [
            item for item in self.deployment.sends() if wanted is None or item["mailbox"] == wanted
        ]

    def _hash(self, key: str) -> dict[str, str]:
        found = cast("dict[bytes, bytes]", self.admin.redis.hgetall(key))
        return {name.decode(): value.decode() for name, value in found.items()}


def account_of(tenant: str, project: str = "") -> str:
    """The tenant's service account, in a project of its own if none is named.

    What Google says of one project must not stop the others.
    """
    return f"certmail-{tenant}@{project or f'{tenant}-it'}.iam.gserviceaccount.com"


def mailbox_of(tenant: str) -> str:
    """The address that a tenant sends from."""
    return f"reviews@{tenant}.example"


@contextmanager
def many_tenants(deployment: Deployment) -> Iterator[ManyTenants]:
    """Many tenants in one deployment; the OAuth client is there, tenants and worker are not."""
    pair = new_key_pair(datetime.now(UTC))
    made = deployment.control("POST", "/oauth-clients", {"redirect_uris": [REDIRECT]})
    client = {name: str(made[name]) for name in ("client_id", "client_secret")}
    deployment.environment |= {
        "CERTMAIL_OAUTH_CLIENT_ID": client["client_id"],
        "CERTMAIL_OAUTH_CLIENT_SECRET": client["client_secret"],
    }
    with open_admin(Settings.from_env(data_dir=deployment.data_dir)) as admin:
        yield ManyTenants(deployment, admin, Mailer(admin.redis), pair, client)
