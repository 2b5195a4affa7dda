"""Setting a connection up: consents under way, requests to a worker, what is to be done at Google.

All of it waits in Redis, sealed, and ends by itself.
"""
