"""Who works on what was taken in, and what of that stands still: a check by name, for /readyz.

Anybody may ask: which worker on which machine, and what it failed with, is for doctor and the log to
say.
"""

from __future__ import annotations

from typing import Final

from certmail_config.status.stalls import Seen, standstills

OK: Final = "ok"
STANDS: Final = "not as it should be (`certmail doctor` says more), since"


def workers(seen: Seen) -> dict[str, str]:
    """Whether any worker is alive; pure."""
    return {"workers": OK if seen.workers else "none is alive: reminders wait"}


def services(seen: Seen) -> dict[str, str]:
    """What stands still, and how much waits for a time; pure."""
    if not seen.workers:
        return {}

    found = {
        each.service: f"{STANDS} {each.since:%Y-%m-%dT%H:%M:%SZ}" for each in standstills(seen)
    }
    mailboxes, projects = seen.waits
    if mailboxes or projects:
        found["waits"] = (
            f"{mailboxes} mailboxes and {projects} projects wait for a time: "
            "`certmail doctor` says why"
        )

    return found
