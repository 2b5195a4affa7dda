"""A whole deployment for one test: start reading here.

It has a data directory, the sandbox as Google, and `certmail` run as a person runs it. The other
modules of this folder stand on it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from redis import Redis
from sqlalchemy import select

from certmail import Mailer, Receipt, Reminder
from certmail.files.source import text_source
from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base import redis_keys
from certmail_config.base.durability import FSYNC, vouch
from certmail_config.rights.roles import Role
from certmail_config.settings import PREFIX, Settings
from certmail_config.sql import tables
from certmail_config.stores.connect import connect
from certmail_config.tenants.models import GoogleLimits
from certmail_worker.connections.probe import probe_and_save
from support.processes.commands import commands
from support.processes.halt import Process
from support.servers.with_users import Users, server_with_users

SEND_SCOPE = "https://www.googleapis.com/auth/gmail.send"
METADATA_SCOPE = "https://www.googleapis.com/auth/gmail.metadata"
MAILBOX = "access-reviews@acme.example"
SERVICE_ACCOUNT = "certmail@acme-it.iam.gserviceaccount.com"
QUICK = {  # a worker that is lost is noticed within seconds
    "CERTMAIL_HTTP_TIMEOUT_SECONDS": "4",
    "CERTMAIL_SEND_WINDOW_SECONDS": "2",
    "CERTMAIL_LEASE_SECONDS": "10",
}

STEADY = {  # for many tenants at once: a machine that is slow for a moment is not what is tested
    "CERTMAIL_HTTP_TIMEOUT_SECONDS": "8",
    "CERTMAIL_SEND_WINDOW_SECONDS": "6",
    "CERTMAIL_LEASE_SECONDS": "20",
}


OPENING = threading.Lock()
"""Two threads of a process cannot upgrade databases at once: Alembic's context is the process's."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command gave back."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


BUSY_SECONDS = 90
"""How long a busy machine may take for what takes seconds.

Where a test waits so long, something is wrong.
"""


def wait_for(what: str, true: Callable[[], bool], seconds: float = BUSY_SECONDS) -> None:
    """Wait until something is so; fails saying what was waited for.

    What takes long is asked for less often: each question costs whoever is asked, too.
    """
    begun = time.monotonic()
    while not true():
        waited = time.monotonic() - begun
        assert waited < seconds, f"waited {seconds} s in vain: {what}"
        time.sleep(min(0.1, 0.03 + waited / 10))


@dataclass(slots=True)
class Deployment:
    """See the module."""

    data_dir: Path
    environment: dict[str, str]
    google: str = ""
    gateway: str = ""
    stack: ExitStack = field(default_factory=ExitStack)
    forks: bool = True
    """Whether what stays is forked, and shares memory; else it is a program of its own."""
    users: Users | None = None
    _admin: Admin | None = None
    _producer: Redis | None = None
    _session: requests.Session = field(default_factory=requests.Session)

    def run(self, *arguments: str, stdin: str | bytes | None = None, **environment: str) -> Ran:
        """Run a certmail command to its end."""
        given = stdin.encode() if isinstance(stdin, str) else stdin or b""
        as_user = self._as_user(arguments[0] if arguments else "")
        status, out, err = commands().run(
            arguments, self.environment | as_user | environment, given, seconds=120
        )
        return Ran(status, out.decode(), err.decode())

    def ask(self, *arguments: str, stdin: str | bytes | None = None) -> Any:
        """Run a command that must succeed, and give its JSON."""
        ran = self.run(*arguments, "--json", stdin=stdin)
        assert ran.status == 0, ran
        return ran.json

    def start(self, *arguments: str, log: str, before: str = "", **environment: str) -> Process:
        """Start a process of certmail's; it is stopped with the deployment.

        Those of the command line's are forked from one that has imported what they need, and may be
        told what Python to execute `before`.
        """
        file = self.stack.enter_context((self.data_dir / log).open("ab"))
        as_user = self._as_user(arguments[1]) if arguments[0] == "certmail_worker" else {}
        given = self.environment | as_user | environment
        process: Process
        if self.forks and arguments[0] == "certmail_worker":
            process = commands().start(
                arguments[1:], given, file.fileno(), file.fileno(), before=before
            )
        else:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env=given,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

        self.stack.callback(_stop, process)
        return process

    def have_users(self) -> Users:
        """Have a server with a user for each process; what is refused to one fails the test."""
        self.users = self.stack.enter_context(server_with_users(self.data_dir / "server"))
        self.environment["CERTMAIL_REDIS_URL"] = self.users.server.url
        vouch(self.users.server.redis, FSYNC)  # as the first worker, or gateway
        self.stack.callback(self._nothing_was_denied, self.users)
        return self.users

    def _nothing_was_denied(self, users: Users) -> None:
        denied = users.denied()
        assert not denied, denied

    def _as_user(self, command: str) -> dict[str, str]:
        """Where the server has users, a process is the one that it is meant to be."""
        return {} if self.users is None else {"CERTMAIL_REDIS_URL": self.users.url_for(command)}

    def worker(self, **environment: str) -> Process:
        """Start a worker."""
        return self.start("certmail_worker", "worker", log="worker.log", **environment)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the sandbox's control API."""
        given: dict[str, Any] = {"data": body} if isinstance(body, str) else {"json": body}
        url = f"{self.google}/_sandbox{path}"
        answer = self._session.request(method, url, timeout=BUSY_SECONDS, **given)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def fault(
        self, fault: str | dict[str, Any], *, path: str = "/messages/send", **more: Any
    ) -> None:
        """Let something go wrong at Google."""
        self.control("POST", "/faults", {"match": {"path": path}, "fault": fault, **more})

    def messages(self) -> list[dict[str, Any]]:
        """What arrived."""
        return list(self.control("GET", "/messages"))

    def copies(self) -> Counter[str]:
        """How often each job arrived."""
        return Counter(message["certmail_id"] for message in self.messages())

    def sends(self) -> list[dict[str, Any]]:
        """What was asked of messages.send."""
        return [
            item
            for item in self.control("GET", "/requests")
            if item["path"].endswith("/messages/send")
        ]

    @property
    def admin(self) -> Admin:
        """Both stores, open in the test's own process.

        Commands are run only where they are what is tested.
        """
        if self._admin is None:
            given = {
                n.removeprefix(PREFIX).lower(): v
                for n, v in self.environment.items()
                if n.startswith(PREFIX)
            }
            with OPENING:
                self._admin = self.stack.enter_context(open_admin(Settings.from_env(**given)))

        return self._admin

    @property
    def producer(self) -> Redis:
        """Redis as an upstream application has it."""
        if self.users is None:
            return self.admin.redis
        if self._producer is None:
            self._producer = self.stack.enter_context(connect(self.users.url(Role.PRODUCER)))
        return self._producer

    def at_google(self, tenant: str, *, verify: bool = False) -> tuple[str, str]:
        """Set up what the tenant's administrator has at Google; gives mailbox and service account.

        The service account is delegated to.
        """
        mailbox, account = (
            f"reviews@{tenant}.example",
            f"certmail@{tenant}-it.iam.gserviceaccount.com",
        )

        self.control("POST", "/accounts", {"email": mailbox})
        self.control("POST", "/service-accounts", {"email": account, "project": f"{tenant}-it"})
        scopes = [SEND_SCOPE, METADATA_SCOPE] if verify else [SEND_SCOPE]
        self.control("PUT", f"/service-accounts/{account}/delegation", {"scopes": scopes})

        return mailbox, account

    def link(
        self, tenant: str = "acme", *, units: int = 15_000, in_flight: int = 4, verify: bool = False
    ) -> str:
        """Set a tenant up with a working customer owned application; gives the connection's id."""
        mailbox, account = self.at_google(tenant, verify=verify)
        self.admin.add_tenant(tenant)
        with one_key():
            made = self.admin.add_customer_owned_app(
                tenant,
                "default",
                service_account=account,
                mailbox=mailbox,
                limits=GoogleLimits(units, in_flight),
                valid_days=30,
                verify=verify,
            )

        self.control("POST", f"/service-accounts/{account}/keys", made.certificate)
        # On a busy machine Google may answer too late.
        wait_for(
            "the connection to work",
            lambda: probe_and_save(self.admin, made.id).connection.state == "active",
        )
        return made.id

    def send(self, text: str) -> list[str]:
        """Enqueue a CSV; gives the jobs' ids."""
        with Mailer(self.producer) as mailer, text_source(text) as source:
            rows = [row.reminder for row in source]
            receipts = list(mailer.send_many(row for row in rows if isinstance(row, Reminder)))
        assert len(receipts) == len(rows)
        return [receipt.id for receipt in receipts if isinstance(receipt, Receipt)]

    def workers(self) -> int:
        """How many workers are alive."""
        alive: Any = self.admin.redis.zcard(redis_keys.WORKERS)
        return int(alive)

    def consent(
        self,
        url: str,
        account: str,
        *,
        decision: str = "allow",
        scopes: list[str] | None = None,
        answer: str = "yes",
    ) -> requests.Response:
        """Sign in and decide at Google's page, follow it back to certmail, and answer its question.

        An empty answer leaves that question open.
        """
        page = requests.get(url, timeout=BUSY_SECONDS)
        assert page.ok, page.text
        asked = parse_qs(urlsplit(url).query)["scope"][0].split()
        form = {
            "account": account,
            "scope": asked if scopes is None else scopes,
            "decision": decision,
        }

        with requests.Session() as browser:
            back = browser.post(url, data=form, timeout=BUSY_SECONDS)
            if not answer or "/oauth/google/account/" not in back.url:
                return back
            [token] = re.findall(r'name="csrf" value="([^"]+)"', back.text)
            given = {"csrf": token, "answer": answer}
            return browser.post(back.url, data=given, timeout=BUSY_SECONDS)

    def open_gateway(self, **environment: str) -> Process:
        """Register our OAuth client at Google and start the gateway; gives its process."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            listen = f"127.0.0.1:{probe.getsockname()[1]}"

        redirect = f"http://{listen}/oauth/google/callback"
        client = self.control("POST", "/oauth-clients", {"redirect_uris": [redirect]})
        self.environment |= {
            "CERTMAIL_LISTEN": listen,
            "CERTMAIL_OAUTH_CLIENT_ID": client["client_id"],
            "CERTMAIL_OAUTH_CLIENT_SECRET": client["client_secret"],
            "CERTMAIL_GOOGLE_AUTH_URL": f"{self.google}/o/oauth2/v2/auth",
            "CERTMAIL_GOOGLE_REVOKE_URL": f"{self.google}/revoke",
            "CERTMAIL_GOOGLE_CERTS_URL": f"{self.google}/oauth2/v1/certs",
            "CERTMAIL_GOOGLE_USERINFO_URL": f"{self.google}/v1/userinfo",
        }

        process = self.start("certmail_worker", "gateway", log="gateway.log", **environment)
        self.gateway = f"http://{listen}"
        wait_for("the gateway", self._gateway_is_ready)

        return process

    def _gateway_is_ready(self) -> bool:
        try:
            return requests.get(f"{self.gateway}/readyz", timeout=BUSY_SECONDS).ok
        except requests.ConnectionError:
            return False

    def link_account(self, tenant: str = "globex", account: str = "reviews@globex.example") -> str:
        """Set a tenant up by consent; gives the connection's id. Needs the gateway."""
        self.control("POST", "/accounts", {"email": account})
        self.ask("tenants", "add", tenant)
        options = ["--kind", "service_provider_app", "--units-per-minute", "15000"]
        added = self.ask("connections", "add", tenant, *options)
        url = self.ask("connections", "link", added["id"])["url"]
        assert self.consent(url, account).ok
        return str(added["id"])

    def status(self, job: str) -> dict[str, Any]:
        """A job as `certmail status` shows it."""
        with Mailer(self.producer) as mailer:
            view = mailer.status(job)
        assert view is not None, f"{job} is unknown"
        shown = json.loads(json.dumps(asdict(view), default=str))
        assert isinstance(shown, dict)
        return shown

    def recorded(self) -> dict[str, str]:
        """The record: each job's state."""
        with self.admin.db() as db:
            rows = db.execute(select(tables.deliveries.c.job, tables.deliveries.c.state)).all()
        return {str(job): str(state) for job, state in rows}

    def wait_recorded(
        self, jobs: Sequence[str], states: set[str], seconds: float = BUSY_SECONDS
    ) -> dict[str, str]:
        """Wait until the record has every job in one of these states."""
        found: dict[str, str] = {}

        def all_there() -> bool:
            found.update(self.recorded())
            return all(found.get(job) in states for job in jobs)

        wait_for(f"all of {len(jobs)} jobs in {states} on record", all_there, seconds)
        return found


@contextmanager
def one_key() -> Iterator[None]:
    """New applications have one RSA key while this lasts, in this process.

    To make one takes a fifth of a second, which tests of something else need not wait for.
    """
    with mock.patch.object(rsa, "generate_private_key", return_value=_key()):
        yield


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _stop(process: Process) -> None:
    process.terminate()
    try:
        process.wait(BUSY_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGABRT)
        process.wait(BUSY_SECONDS)


def recorded_in(database: str) -> dict[str, str]:
    """The settings for a record in this database, which somebody else has made and upgraded."""
    key = base64.b64encode(os.urandom(32)).decode()
    return {"CERTMAIL_DATABASE_URL": database, "CERTMAIL_VAULT_KEYS": f"k1:{key}"}


@contextmanager
def new_deployment(data_dir: Path, **settings: str) -> Iterator[Deployment]:
    """A deployment with the sandbox running and an embedded server that stays up for the test."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("CERTMAIL_")
    }
    environment |= {"CERTMAIL_DATA_DIR": str(data_dir), "HOME": str(data_dir)}
    # What hangs is killed by SIGABRT: its log has its stacks.
    environment["PYTHONFAULTHANDLER"] = "1"
    # A refusal is confirmed within a test's patience.
    environment["CERTMAIL_CONFIRM_SECONDS"] = "3"
    environment |= settings
    environment["CERTMAIL_FLOWER_LISTEN"] = "127.0.0.1:0"  # several deployments at once
    data_dir.mkdir(parents=True, exist_ok=True)
    environment.setdefault("CERTMAIL_LISTEN", "127.0.0.1:0")
    made = Deployment(data_dir, environment)
    # Nothing of this machine's environment is asked for each request: no proxy, no password.
    made._session.trust_env = False

    with made.stack, made._session:
        if os.environ.get("REDIS_RIGHTS") and "CERTMAIL_REDIS_URL" not in environment:
            made.have_users()
        address, told = os.pipe()
        with os.fdopen(address) as told_by_it:
            sandbox = commands().start(("sandbox", "--listen", "127.0.0.1:0"), environment, told, 2)
            os.close(told)
            made.stack.callback(_stop, sandbox)
            made.google = told_by_it.readline().strip()
        assert made.google.startswith("http://"), "the sandbox prints its address first"
        environment |= {
            "CERTMAIL_GOOGLE_TOKEN_URL": f"{made.google}/token",
            "CERTMAIL_GOOGLE_X509_URL": f"{made.google}/service_accounts/v1/metadata/x509/",
            "CERTMAIL_GMAIL_URL": made.google,
        }
        yield made


def campaign(count: int, tenant: str = "acme", campaign: str = "q4") -> str:
    """A CSV of so many reviewers."""
    lines = ["tenant,to,name,campaign,campaign_name,due_at,pending,completed,link"]
    lines += [
        f"{tenant},reviewer{n}@people.example,Réviewer Ñumber {n},{campaign},Quarterly secret campaign,"
        f"2099-12-11T17:00:00+01:00,{n % 7 + 1},3,https://iga.example/r/{n}"
        for n in range(count)
    ]
    return "\n".join(lines) + "\n"
