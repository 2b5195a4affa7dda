"""The Python client: reminders are checked, sealed and enqueued, and asked for.

It needs Redis and no secret.

`from certmail import Mailer` is how it is imported.
"""
