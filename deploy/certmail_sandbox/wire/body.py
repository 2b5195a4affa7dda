"""A JSON body, read as strictly as Google reads it.

It holds nothing that the resource does not have, and everything of its type.
"""

from __future__ import annotations

import json

from certmail_sandbox.wire import parameters, schema
from certmail_sandbox.wire.errors import ApiError

MAX_NAMES = 20  # in one refusal
Json = dict[str, object]


def read(body: bytes, kind: str, path: str) -> Json:
    """Read a resource that a request binds at a path; an empty body is an empty one.

    Raises ApiError, a 400.
    """
    try:
        resource = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise parameters.invalid("Invalid JSON payload received. Parse error.") from None

    if not isinstance(resource, dict):
        raise parameters.invalid("Invalid JSON payload received. Root element must be a message.")

    unknown: list[tuple[str, str]] = []
    _check(resource, kind, path, unknown)
    if unknown:
        raise parameters.unknown_names(unknown[:MAX_NAMES])

    return resource


def _check(value: Json, kind: str, path: str, unknown: list[tuple[str, str]]) -> None:
    known = schema.SCHEMAS[kind]
    for name, inner in value.items():
        if name not in known:
            unknown.append((name, path))
        elif inner is not None:
            _check_value(inner, known[name], f"{path}.{_snake(name)}", unknown)


def _check_value(value: object, kind: str, path: str, unknown: list[tuple[str, str]]) -> None:
    if kind.endswith("[]"):
        if not isinstance(value, list):
            raise _of_wrong_type(path, value)
        for place, item in enumerate(value):
            _check_value(item, kind.removesuffix("[]"), f"{path}[{place}]", unknown)
    elif kind in schema.SCHEMAS:
        if not isinstance(value, dict):
            raise _of_wrong_type(path, value)
        _check(value, kind, path, unknown)
    elif kind == "string" and not isinstance(value, str):
        raise _of_wrong_type(path, value, "TYPE_STRING")
    elif kind == "integer" and (not isinstance(value, int) or isinstance(value, bool)):
        raise _of_wrong_type(path, value, "TYPE_INT32")


def _of_wrong_type(path: str, value: object, wanted: str = "message") -> ApiError:
    shown = (
        json.dumps(value) if isinstance(value, str | int | float | bool) else "Starting an object"
    )
    return parameters.invalid(f"Invalid value at '{path}' ({wanted}), {shown[:100]}")


def _snake(name: str) -> str:
    """A field's name as the errors have it: the name in the protocol buffer."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
