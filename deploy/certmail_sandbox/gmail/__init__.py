"""Gmail's API: the checks before a method, and the methods.

Every method begins with `access.enter`; start reading there, then at `send`.
"""
