"""Each reminder that is enqueued has a trace, which links to where its caller stood in his own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from redis import Redis

from certmail import AsyncMailer, Mailer, Receipt, Reminder
from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings
from certmail_config.tracing.process import choose
from certmail_config.tracing.spans import Tracing
from support.network.collector import Collector, collector

MANY = 120
"""More than one batch."""


@pytest.fixture
def heard() -> Iterator[Collector]:
    with collector() as made:
        yield made


@pytest.fixture
def tracing(
    heard: Collector, redis: Redis, redis_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tracing]:
    """Traces that are told, and an emptied server with the tenant `acme`."""
    with open_admin(Settings(data_dir=data_dir, redis_url=redis_url)) as admin:
        admin.add_tenant("acme")

    for name, value in heard.environment().items():
        monkeypatch.setenv(name, value)
    made = choose("shop", heard.environment()).tracing
    yield made
    made.close()


@contextmanager
def application(number: int) -> Iterator[None]:
    """A span of the application's own."""
    flags = TraceFlags(TraceFlags.SAMPLED)
    at = SpanContext(number, number, is_remote=False, trace_flags=flags)
    with trace.use_span(NonRecordingSpan(at)):
        yield


def reminder(n: int) -> Reminder:
    return Reminder(tenant="acme", to=f"reviewer{n}@people.example", campaign="q4")


def callers(heard: Collector, job: str) -> list[int]:
    """Whom the span links to in which a job was enqueued; there is one such span."""
    [span] = heard.of_trace(job)["certmail enqueue"]
    return [int(link.trace, 16) for link in span.links]


def test_what_a_mailer_enqueues_links_to_the_span_that_is_current(
    heard: Collector, tracing: Tracing, redis: Redis
) -> None:
    rejected = Reminder(tenant="nobody", to="anna@people.example", campaign="q4")
    with Mailer(redis, tracing=tracing) as mailer:
        with application(7):
            given = [rejected, *(reminder(n) for n in range(MANY))]
            answers = list(mailer.send_many(given))
        alone = mailer.send(reminder(MANY))
    tracing.close()

    jobs = [answer.id for answer in answers if isinstance(answer, Receipt)]
    assert len(jobs) == MANY
    assert [callers(heard, job) for job in jobs] == [[7]] * MANY
    assert callers(heard, alone.id) == []
    assert len(heard.spans) == MANY + 1
    assert {span.attributes["certmail.state"] for span in heard.spans} == {"ready"}


async def test_callers_whose_reminders_travel_together_are_told_apart(
    heard: Collector, tracing: Tracing, redis: Redis
) -> None:
    async def send(mailer: AsyncMailer, n: int) -> str:
        with application(n + 1):
            return (await mailer.send(reminder(n))).id

    async with AsyncMailer(lambda: Mailer(redis, tracing=tracing), tracing) as mailer:
        jobs = await asyncio.gather(*(send(mailer, n) for n in range(MANY)))
        with application(MANY + 1):
            [together] = await mailer.send_each([reminder(MANY)])
    await asyncio.to_thread(tracing.close)

    assert [callers(heard, job) for job in jobs] == [[n + 1] for n in range(MANY)]
    assert isinstance(together, Receipt)
    assert callers(heard, together.id) == [MANY + 1]
