"""Google in one process, for demos and tests: sign-in, tokens, service-account keys and Gmail.

It has a mailbox to look at as well. Start reading at `server`, which puts everything together, and
`google_side`, the way that every request takes.

It shares no code with the programs that talk to it: a shared mistake would pass its own test.
"""
