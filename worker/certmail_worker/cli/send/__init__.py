"""`certmail send`: the command, what it counts, its bar and its last words.

Start at `send`. How a file is read is in `certmail.files`.
"""
