"""What is told: each reminder in its own trace, joined by links, and nothing that is a person's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

from certmail_config.base.ids import ConnectionId, JobId, uuid7
from certmail_config.tracing.process import choose
from certmail_config.tracing.sdk import CLOSE_SECONDS
from certmail_config.tracing.spans import Taken, Tracing
from certmail_config.tracing.telling import MAX_LINKS
from support.network.addresses import free_address
from support.network.collector import Collector, Link, collector

PERSONAL = (
    "anna@people.example",
    "Réviewer Ñumber",
    "https://iga.example/r/1",
    "two words",
    "ya29.a/b",
)


@pytest.fixture
def heard() -> Iterator[Collector]:
    with collector() as made:
        yield made


@contextmanager
def told_to(url: str, monkeypatch: pytest.MonkeyPatch, **more: str) -> Iterator[Tracing]:
    """Traces of a process of their own, which are closed at the end."""
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, **more}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    chosen = choose("certmail-test", given)
    assert not chosen.trouble
    try:
        yield chosen.tracing
    finally:
        chosen.tracing.close()


def new_job() -> JobId:
    return JobId(uuid7(int(time.time() * 1000)))


def taken(job: JobId, place: int = 0, *, duplicate: bool = False) -> Taken:
    return Taken(place, job, "acme", ConnectionId("c1"), "ready", duplicate)


def enqueued_as(job: str) -> Link:
    """The link to the span in which a job was enqueued."""
    digits = job.replace("-", "")
    return Link(digits, digits[16:])


@contextmanager
def application(trace_id: int) -> Iterator[None]:
    """A span of an application's own, of which certmail makes nothing."""
    state = TraceState([("vendor", "anna")])
    at = SpanContext(trace_id, 7, is_remote=False, trace_flags=TraceFlags(1), trace_state=state)
    with trace.use_span(NonRecordingSpan(at)):
        yield


def test_a_reminder_is_one_trace_from_enqueue_to_google(
    heard: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = new_job()
    with told_to(heard.url, monkeypatch) as tracing:
        with application(0xABC):
            begun = tracing.begin_enqueue(1)
        tracing.end_enqueue(begun, [taken(job)])
        with tracing.pace([job], 0.5):
            pass
        with tracing.delivery(job, "host:1:abc") as span:
            with tracing.google(
                "send", "POST", "https://gmail.googleapis.com/x", "/v1/send"
            ) as asked:
                asked.tell({"http": 503, "error_type": "503", "retry_after": "7"})
            span.tell({"tenant": "acme", "attempt": 2, "state": "uncertain", "code": "answer_lost"})

    found = heard.of_trace(job)
    [enqueue], [deliver], [google] = (
        found[name] for name in ("certmail enqueue", "certmail deliver", "Google send")
    )
    [pace] = [span for span in heard.spans if span.name == "certmail pace"]

    assert (enqueue.kind, pace.kind, deliver.kind, google.kind) == (4, 4, 5, 3)
    assert enqueue.links == [Link(f"{0xABC:032x}", f"{7:016x}")]
    assert Link(enqueue.trace, enqueue.id) == enqueued_as(job)
    assert pace.links == deliver.links == [enqueued_as(job)]
    assert pace.ended - pace.begun >= 5e8
    assert (enqueue.parent, deliver.parent, google.parent) == ("", "", deliver.id)

    assert {span.service for span in heard.spans} == {"certmail-test"}
    assert enqueue.attributes["certmail.tenant.id"] == "acme"
    assert enqueue.attributes["messaging.message.id"] == job
    assert deliver.failed
    assert (
        deliver.attributes.items()
        >= {
            "messaging.system": "redis",
            "messaging.client.id": "host:1:abc",
            "certmail.attempt": 2,
            "certmail.state": "uncertain",
            "certmail.code": "answer_lost",
        }.items()
    )
    assert google.failed
    assert google.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 503,
        "server.address": "gmail.googleapis.com",
        "server.port": 443,
        "url.template": "/v1/send",
        "error.type": "503",
        "certmail.google.retry_after": "7",
    }


def test_one_that_came_twice_is_a_second_span_which_links_to_the_first(
    heard: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = new_job()
    with told_to(heard.url, monkeypatch) as tracing:
        for duplicate in (False, True):
            begun = tracing.begin_enqueue(1)
            tracing.end_enqueue(begun, [taken(job, duplicate=duplicate)])

    first, second = heard.of_trace(job)["certmail enqueue"]
    assert Link(first.trace, first.id) == enqueued_as(job)
    assert second.id != first.id
    assert second.links == [enqueued_as(job)]


def test_each_of_a_batch_links_to_whom_it_comes_from(
    heard: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reminders of several callers travel together, some rejected; batches follow each other."""
    jobs = [new_job() for _ in range(4)]
    with told_to(heard.url, monkeypatch) as tracing:
        origins = []
        for n in range(1, 6):
            with application(n):
                origins.append(tracing.origin())
        with tracing.on_behalf([*origins, None]):
            batches = [tracing.begin_enqueue(3), tracing.begin_enqueue(3)]
        tracing.end_enqueue(batches[0], [taken(jobs[0], 0), taken(jobs[1], 2)])
        tracing.end_enqueue(batches[1], [taken(jobs[2], 1), taken(jobs[3], 2)])

    links = [heard.of_trace(job)["certmail enqueue"][0].links for job in jobs]
    assert links == [[Link(f"{n:032x}", f"{7:016x}")] for n in (1, 3, 5)] + [[]]


def test_a_callers_header_is_where_its_reminder_comes_from(
    heard: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    with told_to(heard.url, monkeypatch) as tracing:
        with tracing.caller(f"00-{5:032x}-{7:016x}-01"):
            assert tracing.origin() is not None
        for nonsense in ("", "anna@people.example", "00-0-0-01"):
            with application(1), tracing.caller(nonsense):
                assert tracing.origin() is None
        assert tracing.origin() is None


def test_a_step_of_the_pacer_links_to_some_of_its_jobs_only(
    heard: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        told_to(heard.url, monkeypatch) as tracing,
        tracing.pace([new_job() for _ in range(500)], 0),
    ):
        pass
    [pace] = heard.spans
    assert len(pace.links) == MAX_LINKS
    assert pace.attributes["messaging.batch.message_count"] == 500


def test_nothing_passes_that_is_no_identifier_or_number(
    heard: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    with told_to(heard.url, monkeypatch) as tracing:
        for secret in PERSONAL:
            with tracing.delivery(JobId(secret), secret) as span:
                span.tell(
                    {"tenant": secret, "code": secret, "error": "x", "campaign": "y", secret: 1}
                )
                span.tell({"state": ["a"], "code": b"bytes", "attempt": None})
            tracing.end_enqueue(tracing.begin_enqueue(1), [taken(JobId(secret))])
        with pytest.raises(ValueError, match="anna"), tracing.delivery(new_job(), "w"):
            raise ValueError(PERSONAL)

    sent = b"".join(heard.raw)
    assert not [secret for secret in PERSONAL if secret.encode() in sent]
    assert all(span.events == 0 for span in heard.spans)
    assert heard.spans[-1].attributes["error.type"] == "ValueError"
    assert heard.spans[-1].failed
    known = {key for span in heard.spans for key in span.attributes}
    assert not known & {"error", "campaign", *PERSONAL}


def test_the_environment_says_who_this_is_and_how_many_are_told(
    heard: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {
        "OTEL_SERVICE_NAME": "our-certmail",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20k",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0.5",
    }
    jobs = [new_job() for _ in range(200)]
    with told_to(heard.url, monkeypatch, **more) as tracing:
        begun = tracing.begin_enqueue(len(jobs))
        tracing.end_enqueue(begun, [taken(job, n) for n, job in enumerate(jobs)])
        for job in jobs:
            with tracing.delivery(job, "w"), tracing.google("send", "POST", heard.url, "/"):
                pass

    assert {span.service for span in heard.spans} == {"our-certmail"}
    assert heard.headers[0]["authorization"] == "Bearer k"
    of_jobs = [heard.of_trace(job) for job in jobs]
    whole = [found for found in of_jobs if len(found) == 3]
    assert len(whole) == sum(map(bool, of_jobs)), "told of whole, or not at all"
    assert 60 < len(whole) < 140


@pytest.mark.parametrize("trouble", ["away", "held", 400, 503])
def test_who_is_told_holds_nobody_up(
    heard: Collector,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: str | int,
) -> None:
    url = f"http://{free_address()}" if trouble == "away" else heard.url
    if trouble == "held":
        heard.held.clear()
    elif isinstance(trouble, int):
        heard.status = trouble
    more = {
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "10",
        "OTEL_BSP_MAX_QUEUE_SIZE": "200",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "50",
    }

    with told_to(url, monkeypatch, **more) as tracing:
        for _ in range(500):  # more than the queue holds
            with tracing.delivery(new_job(), "w"):
                pass
        if trouble == "held":
            assert heard.came.wait(60)
        closed_at = time.monotonic()
        tracing.close()

    # It waits for a request under way no longer than it says; the rest is a busy machine's.
    assert time.monotonic() - closed_at < CLOSE_SECONDS + 5
    with tracing.delivery(new_job(), "w") as span:  # and afterwards nothing is told
        span.tell({"state": "accepted"})
    assert "Queue full" not in caplog.text
    if trouble in {"away", 400}:
        assert "traces_not_exported" in caplog.text
