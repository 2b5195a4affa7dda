"""Holds objects against the models of their CRDs; run by the Python that `make charts` installs.

Reads a list of objects as JSON, and says what is wrong. A field that a model does not know is
wrong, too: it would be dropped, or refused, by the cluster.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import PrometheusRule, ServiceMonitor
from pydantic import ValidationError

MODELS = {model.__name__: model for model in (ScaledObject, ServiceMonitor, PrometheusRule)}


def faults(given: dict[str, Any]) -> list[str]:
    """What is wrong with one object."""
    name = f"{given['kind']} {given['metadata']['name']}"
    try:
        known = MODELS[given["kind"]].model_validate(given)
    except ValidationError as error:
        return [f"{name}: {error}"]
    kept = known.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return [f"{name}: {path} is not known" for path in lost(given, kept)]


def lost(given: Any, kept: Any, path: str = "") -> list[str]:
    """The paths of what was given and is not in the model."""
    if isinstance(given, dict):
        missing = [f"{path}/{key}" for key in given if key not in kept]
        inner = [
            lost(value, kept[key], f"{path}/{key}") for key, value in given.items() if key in kept
        ]
        return [*missing, *(each for found in inner for each in found)]
    if isinstance(given, list):
        pairs = zip(given, kept, strict=True)
        return [each for n, (a, b) in enumerate(pairs) for each in lost(a, b, f"{path}/{n}")]
    return []


if __name__ == "__main__":
    found = [each for given in json.load(sys.stdin) for each in faults(given)]
    sys.stdout.write("".join(f"{each}\n" for each in found))
    sys.exit(1 if found else 0)
