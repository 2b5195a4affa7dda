"""The Python client: it checks, seals and enqueues reminders, with Redis and without a secret.

Start with `mailer`, which applications import as `from certmail import Mailer`; `batches` has the
order of things, and `async_mailer` is the same for asyncio.
"""
