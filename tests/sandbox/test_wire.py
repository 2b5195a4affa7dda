"""What Google's APIs refuse before a method runs, and the shape of their answers.

google.md §1.4, gmail.v1.json.
"""

from __future__ import annotations

import base64
import importlib.resources
import json
from typing import TYPE_CHECKING, Any

import pytest

from certmail_sandbox.accounts import scopes
from certmail_sandbox.gmail.access import GET, LIST, PROFILE, SEND
from certmail_sandbox.wire import mask
from certmail_sandbox.wire.parameters import STANDARD
from certmail_sandbox.wire.schema import SCHEMAS

if TYPE_CHECKING:
    from sandbox.conftest import Answer, Google

MESSAGES = "/gmail/v1/users/me/messages"
MAILBOX = "reminders@acme.example"
FULL = "https://mail.google.com/"
UNKNOWN = "Invalid JSON payload received. Unknown name"


@pytest.fixture(scope="module")
def discovery() -> Any:
    """Google's own description of the Gmail API."""
    name = (
        importlib.resources.files("googleapiclient.discovery_cache") / "documents" / "gmail.v1.json"
    )
    return json.loads(name.read_text())


async def post(google: Google, body: Any, **query: str) -> Answer:
    return await google.ask(
        "POST",
        MESSAGES + "/send",
        json=body,
        params=query,
        headers=google.bearer(await google.token()),
    )


async def get(google: Google, path: str = "", *query: tuple[str, str]) -> Answer:
    headers = google.bearer(await google.token(MAILBOX, FULL))
    return await google.ask("GET", MESSAGES + path, params=query, headers=headers)


def raw(google: Google) -> str:
    return base64.urlsafe_b64encode(google.mail()).decode()


def test_the_fields_are_those_of_googles_own_document(discovery: Any) -> None:
    def kind(given: Any) -> str:
        if given.get("type") == "array":
            return kind(given["items"]) + "[]"
        return str(given.get("$ref") or given["type"])

    for name, fields in SCHEMAS.items():
        described = discovery["schemas"][name]["properties"]
        assert fields == {field: kind(given) for field, given in described.items()}, name


def test_the_parameters_are_those_of_googles_own_document(discovery: Any) -> None:
    assert frozenset(discovery["parameters"]) == STANDARD
    users = discovery["resources"]["users"]
    messages = users["resources"]["messages"]["methods"]
    methods = ((SEND, messages["send"]), (LIST, messages["list"]), (GET, messages["get"]))

    for method, described in (*methods, (PROFILE, users["methods"]["getProfile"])):
        query = {n: p for n, p in described["parameters"].items() if p["location"] == "query"}
        assert method.own.repeated == {
            name for name, given in query.items() if given.get("repeated")
        }
        assert method.own.single == query.keys() - method.own.repeated
        assert described["response"]["$ref"] == method.answers


def test_every_scope_of_gmails_is_known(discovery: Any) -> None:
    assert frozenset(discovery["auth"]["oauth2"]["scopes"]) == scopes.GMAIL


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"colour": 1}, f"{UNKNOWN} \"colour\" at 'message': Cannot find field."),
        ({"message": {}}, f"{UNKNOWN} \"message\" at 'message': Cannot find field."),
        ({"thread_id": "1"}, f"{UNKNOWN} \"thread_id\" at 'message': Cannot find field."),
        (
            {"payload": {"headers": [{"name": "To"}, {"nome": "Cc"}]}},
            f"{UNKNOWN} \"nome\" at 'message.payload.headers[1]': Cannot find field.",
        ),
    ],
)
async def test_a_field_that_the_message_does_not_have_is_refused_by_name(
    google: Google, extra: dict[str, Any], message: str
) -> None:
    answer = await post(google, {"raw": raw(google)} | extra)
    assert (answer.status, answer.message) == (400, message)
    assert answer.body["error"]["status"] == "INVALID_ARGUMENT"
    assert answer.body["error"]["errors"] == [{"message": message, "reason": "invalid"}]

    [detail] = answer.body["error"]["details"]
    assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert detail["fieldViolations"][0]["description"] == message
    assert await google.messages() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"labelIds": "SENT"},
        {"labelIds": [1]},
        {"threadId": 7},
        {"payload": []},
        {"sizeEstimate": "many"},
    ],
)
async def test_a_field_of_another_type_is_refused(google: Google, wrong: dict[str, Any]) -> None:
    answer = await post(google, {"raw": raw(google)} | wrong)
    assert (answer.status, answer.reason) == (400, "badRequest")
    assert answer.message.startswith("Invalid value at 'message.")


async def test_fields_that_only_answers_have_are_taken_and_mean_nothing(google: Google) -> None:
    answer = await post(
        google, {"raw": raw(google), "id": "1", "labelIds": ["INBOX"], "snippet": None}
    )
    assert answer.status == 200
    assert answer.body["labelIds"] == ["SENT"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "message/rfc822"]
)
async def test_json_says_that_it_is_json(google: Google, kind: str) -> None:
    headers = google.bearer(await google.token()) | {"Content-Type": kind}
    body = json.dumps({"raw": raw(google)}).encode()
    answer = await google.ask("POST", MESSAGES + "/send", data=body, headers=headers)
    assert answer.status == 400


@pytest.mark.parametrize("name", ["foo", "q", "Alt", "labelIds"])
async def test_a_parameter_that_the_method_does_not_have_is_refused_by_name(
    google: Google, name: str
) -> None:
    answer = await post(google, {"raw": raw(google)}, **{name: "1"})
    message = (
        f'{UNKNOWN} "{name}": Cannot bind query parameter. '
        f"Field '{name}' could not be found in request message."
    )
    assert (answer.status, answer.message) == (400, message)
    assert await google.messages() == []


async def test_a_parameter_stands_once_unless_it_may_be_repeated(google: Google) -> None:
    assert (await get(google, "", ("labelIds", "SENT"), ("labelIds", "INBOX"))).status == 200
    assert (await get(google, "", ("q", "a"), ("q", "b"))).status == 400


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"alt": "json", "prettyPrint": "false", "quotaUser": "tenant-1", "$.xgafv": "2"}, 200),
        ({"uploadType": "media", "upload_protocol": "raw"}, 200),
        ({"alt": "xml"}, 400),
        ({"alt": "media"}, 400),
        ({"prettyPrint": "perhaps"}, 400),
        ({"callback": "f"}, 400),
        ({"key": "AIza"}, 400),
    ],
)
async def test_the_parameters_of_every_method_are_read(
    google: Google, query: dict[str, str], status: int
) -> None:
    answer = await post(google, {"raw": raw(google)}, **query)
    assert answer.status == status
    assert len(await google.messages()) == (status == 200)


async def test_a_key_that_is_none_is_told_apart(google: Google) -> None:
    answer = await post(google, {"raw": raw(google)}, key="AIza")
    assert answer.message == "API key not valid. Please pass a valid API key."
    assert answer.body["error"]["details"][0]["reason"] == "API_KEY_INVALID"


async def test_answers_are_indented_unless_told_otherwise(google: Google) -> None:
    headers = google.bearer(await google.token(MAILBOX, FULL))
    for query, lines in (("", True), ("?prettyPrint=false", False)):
        async with google.http.get(google.url + MESSAGES + query, headers=headers) as answer:
            assert ("\n" in await answer.text()) is lines


@pytest.mark.parametrize(
    ("form", "parts"), [("1", {"errors", "code", "message"}), ("2", {"code", "message", "status"})]
)
async def test_errors_come_in_one_form_or_in_both(
    google: Google, form: str, parts: set[str]
) -> None:
    answer = await post(google, {}, **{"$.xgafv": form})
    assert answer.status == 400
    assert answer.body["error"].keys() == parts


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ("id", {"id"}),
        ("id,labelIds", {"id", "labelIds"}),
        ("*", {"id", "threadId", "labelIds"}),
        ("payload/headers(name,value),threadId", {"threadId"}),
        ("raw", set()),
    ],
)
async def test_fields_keeps_of_an_answer_what_it_names(
    google: Google, fields: str, kept: set[str]
) -> None:
    answer = await post(google, {"raw": raw(google)}, fields=fields)
    assert (answer.status, set(answer.body)) == (200, kept)


async def test_fields_reaches_into_lists(google: Google) -> None:
    sent = (await post(google, {"raw": raw(google)})).body["id"]
    answer = await get(google, "", ("fields", "messages/id"))
    assert answer.body == {"messages": [{"id": sent}]}

    query = (("format", "metadata"), ("fields", "payload(mimeType,headers/name)"))
    payload = (await get(google, f"/{sent}", *query)).body["payload"]
    assert payload["mimeType"] == "text/plain"
    assert {"name": "To"} in payload["headers"]


@pytest.mark.parametrize(
    "fields",
    [
        "nothing",
        "id,",
        "id/x",
        "messages/id",
        "payload(",
        "id)",
        "",
        "a b",
        "payload/headers(nome)",
    ],
)
async def test_a_mask_that_is_wrong_is_refused_before_anything_is_sent(
    google: Google, fields: str
) -> None:
    answer = await post(google, {"raw": raw(google)}, fields=fields)
    assert (answer.status, answer.reason) == (400, "invalidParameter")
    assert answer.message.startswith("Invalid field selection ")
    assert await google.messages() == []


def test_a_wider_wish_beside_a_narrower_one_counts() -> None:
    value = {"payload": {"mimeType": "text/plain", "filename": "x"}}
    for text in ("payload/mimeType,payload", "payload,payload/mimeType"):
        assert mask.read(text, "Message").of(value) == value
    both = mask.read("payload/mimeType,payload/filename", "Message")
    assert both.of(value) == value


@pytest.mark.parametrize(
    ("path", "query", "message"),
    [
        ("/not-hex", (), "Invalid id value"),
        ("", (("pageToken", "x!"),), "Invalid pageToken"),
        ("", (("maxResults", "-1"),), "Invalid value at 'max_results'"),
        ("", (("maxResults", "٣"),), "Invalid value at 'max_results'"),
        ("/0000000000000001", (("format", "pretty"),), "Invalid value at 'format'"),
    ],
)
async def test_a_value_that_cannot_be_is_refused(
    google: Google, path: str, query: tuple[tuple[str, str], ...], message: str
) -> None:
    answer = await get(google, path, *query)
    assert answer.status == 400
    assert answer.message.startswith(message)
