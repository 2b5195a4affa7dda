"""What lasts is left alone by the collector, in the process that says so."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import gc
from certmail_worker.runtime.garbage import THRESHOLDS, spare_what_lasts

spare_what_lasts()
assert gc.get_freeze_count() > 1_000, gc.get_freeze_count()
assert gc.get_threshold() == THRESHOLDS

class Cycle:
    freed = 0
    def __init__(self):
        self.own = self
    def __del__(self):
        Cycle.freed += 1

for _ in range(3 * THRESHOLDS[0]):
    Cycle()
assert Cycle.freed > THRESHOLDS[0], Cycle.freed
"""


def test_what_is_there_is_spared_and_later_cycles_are_still_found() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
