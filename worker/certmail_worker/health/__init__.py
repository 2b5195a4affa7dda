"""Whether this process can trust what it runs by: the services' progress, the server's clock, its own.

Notes and pure judgements; nothing here acts on them.
"""
