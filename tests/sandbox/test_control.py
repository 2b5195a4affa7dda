"""The control API: what may be ordered, and what is refused by name."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

if TYPE_CHECKING:
    from sandbox.conftest import Google

MAILBOX = "reminders@acme.example"
ROBOT = "certmail@acme-project.iam.gserviceaccount.com"


async def refusal(
    google: Google, method: str, path: str, body: Any = None, data: Any = None
) -> str:
    answer = await google.ask(method, "/_sandbox" + path, json=body, data=data)
    assert 400 <= answer.status < 500
    sentence = str(answer.body["error"]["message"])
    assert sentence.endswith(".")
    return sentence


async def test_an_account_gets_what_it_is_not_given(google: Google) -> None:
    made = await google.control("POST", "/accounts", {"email": "ada.lovelace@acme.example"})
    assert re.fullmatch(r"1\d{20}", made["sub"])
    assert made["name"] == "Ada Lovelace"

    again = await google.control(
        "POST", "/accounts", {"email": "ada.lovelace@acme.example", "name": "Ada"}
    )
    assert (again["sub"], again["name"]) == (made["sub"], "Ada")


async def test_another_sub_for_an_address_is_another_person(google: Google) -> None:
    token = await google.token()
    await google.control("POST", "/accounts", {"email": MAILBOX, "sub": "999"})
    assert (await google.send(token)).status == 401


async def test_a_service_account_gets_a_numeric_client_id(google: Google) -> None:
    body = {"email": ROBOT, "project": "acme-project"}
    made = await google.control("POST", "/service-accounts", body)
    assert set(made) == {"email", "project", "client_id"}
    assert re.fullmatch(r"\d{21}", made["client_id"])


async def test_an_uploaded_certificate_answers_its_key_id_and_again_the_same(
    google: Google,
) -> None:
    certificate = google.keys.certificate()
    kid = await google.service_account(certificate=certificate)
    assert re.fullmatch(r"[0-9a-f]{40}", kid)
    assert await google.upload(certificate) == kid


async def test_what_is_no_fit_certificate_is_refused_with_a_sentence(google: Google) -> None:
    await google.service_account()
    keys = f"/service-accounts/{ROBOT}/keys"
    good = google.keys.certificate()

    for upload, sentence in (
        (google.keys.private_pem, "private key"),
        (good + google.keys.private_pem, "private key"),
        ("garbage", "PEM"),
        ("", "PEM"),
        (good + good, "exactly one"),
        (good.replace("MII", "AAA", 1), "cannot be read"),
        (google.keys.certificate(starts_in_days=-30, ends_in_days=-1), "expired"),
        (elliptic(), "RSA"),
    ):
        assert sentence in await refusal(google, "POST", keys, data=upload)


async def test_an_organisation_may_forbid_the_upload_of_keys(google: Google) -> None:
    await google.service_account()
    keys, project = f"/service-accounts/{ROBOT}/keys", "/projects/acme-project"
    await google.control("PUT", project, {"key_upload": False})
    refused = await refusal(google, "POST", keys, data=google.keys.certificate())
    assert "constraints/iam.disableServiceAccountKeyUpload" in refused

    await google.control("PUT", project, {"key_expiry_hours": 24})
    refused = await refusal(google, "POST", keys, data=google.keys.certificate(ends_in_days=2))
    assert "constraints/iam.serviceAccountKeyExpiryHours" in refused

    await google.upload(google.keys.certificate(ends_in_days=0.9))


def elliptic() -> str:
    """A certificate with a key of another kind."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    start = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 7, start, start + dt.timedelta(days=1)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


async def test_ten_keys_are_the_most(google: Google) -> None:
    await google.service_account()
    for _ in range(9):
        await google.upload(google.keys.certificate())
    keys = f"/service-accounts/{ROBOT}/keys"
    assert "10 keys" in await refusal(google, "POST", keys, data=google.keys.certificate())


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("POST", "/accounts", {"email": "x@y.z", "colour": 1}, "colour"),
        ("POST", "/accounts", {"email": "nobody"}, "email"),
        ("POST", "/accounts", {}, "email"),
        ("POST", "/accounts", {"email": "x@y.z", "deleted": "yes"}, "deleted"),
        ("POST", "/accounts", [], "object"),
        ("POST", "/service-accounts", {"email": ROBOT}, "project"),
        ("PUT", f"/service-accounts/{ROBOT}/delegation", {"scopes": []}, ROBOT),
        ("POST", f"/service-accounts/{ROBOT}/keys", None, ROBOT),
        ("POST", "/oauth-clients", {}, "redirect_uris"),
        ("POST", "/oauth-clients", {"redirect_uris": ["http://acme.example/"]}, "acme.example"),
        ("POST", "/oauth-clients", {"redirect_uris": ["https://192.0.2.1/"]}, "192.0.2.1"),
        ("POST", "/oauth-clients", {"redirect_uris": ["https://acme.example/#x"]}, "#x"),
        ("POST", "/oauth-clients", {"redirect_uris": ["https://*.example/"]}, "*"),
        ("PUT", "/limits", {"per_hour": 1}, "per_hour"),
        ("PUT", "/limits", {"in_flight": -1}, "in_flight"),
        ("PUT", "/limits", {"in_flight": True}, "in_flight"),
        ("GET", "/messages?from=x", None, "from"),
        ("GET", "/nothing", None, "/_sandbox/nothing"),
        ("GET", "/reset", None, "POST"),
    ],
)
async def test_what_is_unknown_or_of_the_wrong_kind_is_named(
    google: Google, method: str, path: str, body: Any, named: str
) -> None:
    assert named in await refusal(google, method, path, body)


async def test_a_body_that_is_no_json_is_refused(google: Google) -> None:
    assert "JSON" in await refusal(google, "POST", "/accounts", data="{")


async def test_messages_are_listed_by_sender_and_by_recipient(google: Google) -> None:
    one, two = await google.token("one@acme.example"), await google.token("two@acme.example")
    await google.send(one, google.mail("X-Certmail-Id: job-1", to="ada@acme.example"))
    await google.send(two, google.mail("X-Certmail-Id: job-2", to="bob@acme.example"))
    assert [m["certmail_id"] for m in await google.messages()] == ["job-1", "job-2"]
    assert [m["certmail_id"] for m in await google.messages("?mailbox=ONE@acme.example")] == [
        "job-1"
    ]

    [found] = await google.messages("?to=bob@acme.example")
    assert set(found) == {"id", "mailbox", "to", "certmail_id", "at", "raw", "bounced"}
    assert (found["mailbox"], found["to"]) == ("two@acme.example", "bob@acme.example")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["at"])
    assert await google.messages("?mailbox=one@acme.example&to=bob@acme.example") == []


async def test_the_journal_tells_what_was_asked_and_holds_no_secret(google: Google) -> None:
    token = await google.token()
    await google.send(token, google.mail("X-Certmail-Id: job-1", body="top secret"))
    await google.ask("GET", "/tokeninfo", params={"access_token": token})
    journal = await google.journal()

    assert [(e["method"], e["path"], e["mailbox"], e["status"], e["units"]) for e in journal] == [
        ("POST", "/token", MAILBOX, 200, 0),
        ("POST", "/gmail/v1/users/me/messages/send", MAILBOX, 200, 100),
        ("GET", "/tokeninfo", MAILBOX, 200, 0),
    ]
    assert journal[1]["certmail_id"] == "job-1"
    assert token not in str(journal)
    assert "secret" not in str(journal)


async def test_a_reset_forgets_everything(google: Google) -> None:
    token = await google.token()
    await google.send(token)
    await google.fault("503")
    await google.control("PUT", "/limits", {"in_flight": 1})
    await google.control("POST", "/reset")

    assert (
        await google.messages()
        == await google.journal()
        == await google.control("GET", "/faults")
        == []
    )
    assert (await google.control("GET", "/limits"))["in_flight"] == 10
    assert (await google.send(token)).status == 401
