"""The due dates of a mail as a file for the reviewer's calendar (RFC 5545, RFC 5546).

Start at `due_events`, which decides what the file says; `calendar_lines` writes it. The file is
published: an entry to keep, and no invitation that its reader has to answer.
"""

from certmail_config.compose.calendar.due_events import DueEvent, due_events
from certmail_config.compose.calendar.icalendar import calendar_lines

__all__ = ["DueEvent", "calendar_lines", "due_events"]
