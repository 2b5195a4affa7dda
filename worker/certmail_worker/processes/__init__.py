"""The processes that `certmail up` starts beside the worker, and their secrets.

`children` starts and stops them; `flower` is Celery's dashboard behind a password, read-only.
"""
