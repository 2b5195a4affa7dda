"""Log lines as data: one JSON object each, or readable text.

Addresses and secrets never go into them.

Modules log an event's name and its fields through the standard library (`log.info("settled",
extra={…})`); this module gives those, and whatever libraries say, their form.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import structlog

from certmail_config.base.errors import CertmailError
from certmail_config.base.redaction import scrub_lines, visible
from certmail_worker.runtime.log_repeats import CollapsingHandler

_QUIET = {
    "kombu": logging.WARNING,
    "amqp": logging.WARNING,
    "asyncio": logging.WARNING,
    "alembic": logging.WARNING,
    # One line per doorbell says nothing that the record does not.
    "celery.worker.strategy": logging.WARNING,
    "celery.utils.functional": logging.WARNING,
}


def _explained(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What certmail can explain needs no trace: a sentence, and what to do."""
    if isinstance(error := _raised(event.get("exc_info")), CertmailError):
        del event["exc_info"]
        return {**event, "code": error.code, "error": error.message, "remedy": error.remedy}
    return event


def _raised(given: object) -> object:
    return given[1] if isinstance(given, tuple) else given


def _without_secrets(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """The last line of defence: libraries quote what they were given."""
    return {name: _scrubbed(value) for name, value in event.items()}


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return scrub_lines(value)
    if isinstance(value, dict):
        return {name: _scrubbed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_scrubbed(item) for item in value]
    return value


def _for_a_terminal(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """What a terminal would act upon is written out; JSON does so by itself.

    Tracebacks keep their lines.
    """
    return {
        name: visible(value, one_line=name != "exception") if isinstance(value, str) else value
        for name, value in event.items()
    }


def set_up(form: Literal["json", "console"], *, process: str) -> None:
    """Give the root logger one handler on stderr; called once by each process."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        lambda _, __, event: {**event, "process": process},
        _explained,
    ]

    last: list[structlog.typing.Processor]

    if form == "json":
        # Without the values of variables: a message and its recipient may be among them.
        tracebacks = structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        )
        last = [tracebacks, _without_secrets, structlog.processors.JSONRenderer()]
    else:
        last = [
            structlog.processors.format_exc_info,
            _without_secrets,
            _for_a_terminal,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ]

    handler = CollapsingHandler(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, *last])
    )
    # What no line says need not be found out for each.
    logging.logThreads = logging.logMultiprocessing = logging.logProcesses = False

    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)  # else they would stand between the lines, over several
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
