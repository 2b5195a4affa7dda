"""The upstream applications of a soak: one by the Python client, one by the HTTP API.

Each sends its part of the week's reminders when they are due, and again whatever it has no receipt
for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import requests

from certmail import Mailer, Reminder
from certmail_config.base.errors import ReminderRejected, StoresUnreachable
from certmail_config.stores.connect import connect
from soak.facts import Tenants
from soak.week import Week

STEP_SECONDS: Final = 0.25
AGAIN_SECONDS: Final = 0.5
ANSWER_SECONDS: Final = 30.0
LATER_SECONDS: Final = 5.0
ALONE: Final = 3
"""So many at once go by the API one by one, more in a batch."""
LOCALES: Final = ("en", "de", "fr", None)
KINDS: Final = ("reminder", "reminder", "notice", "final")

Enqueue = Callable[[Sequence[Reminder]], list[str]]
"""Enqueues reminders, and gives their ids; raises whatever it is when it can give none."""


class Upstream(threading.Thread):
    """A thread that enqueues every so-many-th reminder of the week, the n-th when it is due.

    Attributes:
        receipts: The tenant of each job.
        wrong: What no outage explains.
    """

    def __init__(
        self,
        week: Week,
        tenants: Tenants,
        enqueue: Callable[[], Iterator[Enqueue]],
        turns: frozenset[int],
        over: threading.Event,
    ) -> None:
        super().__init__(daemon=True)
        self.receipts: dict[str, str] = {}
        self.wrong: list[str] = []
        self._week, self._tenants = week, tenants
        self._enqueue, self._turns, self._over = enqueue, turns, over

    def run(self) -> None:
        began, done = time.monotonic(), 0
        for enqueue in self._enqueue():
            while not self._over.is_set() and done < self._week.due(self._week.seconds):
                due = self._week.due(time.monotonic() - began)
                batch = [
                    reminder(n, self._tenants) for n in range(done, due) if n % 10 in self._turns
                ]
                self._send(enqueue, batch)
                done = due
                self._over.wait(STEP_SECONDS)

    def _send(self, enqueue: Enqueue, batch: list[Reminder]) -> None:
        while batch and not self._over.is_set():
            try:
                ids = enqueue(batch)
            except (StoresUnreachable, requests.RequestException) as error:
                self.wrong.append(f"no receipt: {type(error).__name__}: {error}")
                time.sleep(AGAIN_SECONDS)
                continue
            except RejectedError as error:
                self.wrong.append(str(error))
                return

            for each, id_ in zip(batch, ids, strict=True):
                if id_ in self.receipts:
                    self.wrong.append(f"{each.to} was given the job of another: {id_}")
                self.receipts[id_] = each.tenant
            return


class RejectedError(Exception):
    """A reminder that is as it should be was rejected."""


def reminder(n: int, tenants: Tenants) -> Reminder:
    """The n-th of the week; every seventh is to leave a little later."""
    later = datetime.now(UTC) + timedelta(seconds=LATER_SECONDS) if n % 7 == 3 else None
    return Reminder(
        tenant=tenants.of(n),
        to=f"reviewer{n}@people.example",
        name=f"Réviewer Ñumber {n}",
        campaign=f"week-{n // 1_000}",
        campaign_name="Quarterly access review",
        kind=KINDS[n % len(KINDS)],
        locale=LOCALES[n // 4 % len(LOCALES)],
        due_at=datetime.now(UTC) + timedelta(days=9),
        pending=n % 19 + 1,
        completed=n % 7,
        link=f"https://iga.example/reviews/{n}",
        send_at=later,
        priority=n % 3,
    )


def by_client(redis_url: str) -> Iterator[Enqueue]:
    """The Python client."""
    with connect(redis_url) as redis:
        mailer = Mailer(redis)

        def enqueue(batch: Sequence[Reminder]) -> list[str]:
            answers = list(mailer.send_many(batch))
            ids = [answer.id for answer in answers if not isinstance(answer, ReminderRejected)]
            if len(ids) < len(answers):
                found = next(each for each in answers if isinstance(each, ReminderRejected))
                raise RejectedError(f"rejected: {found.message}")
            return ids

        yield enqueue


def by_api(gateway: str, key: str) -> Iterator[Enqueue]:
    """The HTTP API; what is sent again has the same Idempotency-Key."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {key}"
        keys: dict[str, str] = {}

        def post(path: str, body: dict[str, Any], name: str) -> Any:
            headers = {"Idempotency-Key": keys.setdefault(name, uuid4().hex)}
            answer = session.post(
                gateway + path, json=body, headers=headers, timeout=ANSWER_SECONDS
            )
            if answer.status_code in {400, 403, 409, 422}:
                raise RejectedError(f"{path}: {answer.status_code} {answer.text[:300]}")
            answer.raise_for_status()
            return answer.json()

        def enqueue(batch: Sequence[Reminder]) -> list[str]:
            bodies = [each.model_dump(mode="json", exclude_none=True) for each in batch]
            names = [each.to for each in batch]
            if len(bodies) <= ALONE:
                ids = [
                    str(post("/v1/reminders", body, name)["id"])
                    for body, name in zip(bodies, names, strict=True)
                ]
            else:
                answer = post("/v1/reminders:batch", {"reminders": bodies}, names[0])
                ids = [str((each["receipt"] or {}).get("id", "")) for each in answer["items"]]
                if not all(ids):
                    raise RejectedError(f"rejected in a batch: {answer}"[:300])
            keys.clear()
            return ids

        yield enqueue
