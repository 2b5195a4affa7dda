"""What was entered wrongly is put right only as long as a connection has never worked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.corrections import correct, start_over
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.settings import Settings
from certmail_config.tenants.models import Connection, ConnectionKind, ConnectionState, GoogleLimits


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admin]:
    with open_admin(Settings(data_dir=Path(tmp_path_factory.mktemp("over")))) as made:
        yield made


def pending(admin: Admin, tenant: str) -> Connection:
    admin.add_tenant(tenant)
    return admin.add_customer_owned_app(
        tenant,
        "default",
        service_account="wrong@it.iam.gserviceaccount.com",
        mailbox="wrong@acme.example",
        limits=GoogleLimits(per_day=500),
        valid_days=30,
    )


RIGHT = {"service_account": "right@it.iam.gserviceaccount.com", "mailbox": "right@acme.example"}


def test_addresses_are_corrected_and_the_certificate_stays(admin: Admin) -> None:
    made = pending(admin, "corrected")
    admin.note(made.failing("service_account_unknown", "There is none.", "Check it."))
    found = correct(admin, made.id, **RIGHT, verify=True)
    assert (found.service_account, found.mailbox, found.verify) == (*RIGHT.values(), True)
    assert (found.state, found.code) == (ConnectionState.PENDING, None)
    assert found.certificate == made.certificate

    with pytest.raises(WrongUse, match="The mailbox 'nowhere'"):
        correct(
            admin,
            made.id,
            service_account=RIGHT["service_account"],
            mailbox="nowhere",
            verify=False,
        )


def test_the_kind_is_chosen_again_with_the_same_limits(admin: Admin) -> None:
    made = pending(admin, "again")
    draft = start_over(admin, made.id)
    assert (draft.state, draft.kind, draft.private_key, draft.certificate) == (
        ConnectionState.DRAFT,
        None,
        None,
        None,
    )

    assert draft.limits == GoogleLimits(per_day=500)
    linked = admin.add_service_provider_app("again", "default", limits=GoogleLimits())
    assert (linked.id, linked.kind) == (made.id, ConnectionKind.SERVICE_PROVIDER_APP)
    with pytest.raises(Refused, match="whichever signs in"):
        correct(admin, linked.id, **RIGHT, verify=False)


def test_one_that_has_worked_is_left_alone(admin: Admin) -> None:
    made = pending(admin, "worked")
    admin.save(replace(made.working(key_id="1f")))
    with pytest.raises(Refused, match="has worked"):
        correct(admin, made.id, **RIGHT, verify=False)
    with pytest.raises(Refused, match="has worked"):
        start_over(admin, made.id)
