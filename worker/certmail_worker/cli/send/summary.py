"""What `certmail send` says to a person at its end."""

from __future__ import annotations

from certmail.files.tally import Tally
from certmail_config.jobs.states import State
from certmail_worker.cli.support.output import err, table, when

MAX_SHOWN = 50
"""Kinds of faults on a terminal; all rows are in the file, or in the JSON."""


def print_summary(
    tally: Tally, file: str | None, *, again: str, dry_run: bool, workers: int | None = None
) -> None:
    """Say what became of a file's rows; equal faults are one line of a table.

    `again` is the command that sends the file of rejected rows; `workers` how many live, None where
    that is not known.
    """
    if dry_run:
        err.print(
            f"{tally.good} could be enqueued, {tally.rejected} rejected. Nothing was enqueued."
        )
    else:
        suppressed = tally.states[State.SUPPRESSED, False]
        note = f" ({suppressed} of them suppressed: nothing left to decide)" if suppressed else ""
        err.print(
            f"{tally.enqueued} enqueued{note}, {tally.duplicates} duplicates{_known(tally)}, {tally.rejected} rejected."
        )
        if forecast := _forecast(tally, workers):
            err.print(forecast)

    for why, count in tally.language_notes.most_common():
        err.print(f"{count} of them: {why}.", markup=False)
    for (name, value), alike in tally.left_out.items():
        err.print(f"{name} left out where it says {value!r}: lines {alike}.", markup=False)

    if tally.faults:
        faults = sorted(tally.faults.items(), key=lambda each: each[1].first)
        shown = faults[:MAX_SHOWN]
        table(
            ["lines", "field", "code", "why"],
            [[str(alike), field, code, message] for (field, code, message), alike in shown],
        )

        if len(faults) > len(shown):
            rows = sum(alike.count for _, alike in faults[MAX_SHOWN:])
            err.print(f"… and {len(faults) - len(shown)} more faults, in {rows} rows.")

        if file is not None:
            err.print(f"They are in {file}: correct them there, and run `{again}`.", markup=False)


def _known(tally: Tally) -> str:
    """Where those are that were in already: a duplicate need not have arrived."""
    states = {str(state): count for (state, duplicate), count in tally.states.items() if duplicate}
    if not states.keys() & {State.UNCERTAIN, State.FAILED}:
        return ""
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    on_uncertain = "; see `certmail uncertain list`" if State.UNCERTAIN in states else ""
    return f" ({counts}{on_uncertain})"


def _forecast(tally: Tally, workers: int | None) -> str:
    """When the last will leave, if anybody is there to send it.

    And how many there are of which nobody can say that.
    """
    parts = []

    if workers == 0 and tally.waiting:
        parts.append(
            "No worker is running: they wait. (`certmail worker` starts one, `certmail up` everything.)"
        )
    elif tally.latest is not None:
        parts.append(f"The last leaves at about {when(tally.latest)}, as fast as Google allows.")

    if unknown := tally.without_forecast:
        parts.append(
            f"For {unknown} no time is known: their connection does not work yet, or one reminder goes first to try it "
            "(`certmail connections list`)."
        )

    return " ".join(parts)
