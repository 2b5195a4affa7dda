"""What Google decides, counts and lets age by itself, without a fault that was ordered.

Through one running worker, each matter in a mailbox of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from certmail_config.ledger.view import JobView
from support.deployment.deployment import STEADY, new_deployment, wait_for
from support.deployment.many_tenants import ManyTenants, account_of, mailbox_of, many_tenants

DAY_SECONDS = 86_400
SOON = 60.0
LINKED = ("session", "restricted", "testing")
OWNED = ("policy", "disabled", "recipients", "project", "nobody", "calm")


@dataclass(frozen=True, slots=True)
class Hall:
    """The tenants, with its first reminders under way."""

    many_tenants: ManyTenants
    jobs: dict[str, str]


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    settings = {**STEADY, "CERTMAIL_CONFIRM_SECONDS": "5"}
    with (
        new_deployment(Path(tmp_path_factory.mktemp("strict")), **settings) as deployment,
        many_tenants(deployment) as people,
    ):
        rules = {"testing": True, "test_users": [mailbox_of(tenant) for tenant in LINKED]}
        deployment.control("PUT", "/projects/service-provider", rules)
        for tenant in LINKED + OWNED:
            people.add(tenant, linked=tenant in LINKED)

        deployment.control("PUT", "/domains/session.example", {"session_seconds": 0})
        deployment.control("PUT", "/domains/restricted.example", {"gmail_restricted": True})
        deployment.control("PUT", "/domains/policy.example", {"gmail_apps": False})
        deployment.control("PUT", "/recipients/gone@people.example", {"exists": False})
        _disable_keys(people, "disabled")
        deployment.control("PUT", "/limits", {"unique_recipients_per_day": 2})

        deployment.worker()
        names = {tenant: "gone" if tenant == "nobody" else "first" for tenant in OWNED + LINKED[:2]}
        yield Hall(people, {tenant: people.remind(tenant, name) for tenant, name in names.items()})


def _disable_keys(people: ManyTenants, tenant: str) -> None:
    """As an administrator of its Google Cloud project does."""
    account = account_of(tenant)
    listed = requests.get(
        f"{people.deployment.google}/service_accounts/v1/metadata/x509/{account}", timeout=60
    )
    for kid in listed.json():
        people.deployment.control(
            "PUT", f"/service-accounts/{account}/keys/{kid}", {"disabled": True}
        )


def stopped(people: ManyTenants, tenant: str, job: str, code: str) -> JobView:
    """Wait until a lane is stopped with a code; the reminder waits in it and was not tried."""
    wait_for(f"{tenant} stopped: {code}", lambda: people.lane(tenant).get("code") == code, SOON)
    status = people.settled(job, "ready")
    assert (status.reason or "").startswith(f"{code}: ")
    return status


@pytest.mark.parametrize(
    ("tenant", "code", "says"),
    [
        ("session", "session_ended", "session control"),
        ("restricted", "admin_policy", "Workspace administrator must trust"),
        ("policy", "domain_policy", "Workspace administrator must allow"),
        ("disabled", "key_unknown", "disabled"),
    ],
)
def test_a_decision_at_the_customers_stops_the_mailbox_and_says_who_takes_it_back(
    hall: Hall, tenant: str, code: str, says: str
) -> None:
    status = stopped(hall.many_tenants, tenant, hall.jobs[tenant], code)
    assert says in (status.reason or "")


def test_a_limit_on_recipients_lets_the_mailbox_wait_for_hours_and_fails_nothing(
    hall: Hall,
) -> None:
    people = hall.many_tenants
    people.settled(hall.jobs["recipients"], "accepted")
    people.settled(people.remind("recipients", "second"), "accepted")
    third = people.remind("recipients", "third")
    _waits(people, "recipients", third, "day_full")


def test_a_project_that_has_used_its_day_waits_and_fails_nothing(hall: Hall) -> None:
    people = hall.many_tenants
    people.settled(hall.jobs["project"], "accepted")
    people.deployment.control(
        "PUT", "/limits", {"project_units_per_day": 100}
    )  # one message; each tenant has a project of its own
    _waits(people, "project", people.remind("project", "second"), "project_day_full")
    people.deployment.control("PUT", "/limits", {"project_units_per_day": 80_000_000})


def _waits(people: ManyTenants, tenant: str, job: str, code: str) -> None:
    """It is refused once, in the time that is known to all; nothing counts against the reminder."""
    [refused] = people.happened(job, "settled")
    assert refused.data["reason"].startswith(f"{code}: ")
    assert people.status(job).state in {"ready", "scheduled"}
    assert people.job(job).get("failures", "0") == "0"
    assert people.until(tenant, job) is not None
    assert people.lane(tenant)["state"] == "open"


def test_a_bounce_comes_after_the_record_said_accepted_and_changes_nothing(hall: Hall) -> None:
    people = hall.many_tenants
    people.settled(hall.jobs["nobody"], "accepted")
    [sent] = [m for m in people.deployment.messages() if m["mailbox"] == mailbox_of("nobody")]
    assert sent["bounced"] == ["gone@people.example"]
    assert len(people.posts("nobody")) == 1


def test_the_others_send_meanwhile(hall: Hall) -> None:
    hall.many_tenants.settled(hall.jobs["calm"], "accepted")


def test_a_permission_given_in_testing_ends_after_seven_days_and_the_remedy_names_publishing(
    hall: Hall,
) -> None:
    """From here on Google's clock is ahead."""
    people = hall.many_tenants
    people.deployment.control("POST", "/clock", {"advance": 8 * DAY_SECONDS})
    job = people.remind("testing", "first")
    status = stopped(people, "testing", job, "grant_revoked")
    assert "In production" in (status.reason or "")


def test_a_clock_that_differs_from_googles_is_the_operators_matter_and_stops_no_mailbox(
    hall: Hall,
) -> None:
    people = hall.many_tenants
    job = people.remind("calm", "second")
    [released] = people.happened(job, "released")
    assert released.data["reason"].startswith("clock_wrong: ")
    assert "Set the clock" in released.data["reason"]
    assert people.lane("calm")["state"] == "open"
