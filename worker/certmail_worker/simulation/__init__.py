"""A campaign played ahead of time: the ledger's own scripts on a real server, under a clock that is moved.

study: how long it takes, and which limit binds.
"""
