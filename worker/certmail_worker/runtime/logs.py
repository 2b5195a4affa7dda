"""Where log lines go: to stderr, each as `log_lines` writes it, and as often as `log_repeats` says.

Modules log an event's name and its fields through the standard library (`log.info("delivery",
extra={…})`); this module gives those, and whatever libraries say, their form. `logbook` explains
every event.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from types import TracebackType
from typing import Any, Literal

from certmail_config.base.errors import CertmailError
from certmail_config.settings import PREFIX
from certmail_worker.runtime.log_lines import JsonLines, TerminalLines
from certmail_worker.runtime.log_repeats import CollapsingHandler

Form = Literal["json", "console"]

_QUIET = {
    "kombu": logging.WARNING,
    "amqp": logging.WARNING,
    "asyncio": logging.WARNING,
    "alembic": logging.WARNING,
    # One line per doorbell says nothing that the record does not.
    "celery.worker.strategy": logging.WARNING,
    "celery.utils.functional": logging.WARNING,
}


def set_up(form: Form, *, process: str) -> None:
    """Give the root logger one handler on stderr; called once by each process."""
    handler = CollapsingHandler(sys.stderr)
    handler.setFormatter(
        JsonLines(process) if form == "json" else TerminalLines(process, colors=sys.stderr.isatty())
    )

    # What no line says need not be found out for each (Python's logging how-to, Optimization).
    logging.logThreads = logging.logMultiprocessing = logging.logProcesses = False
    if sys.version_info >= (3, 12):
        logging.logAsyncioTasks = False
    logging._srcfile = None  # noqa: SLF001

    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)  # else they would stand between the lines, over several
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
    _hear_what_nobody_caught()


def set_up_where_json_is_asked_for(process: str) -> None:
    """The same before the settings are read, so that what is wrong with them is a line, too."""
    if os.environ.get(f"{PREFIX}LOG_FORMAT") == "json" and not is_json():
        set_up("json", process=process)


def is_json() -> bool:
    """Whether this process writes JSON lines, since somebody asked for them."""
    asked = os.environ.get(f"{PREFIX}LOG_FORMAT") == "json"
    handlers = logging.getLogger().handlers
    return asked and any(isinstance(each.formatter, JsonLines) for each in handlers)


def say_why_not(error: CertmailError) -> bool:
    """Say why a process does not run, if JSON was asked for; gives whether it was.

    Else whoever started it reads a sentence, as of any command.
    """
    if not is_json():
        return False

    said = {"code": error.code, "error": error.message, "remedy": error.remedy}
    logging.getLogger(__name__).critical("does_not_run", extra=said)
    return True


def name_worker(worker: str) -> None:
    """Put the worker's name, as the record has it, into each further line of this process."""
    for handler in logging.getLogger().handlers:
        if isinstance(form := handler.formatter, JsonLines):
            form.beside = {**form.beside, "worker": worker}


def _hear_what_nobody_caught() -> None:
    """What Python would print by itself, as lines: of threads, and of what is thrown away."""

    def of_thread(what: threading.ExceptHookArgs) -> None:
        if what.exc_value is not None:
            _unforeseen(what.exc_type, what.exc_value, what.exc_traceback)

    def of_none(what: Any) -> None:
        if what.exc_value is not None:
            _unforeseen(what.exc_type, what.exc_value, what.exc_traceback)

    threading.excepthook, sys.unraisablehook, sys.excepthook = of_thread, of_none, _unforeseen


def _unforeseen(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    logging.getLogger().critical("unforeseen", exc_info=(kind, error, trace))
