"""A Celery app with the task that doorbells call, for tests of how they travel."""

from __future__ import annotations

from celery import Celery

from certmail_config.stores.broker import DELIVER, QUEUE, TRANSPORT_OPTIONS


def doorbell_app(broker: str | None = None) -> Celery:
    """Make an app; only its task's name and messages count, it delivers nothing."""
    app = Celery("doorbells", broker=broker, set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,
        broker_transport_options=dict(TRANSPORT_OPTIONS),
    )

    @app.task(name=DELIVER, shared=False)  # type: ignore[untyped-decorator]  # Celery ships no types
    def deliver(job: str) -> None:
        """Stand for the task."""

    return app
