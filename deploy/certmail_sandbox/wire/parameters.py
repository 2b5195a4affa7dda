"""The query of an API request: the parameters that every method takes, and its own (gmail.v1.json).

| parameter | what becomes of it |
|---|---|
| `access_token`, `oauth_token` | the token, where no header has one |
| `alt` | `json`; `media` and `proto` exist at Google, and are refused here |
| `callback` | refused: nobody should call Gmail by JSONP |
| `fields` | a part of the answer (mask.py); a wrong one is refused before anything is done |
| `key` | refused: no API key is valid here |
| `prettyPrint` | whether the answer is indented, as it is unless told otherwise |
| `quotaUser`, `uploadType`, `upload_protocol`, `upload_id`, `name` | taken, and without effect on any limit |
| `$.xgafv` | which form errors have: 1 the old one, 2 the new one, without it both |

What no method knows is refused, as is what stands twice and may stand once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from aiohttp import web
from multidict import MultiMapping

from certmail_sandbox.wire import mask
from certmail_sandbox.wire.errors import ApiError

STANDARD = frozenset(
    {
        *("$.xgafv", "access_token", "alt", "callback", "fields", "key", "oauth_token"),
        *("prettyPrint", "quotaUser", "uploadType", "upload_protocol"),
    }
)
UPLOAD = frozenset({"upload_id", "name"})
_TRUE, _FALSE = frozenset({"true", "1", ""}), frozenset({"false", "0"})


@dataclass(frozen=True, slots=True)
class MethodParameters:
    """The parameters of a method's own: those that stand once, and those that may be repeated."""

    single: frozenset[str] = frozenset()
    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Shape:
    """How the answer is to look."""

    wanted: mask.Mask
    pretty: bool


def check(request: web.Request, own: MethodParameters, answers: str) -> Shape:
    """Read the query of a request to a method that answers a resource of this kind.

    Raises ApiError, a 400.
    """
    query = request.query
    known = STANDARD | own.single | own.repeated
    if "upload" in request.path:
        known |= UPLOAD

    for name in query:
        if name not in known:
            raise unknown_names([(name, "")], query=True)
        if name not in own.repeated and len(query.getall(name)) > 1:
            raise invalid(
                f"Invalid value at '{name}' (oneof), Proto field is not repeating, cannot start list."
            )

    if query.get("alt", "json") != "json":
        raise invalid(f"Unsupported value for parameter alt: {query['alt']}")
    if "callback" in query:
        raise invalid("JSONP is not supported.")
    if "key" in query:
        raise _bad_key()

    return Shape(
        wanted=_mask(query.get("fields"), answers), pretty=_flag(query, "prettyPrint", default=True)
    )


def _mask(text: str | None, answers: str) -> mask.Mask:
    if text is None or text == "*":
        return mask.Mask()

    try:
        return mask.read(text, answers)
    except mask.BadMask as bad:
        raise ApiError(
            400,
            "INVALID_ARGUMENT",
            "invalidParameter",
            f"Invalid field selection {bad}",
            parameter="fields",
            violations=[
                (
                    str(bad),
                    f"Error expanding 'fields' parameter. Cannot find matching fields for path '{bad}'.",
                )
            ],
        ) from None


def _flag(query: MultiMapping[str], name: str, *, default: bool) -> bool:
    text = query.get(name)
    if text is None:
        return default
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise invalid(f"Invalid value at '{name}' (TYPE_BOOL), \"{text}\"")


def invalid(message: str) -> ApiError:
    """400, for what cannot be read as the type that it should have."""
    return ApiError(400, "INVALID_ARGUMENT", "badRequest", message, violations=[("", message)])


def unknown_names(names: Collection[tuple[str, str]], *, query: bool = False) -> ApiError:
    """400, for names that the request has no place for.

    Each stands with the path at which it was found. In the words of mnfst/llm-gateway#1858 and
    rapidwebltd/php-google-people-api#25.
    """
    why = (
        "Cannot bind query parameter. Field '{0}' could not be found in request message."
        if query
        else "Cannot find field."
    )
    lines = []
    for name, path in names:
        at = f" at '{path}'" if path else ""
        lines.append(
            (path, f'Invalid JSON payload received. Unknown name "{name}"{at}: {why.format(name)}')
        )

    return ApiError(
        400,
        "INVALID_ARGUMENT",
        "invalid",
        "\n".join(line for _, line in lines),
        domain="",
        violations=lines,
    )


def _bad_key() -> ApiError:
    return ApiError(
        400,
        "INVALID_ARGUMENT",
        "badRequest",
        "API key not valid. Please pass a valid API key.",
        info=("API_KEY_INVALID", {"service": "gmail.googleapis.com"}),
    )
