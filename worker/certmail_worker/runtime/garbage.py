"""Python's collector of cycles, made fit for a process with half a million lasting objects.

A delivery makes some hundred objects and hardly a cycle, but each seven hundred more of them had
the collector look, and every so often at all that was ever imported: a tenth of a mail's CPU.
"""

from __future__ import annotations

import gc
from typing import Final

THRESHOLDS: Final = (10_000, 10, 10)
"""Objects made since the last look, and how many looks at the young go before one at the older."""


def spare_what_lasts() -> None:
    """Leave alone what is there now, and look less often at what comes.

    Called once, when all is imported and set up: what is freed afterwards by itself still is, only
    a cycle of it is not found.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
