"""Enqueueing or only checking a file's rows.

Each is counted in the order of the file, and kept where it is rejected.

Knows nothing of the command line: what shows how far it has come is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice, tee

from certmail import BatchInterrupted, Mailer, Receipt
from certmail.files.row import Rejects, Row
from certmail.files.tally import Tally
from certmail_config.base.errors import ReminderRejected, StoresUnreachable, WrongUse
from certmail_config.jobs.reminder import Reminder


def _no_progress() -> None:
    """Show no progress."""


def enqueue_rows(
    mailer: Mailer,
    rows: Iterable[Row],
    tally: Tally,
    *,
    kept: Rejects | None = None,
    advance: Callable[[], None] = _no_progress,
) -> None:
    """Enqueue rows; `advance` is called after each.

    Raises StoresUnreachable, or WrongUse, saying how far it came.
    """
    given, unanswered = tee(rows)  # the mailer is two batches ahead of its answers
    answers = mailer.send_many(row.reminder for row in given)

    try:
        for answer, row in zip(answers, unanswered, strict=True):
            tally.count_left_out(row)
            if isinstance(answer, Receipt):
                tally.receive(answer)
            else:
                _reject(row, answer, tally, kept)
            advance()
    except BatchInterrupted as error:
        unknown = sum(
            isinstance(row.reminder, Reminder) for row in islice(unanswered, error.unknown)
        )
        doubt = f"of the {unknown} after them nobody knows, and " if unknown else ""
        message = f"{error.message} {tally.taken} reminders are in; {doubt}none of the others is."
        remedy = (
            f"{error.remedy} Then run the same command again: what is in already is not sent twice."
        )
        raise StoresUnreachable(error.code, message, remedy) from error
    # The file cannot be read to its end, or that of the rejected rows not written.
    except WrongUse as error:
        message = f"{error.message} {tally.taken} reminders before are in."
        raise WrongUse(error.code, message, error.remedy) from error


def check_rows(
    mailer: Mailer,
    rows: Iterable[Row],
    tally: Tally,
    *,
    kept: Rejects | None = None,
    advance: Callable[[], None] = _no_progress,
) -> None:
    """Check rows as far as that is possible without enqueueing; `advance` is called after each.

    Raises StoresUnreachable.
    """
    for row in rows:
        tally.count_left_out(row)

        why = mailer.check(row.reminder)
        if why is not None:
            _reject(row, why, tally, kept)
        elif isinstance(row.reminder, Reminder):
            tally.allow(mailer.language_note(row.reminder))

        advance()


def _reject(row: Row, why: ReminderRejected, tally: Tally, kept: Rejects | None) -> None:
    tally.reject(row, why)
    if kept is not None:
        field = f"{why.field}: " if why.field else ""
        kept.add(row, f"line {row.line}: {field}{why.message} ({why.code})")
