"""Setting a connection up: consents under way, probes that were asked for, what is to be done at Google.

All of it waits in Redis, sealed, and ends by itself.
"""
