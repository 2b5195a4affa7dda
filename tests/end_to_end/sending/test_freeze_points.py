"""Every point of a delivery at which its worker can be frozen for longer than its lease.

In the form of test_crash_points.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.deployment.crash_points import EACH_POINT, Point, check, lose, moves_on
from support.deployment.crash_stage import stage
from support.deployment.deployment import STEADY, Deployment, new_deployment
from support.processes.halt import freeze


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with new_deployment(Path(tmp_path_factory.mktemp("points")), **STEADY) as made:
        made.link()
        yield made


@EACH_POINT
def test_a_worker_is_frozen_for_longer_than_its_lease(deployment: Deployment, point: Point) -> None:
    with stage(deployment) as on:
        lost = lose(on, point, freeze)
        other = moves_on(on, point)
        on.wake(lost)
        check(on, point, point.if_frozen, other)
