"""Garbage, as plain data: what each door of certmail's is given that nobody should ever send it.

Whoever meets another kind adds a line to the list of its door; every test that tries that door
tries it too. A list is a mapping from what the thing is, in a few words, to the thing itself;
nothing here is computed from anything of certmail's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

HUGE: Final = 2_000_000
"""Bytes: more than any reminder, event or message has."""

NOT_JSON: Final[Mapping[str, bytes]] = {
    "nothing": b"",
    "a word": b"not json",
    "half an object": b'{"tenant": "acme", "to',
    "no UTF-8": b"\xff\xfe\x00{}",
    "a NUL": b"\x00",
    "a deep nest": b"[" * 100_000,
    "a number that is none": b'{"pending": NaNa}',
    "a huge number": b"1" * 5_000,
    "much of nothing": b"x" * HUGE,
}
"""For any door that takes JSON."""

OTHER_JSON: Final[Mapping[str, bytes]] = {
    "an empty object": b"{}",
    "a number": b"1",
    "an empty array": b"[]",
    "null": b"null",
    "true": b"true",
    "a text": b'"acme"',
    "NaN": b"NaN",
    "no number": b"Infinity",
    "an array of objects": b'[{"to": "ann@people.example"}]',
    "a deep object": b'{"a":' * 500 + b"1" + b"}" * 500,
    "many members": json.dumps({f"field {n}": n for n in range(5_000)}).encode(),
    "a huge text": json.dumps({"to": "x" * HUGE}).encode(),
}
"""JSON, but of another shape than any door wants."""

_REMINDER: Final[dict[str, Any]] = {
    "tenant": "acme",
    "kind": "reminder",
    "to": "ann@people.example",
}


def _reminder(**changed: Any) -> bytes:
    return json.dumps(_REMINDER | changed).encode()


PAYLOADS: Final[Mapping[str, bytes]] = {
    **NOT_JSON,
    **OTHER_JSON,
    "half a character as address": b'{"tenant": "acme", "to": "\\ud800"}',
    "no address": json.dumps({"tenant": "acme", "campaign": "q4"}).encode(),
    "a number as address": _reminder(to=7),
    "null as address": _reminder(to=None),
    "an object as address": _reminder(to={"address": "ann@people.example"}),
    "a NUL in the address": _reminder(to="ann\x00@people.example"),
    "a line break in the address": _reminder(to="ann@people.example\r\nBcc: eve@people.example"),
    "a huge address": _reminder(to="a" * 100_000 + "@people.example"),
    "an unknown kind": _reminder(kind="telegram"),
    "a time that is none": _reminder(due_at="soon"),
    "a time beyond the calendar": _reminder(due_at="99999-12-31T00:00:00Z"),
    "half a character as name": b'{"tenant": "acme", "to": "ann@people.example", "name": "\\udfff"}',
}
"""What a job's sealed body may hold, whoever sealed it.

The public half of a tenant's key is known to every producer.
"""

ODD_LETTERS: Final[Mapping[str, Mapping[str, str]]] = {
    "a script that zones have no names in": {"locale": "en-Shaw", "time_zone": "Europe/Berlin"},
    "a locale of no people": {"locale": "en-001", "time_zone": "Etc/GMT+12"},
    "a zone without a country": {"locale": "xx-YY", "time_zone": "Etc/GMT+5"},
    "the first moment that the door takes": {
        "due_at": "1970-01-01T00:00:00+14:00",
        "time_zone": "Pacific/Apia",
    },
    "the last moment that the door takes": {
        "due_at": "9998-12-31T23:59:59-12:00",
        "time_zone": "Pacific/Kiritimati",
    },
    "a name of marks": {"name": "\u0301\u200d\U000e0100\u202e"},
    "a campaign of templates": {"campaign_name": "{{ 7 * 7 }}{% include 'x' %}%s{0}"},
    "a link of many brackets": {"link": "https://[::1]:65535/?" + "%5B" * 500},
}
"""Fields of reminders that the door takes, beside tenant and address.

Composing them must harm nobody else.
"""

_NOW: Final = b"1795737600000"

EVENTS: Final[Mapping[str, Mapping[bytes, bytes]]] = {
    "only a word": {b"a": b"b"},
    "no type": {b"at": _NOW, b"job": b"j"},
    "no time": {b"type": b"cancelled", b"job": b"j", b"tenant": b"acme"},
    "a time that is no number": {b"type": b"cancelled", b"at": b"noon", b"job": b"j"},
    "a time with a fraction": {b"type": b"cancelled", b"at": b"1795737600000.5", b"job": b"j"},
    "a time beyond the calendar": {b"type": b"cancelled", b"at": b"9" * 18, b"job": b"j"},
    "a time of 5,000 digits": {b"type": b"cancelled", b"at": b"9" * 5_000, b"job": b"j"},
    "a time before the calendar": {b"type": b"cancelled", b"at": b"-" + b"9" * 18, b"job": b"j"},
    "an unknown type": {b"type": b"teleported", b"at": _NOW, b"job": b"j", b"tenant": b"acme"},
    "a huge type": {b"type": b"x" * 10_000, b"at": _NOW, b"job": b"j"},
    "enqueued and nothing more": {b"type": b"enqueued", b"at": _NOW},
    "enqueued without a body": {
        b"type": b"enqueued",
        b"at": _NOW,
        b"job": b"j",
        b"tenant": b"acme",
    },
    "enqueued with another's body": {
        b"type": b"enqueued",
        b"at": _NOW,
        b"job": b"j",
        b"tenant": b"acme",
        b"body": b"\x01" + b"?" * 200,
    },
    "enqueued for a tenant that is none": {
        b"type": b"enqueued",
        b"at": _NOW,
        b"job": b"j",
        b"tenant": b"nobody\x00",
        b"body": b"",
    },
    "begun without a connection": {b"type": b"begun", b"at": _NOW, b"job": b"j", b"attempt": b"1"},
    "an attempt that is no number": {
        b"type": b"begun",
        b"at": _NOW,
        b"job": b"j",
        b"tenant": b"acme",
        b"connection": b"c",
        b"worker": b"w",
        b"attempt": b"first",
    },
    "an attempt beyond any integer": {
        b"type": b"settled",
        b"at": _NOW,
        b"job": b"j",
        b"attempt": b"9" * 30,
        b"outcome": b"accepted",
    },
    "settled with a detail that is no JSON": {
        b"type": b"settled",
        b"at": _NOW,
        b"job": b"j",
        b"attempt": b"1",
        b"detail": b"{",
    },
    "settled with a detail of another shape": {
        b"type": b"settled",
        b"at": _NOW,
        b"job": b"j",
        b"attempt": b"1",
        b"detail": b"[1]",
    },
    "settled with an end that is no time": {
        b"type": b"settled",
        b"at": _NOW,
        b"job": b"j",
        b"attempt": b"1",
        b"detail": b'{"ended_at": "yesterday"}',
    },
    "settled with a status that is no number": {
        b"type": b"settled",
        b"at": _NOW,
        b"job": b"j",
        b"attempt": b"1",
        b"detail": b'{"http_status": {"a": 1}, "gmail_id": "\\ud800"}',
    },
    "suspended without a version": {
        b"type": b"suspended",
        b"at": _NOW,
        b"tenant": b"acme",
        b"connection": b"c",
        b"code": b"grant_revoked",
        b"message": b"m",
    },
    "suspended by a version that is no number": {
        b"type": b"suspended",
        b"at": _NOW,
        b"connection": b"c",
        b"version": b"one",
        b"code": b"grant_revoked",
        b"message": b"m",
    },
    "a NUL": {
        b"type": b"cancelled",
        b"at": _NOW,
        b"job": b"j\x00",
        b"state": b"cancelled",
        b"reason": b"\x00",
    },
    "half a character": {
        b"type": b"cancelled",
        b"at": _NOW,
        b"job": b"j",
        b"reason": b"\xed\xa0\x80",
    },
    "no UTF-8": {b"type": b"cancelled", b"at": _NOW, b"job": b"\xff", b"\xfe": b"\xff"},
    "a huge reason": {
        b"type": b"cancelled",
        b"at": _NOW,
        b"job": b"j",
        b"state": b"cancelled",
        b"reason": b"x" * HUGE,
    },
    "a huge job": {
        b"type": b"cancelled",
        b"at": _NOW,
        b"job": b"j" * 10_000,
        b"state": b"cancelled",
    },
    "a state of nowhere": {b"type": b"released", b"at": _NOW, b"job": b"j", b"state": b"x" * 1_000},
}
"""Entries of the stream of events, their names and values as XADD takes them."""

JOBS: Final[Mapping[str, Mapping[str, str | None]]] = {
    "no state": {"state": None},
    "an unknown state": {"state": "teleported"},
    "no tenant": {"tenant": None},
    "no connection": {"connection": None},
    "a connection of nowhere": {"connection": "nowhere"},
    "no end": {"expires_at": None},
    "an end that is no number": {"expires_at": "noon"},
    "no age": {"enqueued_at": None},
    "an age that is no number": {"enqueued_at": "long ago"},
    "no priority": {"priority": None},
    "a priority that is none": {"priority": "urgent"},
    "no attempts": {"attempt": None},
    "attempts that are no number": {"attempt": "many"},
    "a fence that is no number": {"fence": "wooden"},
    "no time to keep it": {"keep": None},
    "a time to keep it that is none": {"keep": "for ever"},
    "no key": {"dedupe": None},
    "failures that are no number": {"failures": "some"},
    "a reason of no text": {"reason": "\udcff\udcfe"},
}
"""Changes to the hash of a job: the value of a field, or None where it is missing.

Texts stand for bytes (surrogateescape).
"""


def _task(**changed: Any) -> dict[str, Any]:
    """A message as Celery writes it to Redis, with its body as it is: [args, kwargs, embed]."""
    message: dict[str, Any] = {
        "body": "W1siMDAwMCJdLCB7fSwge31d",
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": "certmail.deliver",
            "id": "4a1c0000-0000-4000-8000-000000000000",
            "root_id": "4a1c0000-0000-4000-8000-000000000000",
            "argsrepr": "('0000',)",
            "kwargsrepr": "{}",
            "retries": 0,
            "timelimit": [None, None],
            "eta": None,
            "expires": None,
            "ignore_result": True,
        },
        "properties": {
            "correlation_id": "4a1c0000-0000-4000-8000-000000000000",
            "reply_to": "5b2d0000-0000-4000-8000-000000000000",
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "certmail"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": "6c3e0000-0000-4000-8000-000000000000",
        },
    }

    return message | changed


def _headers(**changed: Any) -> dict[str, Any]:
    return _task(headers=_task()["headers"] | changed)


def _properties(**changed: Any) -> dict[str, Any]:
    return _task(properties=_task()["properties"] | changed)


def _without(part: str, name: str) -> dict[str, Any]:
    message = _task()
    del message[part][name]
    return message


MESSAGES: Final[Mapping[str, bytes]] = {
    **NOT_JSON,
    **OTHER_JSON,
    **{
        name: json.dumps(message).encode()
        for name, message in {
            "no properties": {
                name: value for name, value in _task().items() if name != "properties"
            },
            "properties that are none": _task(properties=[]),
            "no delivery tag": _without("properties", "delivery_tag"),
            "a delivery tag that is none": _properties(delivery_tag={"a": 1}),
            "no delivery info": _without("properties", "delivery_info"),
            "delivery info that is none": _properties(delivery_info=7),
            "an encoding of the body that is unknown": _properties(body_encoding="rot13"),
            "a body that is no base64": _task(body="%%%"),
            "a body that is no text": _task(body=["a"]),
            "no body": {name: value for name, value in _task().items() if name != "body"},
            "a body that is no JSON": _task(body="bm8ganNvbg=="),
            "a body of another shape": _task(body="eyJhIjogMX0="),
            "a body of one part": _task(body="W1tdXQ=="),
            "arguments that are none": _task(body="WzEsIDIsIDNd"),
            "no argument": _task(body="W1tdLCB7fSwge31d"),
            "a number as argument": _task(body="W1s3XSwge30sIHt9XQ=="),
            "an object as argument": _task(body="W1t7ImEiOiAxfV0sIHt9LCB7fV0="),
            "null as argument": _task(body="W1tudWxsXSwge30sIHt9XQ=="),
            "a NUL as argument": _task(body="W1siXHUwMDAwIl0sIHt9LCB7fV0="),
            "half a character as argument": _task(body="W1siXHVkODAwIl0sIHt9LCB7fV0="),
            "too many arguments": _task(body="W1siYSIsICJiIiwgImMiXSwge30sIHt9XQ=="),
            "a callback": _task(
                body="W1siMDAwMCJdLCB7fSwgeyJjYWxsYmFja3MiOiBbeyJ0YXNrIjogIngifV0sICJjaGFpbiI6IFsxXX1d"
            ),
            "another content type": _task(**{"content-type": "text/plain"}),
            "pickle": _task(
                **{"content-type": "application/x-python-serialize", "content-encoding": "binary"}
            ),
            "a content type that is none": _task(**{"content-type": 7}),
            "an unknown encoding": _task(**{"content-encoding": "klingon"}),
            "an encoding that is none": _task(**{"content-encoding": ["utf-8"]}),
            "headers that are none": _task(headers=7),
            "no headers": _task(headers={}),
            "no task": _without("headers", "task"),
            "an unknown task": _headers(task="certmail.teleport"),
            "a task that is none": _headers(task=7),
            "a task of Celery's": _headers(task="celery.backend_cleanup"),
            "no id": _without("headers", "id"),
            "an id that is none": _headers(id={"a": 1}),
            "a time that is none": _headers(eta="soon"),
            "a time of year 1": _headers(eta="0001-01-01T00:00:00"),
            "a time far ahead": _headers(eta="9999-12-31T23:59:59"),
            "an end that is none": _headers(expires="soon"),
            "limits that are none": _headers(timelimit="none"),
            "limits that are no numbers": _headers(timelimit=["a", "b"]),
            "retries that are no number": _headers(retries="many"),
            "a compression that is unknown": _headers(compression="application/x-nothing"),
            "a compression that fails": _headers(compression="application/x-gzip"),
            "a huge body": _task(body="QUFB" * (HUGE // 4)),
        }.items()
    },
}
"""What may lie in Celery's queue, as it lies there."""

COMMANDS: Final[Mapping[str, Any]] = {
    "shutdown": {"method": "shutdown", "arguments": {}},
    "shutdown for all": {"method": "shutdown", "arguments": {}, "destination": None},
    "cancel_consumer": {"method": "cancel_consumer", "arguments": {"queue": "certmail"}},
    "add_consumer": {"method": "add_consumer", "arguments": {"queue": "elsewhere"}},
    "rate_limit": {
        "method": "rate_limit",
        "arguments": {"task_name": "certmail.deliver", "rate_limit": "1/h"},
    },
    "time_limit": {
        "method": "time_limit",
        "arguments": {"task_name": "certmail.deliver", "soft": 0.001, "hard": 0.001},
    },
    "pool_shrink": {"method": "pool_shrink", "arguments": {"n": 1_000}},
    "pool_grow": {"method": "pool_grow", "arguments": {"n": 1_000_000}},
    "pool_restart": {"method": "pool_restart", "arguments": {"modules": ["os"], "reload": True}},
    "autoscale": {"method": "autoscale", "arguments": {"max": 0, "min": 0}},
    "revoke": {"method": "revoke", "arguments": {"task_id": "0000", "terminate": True}},
    "terminate": {"method": "terminate", "arguments": {"task_id": "0000", "signal": "KILL"}},
    "revoke_by_stamped_headers": {
        "method": "revoke_by_stamped_headers",
        "arguments": {"headers": {"a": "b"}, "terminate": True},
    },
    "disable_events": {"method": "disable_events", "arguments": {}},
    "election": {"method": "election", "arguments": {"id": "1", "topic": "task", "action": {}}},
    "memsample": {"method": "memsample", "arguments": {}},
    "objgraph": {
        "method": "objgraph",
        "arguments": {"num": 10, "max_depth": 10, "type": "Request"},
    },
    "an unknown method": {"method": "teleport", "arguments": {}},
    "a method that is none": {"method": 7, "arguments": {}},
    "a method that is a list": {"method": ["ping"], "arguments": {}},
    "no method": {"arguments": {}},
    "arguments that are none": {"method": "ping", "arguments": 7},
    "arguments that nobody takes": {"method": "ping", "arguments": {"a": 1}},
    "a destination that is none": {"method": "ping", "arguments": {}, "destination": 7},
    "a reply to nowhere": {
        "method": "ping",
        "arguments": {},
        "reply_to": {"exchange": 7},
        "ticket": "t",
    },
    "a reply that is none": {"method": "ping", "arguments": {}, "reply_to": "nowhere", "ticket": 7},
    "a pattern that is none": {
        "method": "ping",
        "arguments": {},
        "pattern": "[",
        "matcher": "regex",
    },
    "a number": 7,
    "a text": "ping",
    "an empty array": [],
    "null": None,
}
"""Messages of Celery's remote control, beyond what it takes to look."""
