"""`certmail tenants …`: a module for each command, named as it is.

`options` is what several of them take, and how domains are shown. Start at `add`.
"""
