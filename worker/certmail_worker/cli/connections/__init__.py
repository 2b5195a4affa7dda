"""`certmail connections …`: a module for each command, named as it is.

`shown`, `limits` and `options` are what they have in common: how a connection is shown, limited and
named. Start at `add`.
"""
