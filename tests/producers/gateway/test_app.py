"""The gateway's application: where its root leads, and what it logs of stores that are away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from certmail.gateway.app import build
from certmail_config.admin.admin import Admin
from certmail_config.admin.setup_links import issue
from certmail_config.base.errors import SettingsError
from certmail_config.settings import Settings


async def test_the_bare_address_leads_to_the_console(client: Any) -> None:
    async with client.session.get(client.base, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/console")


async def test_a_store_that_is_away_stands_in_the_log(
    client: Any, admin: Admin, caplog: pytest.LogCaptureFixture
) -> None:
    link = issue(admin, "acme").url.rpartition("/")[2]
    admin.engine.dispose()
    (admin.settings.data_dir / "certmail.sqlite").rename(admin.settings.data_dir / "gone")
    (admin.settings.data_dir / "certmail.sqlite").mkdir()  # nothing can be opened there
    assert (await client.get("/v1/tenants"))[0] == 503

    async with client.session.get(f"{client.base}/connect/{link}") as page:
        assert page.status == 503
    logged = {(record.message, record.__dict__["code"]) for record in caplog.records}
    assert logged == {
        ("api_unavailable", "stores_unreachable"),
        ("page_unavailable", "database_unreachable"),
    }


@pytest.mark.parametrize(
    "given",
    [
        {"operator_oauth_client_id": "ours"},
        {"operator_oauth_client_secret": "secret"},
        {"operator_oauth_client_id": "ours", "operator_oauth_client_secret": "secret"},
    ],
    ids=["no secret", "no id", "no domain"],
)
def test_half_a_way_to_sign_in_with_google_is_refused(given: dict[str, str], admin: Admin) -> None:
    settings = Settings(**(admin.settings.model_dump() | given))
    with pytest.raises(SettingsError) as refused:
        build(replace(admin, settings=settings))
    assert refused.value.code == "operator_client_incomplete"
