"""The two tenants of the demo, each linked the way its kind is linked in life."""

from __future__ import annotations

from dataclasses import dataclass

from certmail_config.admin.account_consent import begin_consent
from certmail_config.admin.admin import Admin
from certmail_config.base.errors import Refused
from certmail_config.tenants.models import Connection, ConnectionKind, GoogleLimits
from certmail_worker.connections.probe import probe_and_save
from certmail_worker.demo.google import SandboxGoogle
from certmail_worker.demo.progress import DemoProgress

UNITS_PER_MINUTE = 15_000
"""The older of Google's two quotas, so that the demo takes minutes rather than many."""
LIMITS = GoogleLimits(units_per_minute=UNITS_PER_MINUTE)


@dataclass(frozen=True, slots=True)
class Role:
    """One tenant of the demo."""

    tenant: str
    name: str
    kind: ConnectionKind
    mailbox: str


ACME = Role(
    "acme", "ACME Industries", ConnectionKind.CUSTOMER_OWNED_APP, "access-reviews@acme.example"
)
GLOBEX = Role("globex", "Globex", ConnectionKind.SERVICE_PROVIDER_APP, "compliance@globex.example")
ROLES = (ACME, GLOBEX)
SERVICE_ACCOUNT = "certmail@acme-it.iam.gserviceaccount.com"


def link_all(admin: Admin, google: SandboxGoogle, progress: DemoProgress) -> None:
    """Set both tenants up; raises Refused if one does not work."""
    google.set_limits(UNITS_PER_MINUTE)
    for role in ROLES:
        google.add_mailbox(role.mailbox)
        admin.add_tenant(role.tenant, name=role.name, reply_to=f"it-help@{role.tenant}.example")
    _link_acme(admin, google, progress)
    _link_globex(admin, google, progress)


def _link_acme(admin: Admin, google: SandboxGoogle, progress: DemoProgress) -> None:
    """A customer owned application: generate, upload, delegate, probe."""
    google.add_service_account(SERVICE_ACCOUNT, "acme-it")
    connection = admin.add_customer_owned_app(
        ACME.tenant,
        "default",
        service_account=SERVICE_ACCOUNT,
        mailbox=ACME.mailbox,
        limits=LIMITS,
        valid_days=365,
        verify=True,
    )

    progress.say("acme: key and certificate generated, certificate uploaded, delegation granted.")
    assert connection.certificate is not None, "made with the connection"
    google.upload(SERVICE_ACCOUNT, connection.certificate)
    probed = probe_and_save(admin, connection.id)
    for step in probed.steps:
        progress.say(f"acme: {step.message}")
    _must_work(probed.connection)


def _link_globex(admin: Admin, google: SandboxGoogle, progress: DemoProgress) -> None:
    """A service provider application: consent, redirected back to the gateway."""
    connection = admin.add_service_provider_app(GLOBEX.tenant, "default", limits=LIMITS)

    google.consent(begin_consent(admin, connection), GLOBEX.mailbox)
    linked = admin.connection(connection.id)
    _must_work(linked)
    progress.say(f"globex: its administrator signed in and consented; {linked.mailbox} is linked.")


def _must_work(connection: Connection) -> None:
    if connection.state != "active":
        raise Refused(
            "demo_not_linked",
            f"{connection.tenant} is not linked: {connection.message}",
            connection.remedy or "",
        )
