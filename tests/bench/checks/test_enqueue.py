"""The instrument works: each way enqueues what it should, and its cost is known."""

from __future__ import annotations

from typing import Any

from bench.enqueue import delay, measure, place, send_each, send_many
from certmail_config.base import redis_keys


def test_each_way_enqueues_as_many_as_it_says() -> None:
    with place() as (url, redis):
        for way in (send_many, send_each):
            redis.delete(redis_keys.DUE)
            rate = measure("certmail", way, redis, 30)
            due: Any = redis.zcard(redis_keys.DUE)
            assert due == 30
            assert rate.seconds > 0
            assert rate.client_cpu > 0
            for key in list(redis.scan_iter(redis_keys.DEDUPE + "*")):
                redis.delete(key)

        rate = measure("Celery", delay(url), redis, 30)
        assert redis.llen("celery") == 30
        assert "30 in" in rate.line()
