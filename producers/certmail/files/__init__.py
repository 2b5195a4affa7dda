"""Files of reminders: bytes → lines → records → reminders, and back again where they are rejected.

Start with `source`, which opens a file and tells what it is; `formats` reads each form, and
`enqueue` enqueues the rows.
"""
