"""The OpenAPI 3.1 document, made from the routes and their models; pure."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from certmail.gateway.api.document.webhooks import webhooks
from certmail.gateway.api.models import PUBLISHED
from certmail.gateway.api.request.idempotency import MAX_CHARACTERS, PATTERN
from certmail.gateway.api.request.problems import KINDS
from certmail.gateway.api.routes import ALWAYS, ROUTES, BodyHandler, Route, Tag
from certmail.gateway.request_ids import HEADER
from certmail_config.base.ids import NAME_PATTERN

TAKEN = {route.does.model.__name__ for route in ROUTES if isinstance(route.does, BodyHandler)}
"""The models of what is sent, not answered."""
_SCHEMAS = "#/components/schemas/"
_KNOWN_AS = {
    "ConnectionKind": "Kind",
    "Document": "Templates",
    "EndpointState": "WebhookState",
    "MessageState": "WebhookMessageState",
    "Severity": "FindingSeverity",
}
"""The names by which clients know what our classes call otherwise."""
_NAMED: dict[str, dict[str, Any]] = {
    HEADER: {
        "description": "The request's id, as the operator's log has it: yours, if the request came with one, or else ours.",
        "schema": {"type": "string"},
    }
}
_ABOUT = """\
Enqueue reminders of access-certification campaigns, and ask what became of them.

Nothing is lost once a receipt is given, and the same reminder is not sent twice by our doing: a request may be repeated
without harm. Errors are RFC 9457 problem documents that say what is wrong, where, and what to do."""


class _Schemas(GenerateJsonSchema):
    """Makes the schemas under the names by which clients know them."""

    def normalize_name(self, name: str) -> str:
        """The name of a schema in the document."""
        known = super().normalize_name(name)
        return _KNOWN_AS.get(known, known)


def document(base: str, version: str) -> dict[str, Any]:
    """The whole document; `base` is the gateway's address.

    What is the same at each address is shared with the other documents of this process.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": "certmail", "version": version, "description": _ABOUT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": base}],
        "security": [{"apiKey": []}],
        "tags": [{"name": str(tag)} for tag in Tag],
        "paths": _paths(),
        "webhooks": webhooks(),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key, `cm_…`: certmail keys create."}
            },
        },
    }  # fmt: skip


@cache
def _paths() -> dict[str, dict[str, Any]]:
    paths: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for route in ROUTES:
        paths[route.path][route.method.lower()] = _operation(route)

    return dict(paths)


@cache
def _schemas() -> dict[str, Any]:
    # Requests as they are validated, answers as they are written: the two differ in what is always
    # there.
    written = [
        (model, "validation" if model.__name__ in TAKEN else "serialization") for model in PUBLISHED
    ]
    _, found = models_json_schema(
        written,  # type: ignore[arg-type]  # literals
        ref_template=_SCHEMAS + "{model}",
        schema_generator=_Schemas,
    )

    schemas: dict[str, Any] = _in_one_paragraph(found["$defs"])
    for name in _KNOWN_AS.values():
        schemas[name]["title"] = name

    return schemas


def _in_one_paragraph(value: Any) -> Any:
    """A schema whose descriptions, which are docstrings, do not show how those are wrapped."""
    if isinstance(value, list):
        return [_in_one_paragraph(each) for each in value]
    if not isinstance(value, dict):
        return value

    return {
        name: " ".join(each.split())
        if name == "description" and isinstance(each, str)
        else _in_one_paragraph(each)
        for name, each in value.items()
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [str(route.tag)],
        "summary": route.summary,
        "description": f"Scope: `{route.scope}`.",
        "responses": _responses(route),
    }

    if parameters := _parameters(route):
        operation["parameters"] = parameters

    if isinstance(route.does, BodyHandler):
        schema = {"$ref": _SCHEMAS + route.does.model.__name__}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }

    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": HEADER,
            "in": "header",
            "required": False,
            "description": "What the log is to call this request: up to 64 letters, digits, dots, lines. Anything else is not used.",
            "schema": {"type": "string"},
        }
    ]

    if "{id}" in route.path:
        found.append(
            {"name": "id", "in": "path", "required": True, "description": "From the receipt.", "schema": {"type": "string", "format": "uuid"}}
        )  # fmt: skip

    if "{tenant}" in route.path:
        found.append(
            {"name": "tenant", "in": "path", "required": True, "description": "The tenant's id.", "schema": {"type": "string", "pattern": NAME_PATTERN}}
        )  # fmt: skip

    if "{webhook}" in route.path:
        found.append(
            {"name": "webhook", "in": "path", "required": True, "description": "The webhook's id.", "schema": {"type": "string"}}
        )  # fmt: skip

    if "{campaign}" in route.path:
        found.append(
            {"name": "campaign", "in": "path", "required": True, "description": "The campaign's id.", "schema": {"type": "string", "maxLength": 200}}
        )  # fmt: skip

    if route.query is not None:
        found += _query_parameters(route.query)

    if isinstance(route.does, BodyHandler) and route.does.keyed:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "A request repeated with the same key within a day gets the first one's answer.",
                "schema": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": MAX_CHARACTERS,
                    "pattern": PATTERN,
                },
            }
        )

    return found


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema(ref_template=_SCHEMAS + "{model}")
    found = []

    for name, each in schema["properties"].items():
        # Absent is the only way to say null in a query.
        kinds = [kind for kind in each.get("anyOf", []) if kind != {"type": "null"}]
        plain = {
            key: value
            for key, value in each.items()
            if key not in {"anyOf", "description", "title"}
        }
        if plain.get("default", 0) is None:
            del plain["default"]
        merged = {**plain, **(kinds[0] if kinds else {})}
        found.append(
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": each["description"],
                "schema": merged,
            }
        )

    return found


def _responses(route: Route) -> dict[str, Any]:
    responses: dict[str, Any] = {}

    for status, (words, model) in route.gives.items():
        content = {"application/json": {"schema": {"$ref": _SCHEMAS + model.__name__}}}
        responses[str(status)] = {"description": words, "headers": dict(_NAMED), "content": content}

    by_status: defaultdict[int, list[str]] = defaultdict(list)
    for code in (*route.problems, *ALWAYS):
        by_status[KINDS[code].status].append(code)

    for status, codes in sorted(by_status.items()):
        words = "; ".join(f"`{code}`: {KINDS[code].title}" for code in codes)
        content = {"application/problem+json": {"schema": {"$ref": _SCHEMAS + "Problem"}}}
        headers = dict(_NAMED)
        if status in {429, 503}:
            headers["Retry-After"] = {
                "description": "Seconds.",
                "schema": {"type": "integer", "minimum": 0},
            }
        responses[str(status)] = {"description": words, "headers": headers, "content": content}

    return responses
