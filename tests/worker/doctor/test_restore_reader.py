"""What a restored server still holds.

It is read job by job, so that none that cannot be read hides the others.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_worker.doctor.restore_reader import waiting_jobs
from support.data.garbage import JOBS
from support.machine.clocked_ledger import ClockedLedger


@pytest.mark.parametrize("changes", JOBS.values(), ids=JOBS)
def test_a_job_that_cannot_be_read_hides_no_other(redis: Redis, changes: Any) -> None:
    bench = ClockedLedger(redis)
    bench.enqueue("j")
    bench.enqueue("other")
    for name, value in changes.items():
        if value is None:
            redis.hdel(redis_keys.JOB + "j", name)
        else:
            redis.hset(redis_keys.JOB + "j", name, value.encode(errors="surrogateescape"))
    found = waiting_jobs(redis, [], datetime.fromtimestamp(bench.now + 30 * 86_400, UTC))
    assert "other" in {each.job for each in found["a"]}


def test_nor_does_a_key_that_is_no_hash(redis: Redis) -> None:
    bench = ClockedLedger(redis)
    bench.enqueue("j")
    bench.enqueue("other")
    redis.set(redis_keys.JOB + "j", "a text")
    found = waiting_jobs(redis, [], datetime.fromtimestamp(bench.now + 30 * 86_400, UTC))
    assert [each.job for each in found["a"]] == ["other"]
