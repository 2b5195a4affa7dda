"""A task of your own Celery application that reminds one reviewer.

CERTMAIL_REDIS_URL says where Redis is.
"""

import os

from celery import Celery

from certmail import Mailer, Reminder, StoresUnreachable

app = Celery("upstream", broker=os.environ["UPSTREAM_BROKER"])


@app.task(autoretry_for=(StoresUnreachable,), retry_backoff=True)  # type: ignore[untyped-decorator]  # Celery has no types
def remind(reviewer: str) -> str:
    """Retried as often as you like: what is in already is a duplicate, not a second mail."""
    with Mailer.from_env() as mailer:
        return mailer.send(Reminder(tenant="acme", to=reviewer, campaign="q4")).id
