"""What holds in a ledger at any moment, whatever has happened to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from certmail_config.jobs.states import FINAL, AttemptOutcome, State
from support.contents.contents import Contents
from support.model.values import LEASED, Entry


def violations(ledger: Contents) -> Iterator[str]:
    """A sentence for each thing that is not as it must be."""
    for entry in ledger.entries.values():
        yield from of_a_job(entry, ledger)
    for index, jobs in {"due": ledger.due, "unsure": ledger.unsure}.items():
        yield from (
            f"{index} holds {job}, which is unknown" for job in jobs.keys() - ledger.entries.keys()
        )


def of_a_job(entry: Entry, ledger: Contents) -> Iterator[str]:
    """What must be so of one job and the indexes."""
    id_, state, final = entry.id, entry.state, entry.state in FINAL
    closed = state is State.UNCERTAIN and entry.finished_at is not None
    unfinished = not final and not closed
    lanes = [lane for lane, jobs in ledger.lanes.items() if id_ in jobs]
    later = {lane: jobs[id_] for lane, jobs in ledger.later.items() if id_ in jobs}
    boxes = [mailbox for mailbox, jobs in ledger.flying.items() if id_ in jobs]
    unknown = AttemptOutcome.UNKNOWN in entry.outcomes.values()
    accepted = AttemptOutcome.ACCEPTED in entry.outcomes.values()
    rules = {
        "every unfinished job is in due, and no other": (id_ in ledger.due) is unfinished,
        "a job is in its lane, and in no other, while it is ready": lanes
        == ([entry.connection] if state is State.READY else []),
        "a scheduled job, and only it, is in its lane's later at its time": later
        == ({entry.connection: entry.at} if state is State.SCHEDULED else {}),
        "a job is leased while a worker has it": (id_ in ledger.leased) is (state in LEASED),
        "a leased job takes a slot of its mailbox": boxes
        == ([entry.mailbox] if state in LEASED else []),
        "only an unclaimed doorbell rings": (id_ in ledger.ringing)
        is (state is State.DISPATCHED and entry.nonce is None),
        "a payload is kept until its job is finished": (id_ in ledger.bodies) is unfinished,
        "a finished job is forgotten in time, no other": (id_ in ledger.passing) is not unfinished,
        "its dedupe key goes with it": (entry.dedupe in ledger.passing) is not unfinished,
        "only the uncertain are looked up": id_ not in ledger.unsure
        or (state is State.UNCERTAIN and unfinished),
        "no job is closed while a copy may be out that the record would deny": not final
        or state is State.ACCEPTED
        or not unknown
        or accepted,
        "accepted means that a request was": state is not State.ACCEPTED or accepted,
        "a job whose mail went out is not sent again": not accepted
        or state not in {State.READY, State.SCHEDULED, State.DISPATCHED},
        "what is being sent is not yet known": state is not State.SENDING
        or entry.attempt not in entry.outcomes,
        "only what is unknown is uncertain, unless a person is to decide": state
        is not State.UNCERTAIN
        or entry.held
        or unknown,
        "what was called off is not sent": entry.called_off is None
        or state not in {State.READY, State.SCHEDULED, State.DISPATCHED},
        "an attempt is begun before anything is said of it": set(range(1, entry.attempt + 1))
        <= entry.begun.keys(),
    }

    yield from (f"{id_} ({state}): not so: {rule}" for rule, holds in rules.items() if not holds)


def replayed(event: Mapping[str, str]) -> tuple[State, bool] | None:
    """The state that an event leaves its job in, and whether it is held.

    None for an event of a lane, and for one that says nothing of it.
    """
    if "job" not in event or "state" not in event:
        return None
    return waiting(State(event["state"])), event.get("held") == "1"


def waiting(state: State) -> State:
    """A lease is no event: what events alone say of a dispatched job is that it waits."""
    return State.READY if state is State.DISPATCHED else state
