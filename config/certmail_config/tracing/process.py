"""Whether this process tells of what it does, decided once; by OpenTelemetry's own variables."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from certmail_config.tracing.spans import NO_TRACING, Tracing

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN: Final = "http/protobuf"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who is told; `trouble` and `remedy` say why nobody is, where somebody should be."""

    tracing: Tracing = NO_TRACING
    trouble: str = ""
    remedy: str = ""


NOBODY: Final = Chosen()
_lock = threading.Lock()
_chosen: list[Chosen] = []


def process_tracing(service: str) -> Chosen:
    """This process's traces, made when first asked for.

    `service` then names it where OTEL_SERVICE_NAME does not. Takes a third of a second where somebody is
    to be told, and imports nothing where not.
    """
    with _lock:
        if not _chosen:
            _chosen.append(choose(service, os.environ))
        return _chosen[0]


def choose(service: str, environment: Mapping[str, str]) -> Chosen:
    """Whom to tell, by these variables; whatever is wrong with them, nobody suffers by it."""
    if not is_wanted(environment):
        return NOBODY

    protocol = _first(environment, _PROTOCOLS) or _SPOKEN
    if protocol != _SPOKEN:
        trouble = f"Traces are sent by {_SPOKEN}, not by {protocol[:20]}."
        return Chosen(trouble=trouble, remedy=f"Set {_PROTOCOLS[1]}={_SPOKEN}, or leave it out.")

    try:
        # See the module: OpenTelemetry is imported here and nowhere else.
        from certmail_config.tracing.sdk import telling_tracing  # noqa: PLC0415

        return Chosen(telling_tracing(service))
    except ImportError as error:
        trouble = f"Traces are asked for, but {error.name} is not installed."
        return Chosen(trouble=trouble, remedy="Install certmail[otel], or take the variables out.")
    except Exception as error:  # noqa: BLE001 - a variable's value that it does not like
        trouble = f"OpenTelemetry does not start with its variables: {type(error).__name__}."
        return Chosen(trouble=trouble, remedy="Correct the OTEL_ variables.")


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether somebody is to be told: there is an address, and nothing says otherwise."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporters = environment.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    return bool(_first(environment, _ENDPOINTS)) and "otlp" in exporters.split(",")


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := environment.get(name, "").strip())), "")
