"""Celery's request, which tells of a delivery what became of it: where Celery would say that a function returned."""

from __future__ import annotations

from typing import Any

from celery.worker.request import Request

from certmail_worker.delivery.task_states import REFUSED, End, event


class Reporting(Request):  # type: ignore[misc]  # Celery ships no types
    """See the module.

    Nothing here raises, retries or rejects: the ledger sees to what comes next.
    """

    def send_event(self, type: str, **fields: Any) -> None:  # noqa: A002 - Celery's signature
        """Send an event; of a delivery that has returned, the one that is true."""
        end = fields.get("result")
        if type != "task-succeeded" or not isinstance(end, End):
            super().send_event(type, **fields)
            return

        if (true := event(end)) is not None:
            super().send_event(true[0], **true[1], runtime=fields["runtime"])
        if end.state == REFUSED and self._eventer and self._eventer.enabled:
            # One reminder's doorbell that came twice has a row of its own.
            self._eventer.send(
                "task-refused",
                uuid=f"{self.id}:{str(self.delivery_info.get('delivery_tag') or self._message.delivery_tag)[:8]}",
                root_id=self.id,
                name=self.name,
                args=self.argsrepr,
                kwargs=self.kwargsrepr,
                result=str(end),
            )
