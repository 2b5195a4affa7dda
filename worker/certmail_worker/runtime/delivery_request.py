"""Celery's request, whose events say what became of a delivery.

Celery's own would say only that a function returned.
"""

from __future__ import annotations

from typing import Any

from celery.worker.request import Request

from certmail_worker.delivery.task_states import REFUSED, End, event


class DeliveryRequest(Request):  # type: ignore[misc]  # Celery ships no types
    """The request of a delivery: its end is the event that is sent.

    Nothing here raises, retries or rejects: the ledger decides what comes next.
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
