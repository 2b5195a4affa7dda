"""A task of a test's own that runs until the test has seen enough."""

from __future__ import annotations

import asyncio
import time
from typing import Any


async def end(task: asyncio.Task[Any], seconds: float = 60) -> None:
    """Cancel until it has ended: what it waits for may swallow one cancellation.

    What it failed with is raised.
    """
    deadline = time.monotonic() + seconds
    while not task.done():
        assert time.monotonic() < deadline, f"cancelled for {seconds} s, it goes on: {task}"
        task.cancel()
        await asyncio.wait({task}, timeout=0.1)
    if not task.cancelled():
        task.result()
