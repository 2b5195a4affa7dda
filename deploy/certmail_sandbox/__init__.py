"""Google in one process, for demos and tests: sign-in, tokens, service-account keys, Gmail, and a mailbox to look at.

It shares no code with the programs that talk to it: a shared mistake would pass its own test.
"""
