"""Who is told is decided once, by OpenTelemetry's variables; where nobody is, nothing is imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from certmail_config.tracing.process import Chosen, choose, is_wanted
from certmail_config.tracing.spans import NO_SPAN, NO_TRACING

ADDRESS = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
IMPORT_ALL = """
import os, sys
import certmail, certmail.gateway.app, certmail_worker.runtime.lifecycle, certmail_worker.runtime.tasks
from certmail_config.tracing.process import process_tracing
from certmail_config.tracing.spans import NO_TRACING
assert process_tracing("certmail-worker").tracing is NO_TRACING
"""
WITHOUT = """
import sys
sys.modules["opentelemetry"] = None
from certmail_config.tracing.process import choose
chosen = choose("certmail-worker", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
print(chosen.trouble, chosen.remedy)
"""


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        (ADDRESS, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        ({**ADDRESS, "OTEL_SDK_DISABLED": "True"}, False),
        ({**ADDRESS, "OTEL_SDK_DISABLED": "false"}, True),
        ({**ADDRESS, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**ADDRESS, "OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({**ADDRESS, "OTEL_TRACES_EXPORTER": ""}, True),
        ({"OTEL_SERVICE_NAME": "shop", "OTEL_TRACES_SAMPLER": "always_on"}, False),
    ],
)
def test_somebody_is_told_where_there_is_an_address(
    environment: dict[str, str], wanted: bool
) -> None:
    assert is_wanted(environment) is wanted
    if not wanted:
        assert choose("s", environment) == Chosen(NO_TRACING)


def test_where_nobody_is_told_one_object_stands_for_every_span() -> None:
    spans = [
        NO_TRACING.on_behalf([None]),
        NO_TRACING.caller("x"),
        NO_TRACING.pace([], 1.0),
        NO_TRACING.google("send", "POST", "", ""),
    ]
    assert all(span is NO_SPAN for span in spans)
    assert NO_TRACING.origin() is NO_TRACING.begin_enqueue(3) is None
    with NO_SPAN as span:
        span.tell({"state": "accepted"})
    NO_TRACING.end_enqueue(None, [])
    NO_TRACING.close()


def test_where_nobody_is_told_certmail_imports_nothing_of_it() -> None:
    """But redis-py imports the SDK by itself where it is installed, and makes nothing of it."""
    told_by = (
        "certmail_config.tracing.sdk",
        "certmail_config.tracing.telling",
        "opentelemetry.exporter",
    )
    ran = _python(f"{IMPORT_ALL}\nprint([name for name in {told_by} if name in sys.modules])")
    assert ran.stdout == "[]\n", ran


def test_without_the_extra_it_is_said_and_nothing_else_happens() -> None:
    ran = _python(WITHOUT)
    assert "is not installed. Install certmail[otel]" in ran.stdout, ran


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_BSP_MAX_QUEUE_SIZE", "-1"), ("OTEL_SPAN_LINK_COUNT_LIMIT", "secret")],
)
def test_a_variable_that_opentelemetry_does_not_like_is_said_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    chosen = choose("s", ADDRESS)
    assert chosen.tracing is NO_TRACING
    assert "OpenTelemetry does not start" in chosen.trouble
    assert value not in chosen.trouble + chosen.remedy


def test_another_protocol_is_said() -> None:
    chosen = choose("s", {**ADDRESS, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
    assert chosen.tracing is NO_TRACING
    assert chosen.trouble == "Traces are sent by http/protobuf, not by grpc."


def _python(code: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": ":".join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
