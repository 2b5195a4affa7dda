"""Every point of a delivery at which its worker can be frozen for longer than its lease.

In the form of test_crash_points.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from support.deployment.crash_points import EACH_POINT, Point, check, each_point, lose, moves_on
from support.deployment.crash_stage import CrashStage
from support.processes.halt import freeze


def frozen_for_longer_than_its_lease(on: CrashStage, point: Point) -> None:
    lost = lose(on, point, freeze)
    other = moves_on(on, point)
    on.wake(lost)
    check(on, point, point.if_frozen, other)


@pytest.fixture(scope="module")
def frozen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Point, Future[None]]]:
    base = Path(tmp_path_factory.mktemp("points"))
    with each_point(request, base, frozen_for_longer_than_its_lease) as results:
        yield results


@EACH_POINT
def test_a_worker_is_frozen_for_longer_than_its_lease(
    frozen: dict[Point, Future[None]], point: Point
) -> None:
    frozen[point].result()
