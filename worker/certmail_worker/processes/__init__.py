"""The processes that `certmail up` starts beside the worker, and the secrets that it makes for them.

Flower's lock is here too.
"""
