"""The links into Google's consoles.

Each opens the very page, whatever the values, and only at the consoles' own addresses.
"""

from urllib.parse import parse_qs, urlsplit

import pytest

from certmail_config.google.consoles import Consoles, account_of, project_of
from certmail_config.settings import Settings
from certmail_config.tenants.models import METADATA_SCOPE, SEND_SCOPE

GOOGLE = Consoles("https://console.cloud.google.com", "https://admin.google.com")
ACCOUNT = "certmail@acme-it.iam.gserviceaccount.com"
NASTY = (
    "a&project=evil",
    "a#b",
    "a b",
    "a/../..",
    "a?x=y",
    "a%26b",
    "é",
    "a'b\"<c>",
    "a@evil.example",
    "//x",
)


class TestWhereLinksLead:
    def test_the_keys_of_a_service_account_are_one_click_away(self) -> None:
        assert (
            GOOGLE.service_account_keys(ACCOUNT, "117")
            == "https://console.cloud.google.com/iam-admin/serviceaccounts/details/117/keys?project=acme-it"
        )
        assert f"/details/{ACCOUNT}/keys?project=acme-it" in GOOGLE.service_account_keys(ACCOUNT)

    def test_a_service_account_that_names_no_project_is_found_in_the_list(self) -> None:
        assert GOOGLE.service_account_keys("1@developer.gserviceaccount.com").endswith(
            "/iam-admin/serviceaccounts"
        )

    def test_delegation_comes_with_the_client_id_and_all_scopes_because_it_replaces_what_was_there(
        self,
    ) -> None:
        found = urlsplit(GOOGLE.delegation("117", [SEND_SCOPE, METADATA_SCOPE]))
        assert (found.netloc, found.path) == ("admin.google.com", "/ac/owl/domainwidedelegation")
        assert parse_qs(found.query) == {
            "clientIdToAdd": ["117"],
            "clientScopeToAdd": [f"{SEND_SCOPE},{METADATA_SCOPE}"],
            "overwriteClientId": ["true"],
        }

    def test_without_the_client_id_nothing_is_filled_in(self) -> None:
        assert (
            GOOGLE.delegation("", [SEND_SCOPE])
            == "https://admin.google.com/ac/owl/domainwidedelegation"
        )

    def test_the_api_the_policy_and_a_terminal_are_of_the_project(self) -> None:
        assert GOOGLE.gmail_api("acme-it").endswith(
            "/apis/library/gmail.googleapis.com?project=acme-it"
        )
        assert GOOGLE.key_upload_policy("acme-it").endswith(
            "/iam-admin/orgpolicies/iam-disableServiceAccountKeyUpload?project=acme-it"
        )
        assert GOOGLE.cloud_shell("acme-it").endswith("/?cloudshell=true&project=acme-it")

    def test_a_sandbox_can_stand_in_for_both(self) -> None:
        set_so = Settings.from_env(
            google_console_url="http://127.0.0.1:8090/cloud/",
            google_admin_url="http://127.0.0.1:8090/admin",
        )
        stand_in = set_so.consoles
        assert stand_in.gmail_api("p").startswith("http://127.0.0.1:8090/cloud/apis/library/")
        assert stand_in.app_access().startswith("http://127.0.0.1:8090/admin/ac/owl/list?")


@pytest.mark.parametrize("value", NASTY)
def test_no_value_leads_elsewhere_or_adds_a_parameter(value: str) -> None:
    links = {
        GOOGLE.gmail_api(value): {"project": [value]},
        GOOGLE.cloud_shell(value): {"cloudshell": ["true"], "project": [value]},
        GOOGLE.key_upload_policy(value): {"project": [value]},
        GOOGLE.new_service_account(value): {"project": [value]},
        GOOGLE.service_account_keys(ACCOUNT, value): {"project": ["acme-it"]},
        GOOGLE.delegation("1", [value]): {
            "clientIdToAdd": ["1"],
            "clientScopeToAdd": [value],
            "overwriteClientId": ["true"],
        },
    }
    for link, query in links.items():
        found = urlsplit(link)
        assert found.netloc in {"console.cloud.google.com", "admin.google.com"}
        assert parse_qs(found.query) == query
        assert not found.fragment
        assert link.isascii()
        assert found.path.count("/") <= 5, "what is a value stays one part of the path"


@pytest.mark.parametrize("project", ["acme-it", "example.com:acme-it"])
def test_an_address_names_its_project_and_a_project_its_address(project: str) -> None:
    assert project_of(account_of(project, "certmail")) == project


@pytest.mark.parametrize("address", ["1@developer.gserviceaccount.com", "", "x@example.com"])
def test_what_names_no_project_says_so(address: str) -> None:
    assert project_of(address) == ""
