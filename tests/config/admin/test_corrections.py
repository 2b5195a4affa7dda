"""What was entered wrongly is put right only as long as a connection has never worked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from certmail_config.admin.admin import Office, open_office
from certmail_config.admin.corrections import correct, start_over
from certmail_config.base.errors import Refused, WrongUse
from certmail_config.settings import Settings
from certmail_config.tenants.models import Connection, ConnectionState, Kind, Limits


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(Settings(data_dir=Path(tmp_path_factory.mktemp("over")))) as made:
        yield made


def pending(office: Office, tenant: str) -> Connection:
    office.add_tenant(tenant)
    return office.add_customer_owned_app(
        tenant,
        "default",
        service_account="wrong@it.iam.gserviceaccount.com",
        mailbox="wrong@acme.example",
        limits=Limits(per_day=500),
        valid_days=30,
    )


RIGHT = {"service_account": "right@it.iam.gserviceaccount.com", "mailbox": "right@acme.example"}


def test_addresses_are_corrected_and_the_certificate_stays(office: Office) -> None:
    made = pending(office, "corrected")
    office.note(made.troubled("service_account_unknown", "There is none.", "Check it."))
    found = correct(office, made.id, **RIGHT, verify=True)
    assert (found.service_account, found.mailbox, found.verify) == (*RIGHT.values(), True)
    assert (found.state, found.code) == (ConnectionState.PENDING, None)
    assert found.certificate == made.certificate
    with pytest.raises(WrongUse, match="The mailbox 'nowhere'"):
        correct(office, made.id, service_account=RIGHT["service_account"], mailbox="nowhere", verify=False)


def test_the_kind_is_chosen_again_with_the_same_limits(office: Office) -> None:
    made = pending(office, "again")
    draft = start_over(office, made.id)
    assert (draft.state, draft.kind, draft.private_key, draft.certificate) == (
        ConnectionState.DRAFT,
        None,
        None,
        None,
    )
    assert draft.limits == Limits(per_day=500)
    linked = office.add_service_provider_app("again", "default", limits=Limits())
    assert (linked.id, linked.kind) == (made.id, Kind.SERVICE_PROVIDER_APP)
    with pytest.raises(Refused, match="whichever signs in"):
        correct(office, linked.id, **RIGHT, verify=False)


def test_one_that_has_worked_is_left_alone(office: Office) -> None:
    made = pending(office, "worked")
    office.save(replace(made.working(key_id="1f")))
    with pytest.raises(Refused, match="has worked"):
        correct(office, made.id, **RIGHT, verify=False)
    with pytest.raises(Refused, match="has worked"):
        start_over(office, made.id)
