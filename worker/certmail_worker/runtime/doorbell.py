"""The doorbell: a Celery message that carries one job id.

It may be lost or doubled without harm.
"""

from __future__ import annotations

from collections.abc import Sequence

from celery import Celery

from certmail_config.base.ids import JobId
from certmail_config.stores.broker import DELIVER


class Doorbell:
    """Rings for jobs over a connection of its own; used by one thread at a time."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection = app.connection_for_write()
        self._producer = app.amqp.Producer(self._connection)

    def ring(self, jobs: Sequence[JobId]) -> None:
        """Send one message per job, in one round trip; raises what kombu raises."""
        deliver = self._app.tasks[DELIVER]

        with self._producer.batch():
            for job in jobs:
                deliver.apply_async(
                    args=[job],
                    task_id=job,
                    producer=self._producer,
                    argsrepr=f"('{job}',)",
                    kwargsrepr="{}",
                    retry=False,
                )

    def close(self) -> None:
        """Let the connection go."""
        self._connection.release()
