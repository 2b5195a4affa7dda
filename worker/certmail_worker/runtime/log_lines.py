"""A log line's form: one JSON object, or text for a person at a terminal.

Neither has a secret in it, nor anybody's address.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any, Final

import structlog
from redis.exceptions import RedisError
from structlog.typing import ExcInfo

from certmail_config.base.errors import CertmailError
from certmail_config.base.redaction import scrub_lines, unsuspicious, visible

_USUAL: Final = logging.makeLogRecord({}).__dict__.keys() | {"message", "asctime", "alike"}
_OURS: Final = ("certmail", "root")
"""What the loggers' names begin with whose events docs/logs.md explains."""
_NOT_GIVEN: Final = _USUAL | {"timestamp", "level", "process", "worker", "event"}
_SECRET: Final = frozenset(
    {"authorization", "cookie", "password", "private_key", "client_secret", "assertion", "token"}
    | {"access_token", "refresh_token", "id_token"}
)
"""Fields that are not shown, whatever form their value has."""

_EXPLAINED: Final = (CertmailError, RedisError)

_encode: Final = json.JSONEncoder(default=repr).encode
# Without the values of variables: a message and its recipient may be among them.
_trace: Final = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a line says: the event, then whatever was given with it.

    What certmail can explain needs no trace: a sentence, and what to do. Nor does a Redis that does
    not answer.
    """
    fields: dict[str, Any] = {"event": record.getMessage()}
    if not record.name.startswith(_OURS):
        fields["logger"] = record.name
    if record.name == "py.warnings":  # on one line, without the line of code below
        fields["event"] = " ".join(fields["event"].partition("\n  ")[0].split())
    fields |= {name: value for name, value in record.__dict__.items() if name not in _NOT_GIVEN}

    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, CertmailError):
        fields |= {"code": error.code, "error": error.message, "remedy": error.remedy}
    elif isinstance(error, RedisError):
        fields["error"] = f"{type(error).__name__}: {error}"

    return fields


def _to_look_at(record: logging.LogRecord) -> ExcInfo | None:
    """The trace that somebody has to look at, if it has one."""
    if not record.exc_info or record.exc_info[0] is None:
        return None
    return None if isinstance(record.exc_info[1], _EXPLAINED) else record.exc_info


def without_secrets(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The last line of defence: libraries quote what they were given."""
    return {scrub_lines(name): _scrubbed(value, name) for name, value in fields.items()}


def _scrubbed(value: Any, name: str = "") -> Any:
    if isinstance(value, str | bytes) and value and name.lower() in _SECRET:
        return "(secret)"
    if isinstance(value, str):
        return scrub_lines(value)
    if isinstance(value, dict):
        return {_scrubbed(each): _scrubbed(item, str(each)) for each, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_scrubbed(item) for item in value]
    return (
        value
        if value is None or isinstance(value, bool | int | float)
        else scrub_lines(repr(value))
    )


class JsonLines(logging.Formatter):
    """One JSON object a line.

    A whole line is made in a third of the time that a chain of processors takes; that matters, as
    each delivery has one.
    """

    def __init__(self, process: str) -> None:
        super().__init__()
        self._second, self._shown = 0, ""
        self.beside = {"process": process}

    @property
    def beside(self) -> Mapping[str, str]:
        """What stands in each line of the process, and is ours: it is not scrubbed."""
        return self._beside

    @beside.setter
    def beside(self, fields: Mapping[str, str]) -> None:
        self._beside = fields
        self._between = _encode(fields)[1:-1] + ", "

    def format(self, record: logging.LogRecord) -> str:
        """Write the line; looked through for secrets only where there may be some."""
        fields = fields_of(record)
        if trace := _to_look_at(record):
            fields["exception"] = _trace(trace)
        if record.stack_info:
            fields["stack"] = record.stack_info

        said = _encode(fields)
        if not unsuspicious(said) or not _SECRET.isdisjoint(fields):
            said = _encode(without_secrets(fields))

        level = record.levelname.lower()
        head = f'{{"timestamp": "{self._time(record.created)}", "level": "{level}", '
        return head + self._between + said[1:]

    def _time(self, seconds: float) -> str:
        whole = int(seconds)
        if whole != self._second:
            self._shown = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
            self._second = whole
        return f"{self._shown}.{int((seconds - whole) * 1e6):06d}Z"


class TerminalLines(logging.Formatter):
    """Text, in colours where they show; what a terminal would act upon is written out."""

    def __init__(self, process: str, *, colors: bool) -> None:
        super().__init__()
        self.beside: Mapping[str, str] = {"process": process}
        self._render = structlog.dev.ConsoleRenderer(
            colors=colors, pad_event_to=12, pad_level=True, sort_keys=False
        )

    def format(self, record: logging.LogRecord) -> str:
        """Write the line; a traceback keeps its lines."""
        fields = fields_of(record)
        if trace := _to_look_at(record):
            fields["exception"] = self.formatException(trace)
        if record.stack_info:
            fields["stack"] = record.stack_info

        shown = {
            name: visible(value, one_line=name not in {"exception", "stack"})
            if isinstance(value, str)
            else value
            for name, value in without_secrets(fields).items()
        }
        first = {
            "timestamp": time.strftime("%H:%M:%S", time.localtime(record.created)),
            "level": record.levelname.lower(),
            "event": f"{self.beside['process']:<7} {shown.pop('event')}",
        }
        return str(self._render(None, "", {**first, **shown}))
