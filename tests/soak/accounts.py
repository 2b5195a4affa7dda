"""The accounts at the end: every receipt has come to an end, and to at most one mail. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from certmail_config.jobs.states import State
from soak.facts import Accounts


def findings(found: Accounts) -> Iterator[str]:
    """What is wrong; nothing, if all is accounted for."""
    if len(found.receipts) != found.wanted:
        yield f"{len(found.receipts)} receipts for {found.wanted} reminders"
    if found.set_aside:
        yield f"{found.set_aside} events could not be recorded"

    for job in found.receipts:
        entry, copies = found.entries.get(job), found.copies[job]
        if entry is None:
            yield f"{job}: there is a receipt, but it was never on record"
        elif not entry.has_ended:
            yield f"{job}: it is still {entry.state}"
        elif entry.state == State.ACCEPTED and not copies:
            yield f"{job}: it is accepted, and no mail arrived"
        elif copies and entry.state not in {State.ACCEPTED, State.UNCERTAIN}:
            yield f"{job}: it is {entry.state}, and {copies} mails arrived"
        if copies > 1 and not (entry and entry.possible_duplicate):
            yield f"{job}: {copies} mails arrived, and no possible duplicate is on record"

    for job in (found.copies.keys() | found.entries.keys()) - found.receipts.keys():
        yield f"{job}: nobody enqueued it"


def words(found: Accounts) -> str:
    """The sums in a line."""
    states = Counter(entry.state for entry in found.entries.values())
    twice = sum(count > 1 for count in found.copies.values())
    marked = sum(entry.possible_duplicate for entry in found.entries.values())
    return (
        f"{len(found.receipts):,} receipts, {found.copies.total():,} mails; "
        + ", ".join(f"{state} {count:,}" for state, count in states.most_common())
        + f"; {marked} possible duplicates on record, {twice} with two mails"
    )
