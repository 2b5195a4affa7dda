"""A job's id is its trace's, and a sampler by ratio takes the part that it is asked for."""

from __future__ import annotations

import time
from uuid import UUID

import pytest
from opentelemetry.sdk.trace.sampling import Decision, Sampler, TraceIdRatioBased

from certmail_config.base.ids import JobId, uuid7
from certmail_config.tracing.job_traces import enqueue_span_of, trace_of
from certmail_config.tracing.sdk import Evenly

NOW = int(time.time() * 1000)
TRACES = [trace_of(JobId(uuid7(NOW + n // 50))) or 0 for n in range(5_000)]


def takes(sampler: Sampler, trace: int) -> bool:
    return sampler.should_sample(None, trace, "").decision is Decision.RECORD_AND_SAMPLE


def test_the_trace_of_a_job_has_its_digits() -> None:
    job = JobId(uuid7(NOW))
    trace = trace_of(job)
    assert trace == UUID(job).int
    assert f"{trace:032x}" == job.replace("-", "")
    assert 0 < enqueue_span_of(trace) < 1 << 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anna@people.example",
        "0" * 36,
        "9e21c947-a655-486e-97f2-ea726421e24a",  # a UUID of another kind
        "01A21EE3-0338-7520-AE1F-081592E07307",
        "01a21ee3-0338-7520-ae1f-081592e07307\n",
    ],
)
def test_what_is_no_jobs_id_has_no_trace(text: str) -> None:
    assert trace_of(JobId(text)) is None


@pytest.mark.parametrize("ratio", [0.0, 0.01, 0.1, 0.5, 0.9, 1.0])
def test_a_sampler_by_ratio_takes_that_part_of_all_jobs(ratio: float) -> None:
    sampler = Evenly(TraceIdRatioBased(ratio))
    taken = sum(takes(sampler, trace) for trace in TRACES)
    # Five standard deviations.
    assert abs(taken - len(TRACES) * ratio) <= 5 * (len(TRACES) * ratio * (1 - ratio)) ** 0.5


def test_shown_the_ids_as_they_are_it_would_take_none() -> None:
    sampler = TraceIdRatioBased(0.5)
    assert not any(takes(sampler, trace) for trace in TRACES)
