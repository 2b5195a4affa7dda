"""Judges which of Celery's messages a worker takes up; pure.

Doorbells and worker requests, as certmail writes them.

Celery and kombu believe what lies in their queue; a message of another shape ends a worker, or
keeps it busy for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from certmail_config.stores.broker import DELIVER, PROBE

TASKS: Final = frozenset({DELIVER, PROBE})
MAX_BYTES: Final = 20_000
"""The size of a body at most: a doorbell's has some fifty."""
LONGEST_ID: Final = 100
_NEVER_SET: Final = ("eta", "expires", "compression", "shadow", "group", "chord")
"""Fields that neither certmail nor Flower sets.

A time far ahead, say, would stay in a worker's memory until then.
"""


def why_not_a_message(message: object) -> str | None:
    """Why a message of any queue cannot be taken up; None if kombu can work with it."""
    if not isinstance(message, dict):
        return "it is no object"

    properties = message.get("properties")
    if not isinstance(properties, dict):
        return "it has no properties"
    if not is_name(properties.get("delivery_tag")):
        return "it has no delivery tag"

    route = properties.get("delivery_info")
    if not isinstance(route, dict) or not all(
        isinstance(route.get(n), str) for n in ("exchange", "routing_key")
    ):
        return "it does not say where it was sent"
    if not isinstance(message.get("body", ""), str) or properties.get("body_encoding") not in {
        None,
        "base64",
    }:
        return "its body is in no known form"
    if not isinstance(message.get("headers") or {}, dict):
        return "its headers are none"

    return None


def why_not_a_doorbell(message: Mapping[str, Any]) -> str | None:
    """Why a message of the task queue is none of certmail's; None if it is.

    It has been found fit.
    """
    headers = message.get("headers") or {}
    if not isinstance(headers.get("task"), str) or headers["task"] not in TASKS:
        return "it names no task of certmail's"
    if not is_name(headers.get("id")):
        return "it has no id"
    if (message.get("content-type"), message.get("content-encoding")) != (
        "application/json",
        "utf-8",
    ):
        return "its content is not said to be JSON"
    if any(headers.get(name) is not None for name in _NEVER_SET):
        return "it asks for what no doorbell asks for"
    if headers.get("timelimit") not in (None, [None, None]):
        return "it sets time limits"
    if not isinstance(headers.get("retries", 0), int):
        return "its retries are no number"
    if len(message.get("body", "")) > MAX_BYTES:
        return "its body is too large"

    return None


def why_not_a_call(payload: object) -> str | None:
    """Why the body of a message, once it is read, calls no task of certmail's; None if it does."""
    if not isinstance(payload, list | tuple) or len(payload) != 3:
        return "its body is no call"
    args, kwargs, then = payload
    if not isinstance(args, list) or len(args) != 1 or not is_name(args[0]) or kwargs != {}:
        return "its argument is no id"
    if not isinstance(then, dict) or any(then.values()):
        return "it asks for what no doorbell asks for"
    return None


def is_name(value: object) -> bool:
    """Whether it could name a job, a worker request or a message."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_ID
        and value.isascii()
        and value.isprintable()
    )
