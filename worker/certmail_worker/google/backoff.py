"""How long to wait before trying again; tenacity's wait strategies as plain functions of a count.

All times are seconds. Randomness comes from tenacity's own generator: nobody needs to predict it,
and no test does.
"""

from __future__ import annotations

from tenacity import RetryCallState, wait_exponential, wait_random
from tenacity.wait import wait_base

JOB = wait_exponential(multiplier=2, min=2, max=1800) + wait_random(0, 2)
"""A job after transient trouble: 2, 4, 8 … seconds, at most half an hour."""
MAILBOX = wait_exponential(multiplier=2, min=2, max=900) + wait_random(0, 1)
"""A mailbox that Google asks to slow down without saying for how long.

Google documents: start at a second or more, and double.
"""
DAY = wait_exponential(multiplier=900, min=900, max=86400) + wait_random(0, 60)
"""A mailbox that has used up its day: a quarter of an hour, growing to a day (google.md §1.5)."""
OPERATOR = wait_exponential(multiplier=30, min=30, max=3600) + wait_random(0, 10)
"""Something that only the operator can mend."""
TOKEN = wait_exponential(multiplier=2, min=2, max=300) + wait_random(0, 1)
"""Before the token endpoint is asked again for a connection that it did not serve."""
STORE = wait_exponential(multiplier=0.1, min=0.1, max=5) + wait_random(0, 0.2)
"""A store that does not answer."""


def seconds(strategy: wait_base, count: int) -> float:
    """The wait before try number `count` + 1, for a count from 1 on."""
    # The strategies look at the number only.
    state = RetryCallState(None, None, (), {})  # type: ignore[arg-type]
    state.attempt_number = max(count, 1)
    return float(strategy(state))
