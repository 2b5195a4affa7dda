"""`certmail send`: the command, what it counts, its bar and its last words.

How a file is read is in `certmail.files`.
"""
