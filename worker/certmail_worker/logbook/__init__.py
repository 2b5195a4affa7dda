"""What every event and code in the log means, who has to do something, what, and how urgent it is.

Start at `book`. `certmail logs explain` and docs/logs.md both come from it; a test walks the source
and fails where something is logged that has no entry.
"""
