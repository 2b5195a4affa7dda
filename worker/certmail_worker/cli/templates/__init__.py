"""`certmail templates …`: a module for each command, named as it is.

`folder` reads and writes the files of a tenant, `saying` says what was found. Start at `publish`.
"""
