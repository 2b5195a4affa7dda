"""Cadences that are there to be chosen from, in the form in which a customer would write them."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Final

from certmail_config.campaigns.cadence import CadenceRule

PRESETS: Final = {
    "gentle": """\
# At the start, half a week and a day before the end, and twice afterwards.
[[rule]]
id = "start"
on = "start"
kind = "notice"
[[rule]]
id = "before"
before_due = [4, 1]
kind = "reminder"
[[rule]]
id = "late"
overdue = "5 working days"
at_most = 2
kind = "overdue"
""",
    "standard": """\
# Once a week, three times in the last week, then every other working day; in the end the manager.
[[rule]]
id = "start"
on = "start"
kind = "notice"
[[rule]]
id = "regular"
every = "5 working days"
at_most = 5
kind = "reminder"
[[rule]]
id = "before"
before_due = [7, 3, 1]
kind = "reminder"
[[rule]]
id = "late"
overdue = "2 working days"
at_most = 4
kind = "overdue"
[[rule]]
id = "manager"
overdue_by = "3 days"
to = "manager"
""",
    "strict": """\
# Every third working day, daily at the end and after it; the manager early, in the end the owner.
[[rule]]
id = "start"
on = "start"
kind = "notice"
[[rule]]
id = "regular"
every = "3 working days"
at_most = 10
kind = "reminder"
[[rule]]
id = "before"
before_due = [7, 3, 2, 1]
kind = "reminder"
[[rule]]
id = "due"
on = "due"
kind = "final"
[[rule]]
id = "late"
overdue = "1 working day"
at_most = 10
kind = "overdue"
[[rule]]
id = "manager"
escalate_after = 3
to = "manager"
[[rule]]
id = "owner"
overdue_by = "5 days"
to = "owner"
""",
}


@cache
def preset(name: str) -> tuple[CadenceRule, ...]:
    """The rules of a preset."""
    return tuple(CadenceRule.model_validate(each) for each in tomllib.loads(PRESETS[name])["rule"])


def about(name: str) -> str:
    """What a preset is, in a sentence."""
    return PRESETS[name].partition("\n")[0].removeprefix("# ")
