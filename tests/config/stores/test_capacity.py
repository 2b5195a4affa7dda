"""Room: at 85 % of the memory or of the stream, certmail says stop, with figures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from redis import Redis

from certmail_config.base import redis_keys
from certmail_config.base.durability import FSYNC
from certmail_config.base.errors import SettingsError
from certmail_config.settings import Settings
from certmail_config.stores.capacity import (
    PACING_SHARE,
    Figures,
    StoreLimits,
    ask,
    read_figures,
    room,
    share,
    unseen,
)
from certmail_config.stores.health import fill, server_facts

MB = 1024**2
FIGURES = Figures(run="r", used=10 * MB, maxmemory=0, system=1000 * MB, events=0)


@pytest.mark.parametrize(
    ("figures", "limits", "code"),
    [
        (FIGURES, StoreLimits(), None),
        (replace(FIGURES, used=849 * MB), StoreLimits(), None),
        (replace(FIGURES, used=850 * MB), StoreLimits(), "redis_full"),
        (replace(FIGURES, used=85 * MB), StoreLimits(memory_max=100 * MB), "redis_full"),
        (replace(FIGURES, used=84 * MB), StoreLimits(memory_max=100 * MB), None),
        # The server's own limit is the one at which it refuses.
        (
            replace(FIGURES, used=85 * MB, maxmemory=200 * MB),
            StoreLimits(memory_max=100 * MB),
            None,
        ),
        (
            replace(FIGURES, used=85 * MB, maxmemory=100 * MB),
            StoreLimits(memory_max=200 * MB),
            "redis_full",
        ),
        (replace(FIGURES, system=0), StoreLimits(), None),
        (replace(FIGURES, events=1_699_999), StoreLimits(), None),
        (replace(FIGURES, events=1_700_000), StoreLimits(), "stream_full"),
        (replace(FIGURES, events=85), StoreLimits(events_max=100), "stream_full"),
    ],
)
def test_where_it_ends(figures: Figures, limits: StoreLimits, code: str | None) -> None:
    full = room(figures, limits)
    assert (full and full.code) == code


def test_sending_goes_on_for_longer_since_it_makes_room() -> None:
    assert room(replace(FIGURES, used=949 * MB), StoreLimits(), PACING_SHARE) is None
    full = room(replace(FIGURES, used=950 * MB), StoreLimits(), PACING_SHARE)
    assert full is not None
    assert full.code == "redis_full"


SHARED = replace(FIGURES, tenants=2, system=100 * MB)


def test_a_tenant_that_is_alone_has_all_the_room() -> None:
    assert share(replace(SHARED, tenants=1), StoreLimits()) == 0


def test_the_less_room_is_left_the_less_one_tenant_may_have() -> None:
    shares = [
        share(replace(SHARED, used=used * MB), StoreLimits()) for used in (10, 40, 80, 84, 85, 90)
    ]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 4 * 75 * 512
    assert shares[-2:] == [1, 1]


@pytest.mark.parametrize(
    ("free", "events", "reminders"),
    [
        (0, 0, 200),  # the next look is soon enough to say so
        (10**9, 0, 2_000),
        (100_000 * 2048, 0, 1_000),
        (10**9, 1_700_000 - 50_000, 500),
    ],
)
def test_the_less_room_is_left_the_sooner_it_is_looked_at(
    free: int, events: int, reminders: int
) -> None:
    maxmemory = 2 * 10**9
    used = int(0.85 * maxmemory) - free
    figures = Figures(
        run="r", used=used, maxmemory=maxmemory, system=0, events=events, online=0, tenants=5
    )
    assert unseen(figures, StoreLimits()) == reminders


def test_nor_of_the_stream() -> None:
    assert share(replace(SHARED, events=1_699_000), StoreLimits()) == 4_000
    assert share(replace(SHARED, system=0), StoreLimits(events_max=1000)) == 3_400


def test_the_sentences_name_figures_and_what_to_do() -> None:
    memory = room(replace(FIGURES, used=900 * MB), StoreLimits())
    assert memory is not None
    assert "900 MB of 1,000 MB" in memory.message
    assert "maxmemory" in memory.remedy
    stream = room(replace(FIGURES, events=1_800_000), StoreLimits())
    assert stream is not None
    assert "1,800,000 events" in stream.message
    assert "2,000,000" in stream.message
    assert "database" in stream.remedy


def test_a_real_server_is_read(redis: Redis) -> None:
    redis.xadd(redis_keys.EVENTS, {"a": "b"})
    with redis.pipeline(transaction=False) as pipe:
        ask(pipe)
        figures = read_figures(pipe.execute())
    assert figures.events == 1
    assert figures.tenants == 0
    assert figures.run == redis.info("server")["run_id"]
    assert 0 < figures.used < figures.system


class TestFacts:
    def test_on_a_real_server_all_is_well(self, redis: Redis) -> None:
        facts = list(server_facts(redis, FSYNC, StoreLimits()))
        assert [(fact.check, fact.severity) for fact in facts] == [
            ("durability", "ok"), ("memory", "ok"), ("stream", "ok"),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("share", "severity"), [(0.5, "ok"), (0.75, "warning"), (0.9, "error")]
    )
    def test_they_grow_louder(self, share: float, severity: str) -> None:
        figures = replace(FIGURES, used=round(share * 1000 * MB), events=round(share * 100))
        memory, stream = fill(figures, StoreLimits(events_max=100))
        assert (memory.severity, stream.severity) == (severity, severity)
        assert f"{share:.0%}" in memory.message
        assert f"{share:.0%}" in stream.message
        assert bool(memory.remedy) == bool(stream.remedy) == (severity != "ok")

    def test_memory_that_nobody_knows_the_end_of_is_a_warning(self) -> None:
        memory, _ = fill(replace(FIGURES, system=0), StoreLimits())
        assert memory.severity == "warning"
        assert "CERTMAIL_REDIS_MEMORY_MAX" in memory.remedy


class TestTheSetting:
    @pytest.mark.parametrize(
        ("text", "size"),
        [
            ("4194304", 4 * MB),
            ("2048k", 2 * MB),
            ("512m", 512 * MB),
            ("2G", 2048 * MB),
            (" 2g ", 2048 * MB),
        ],
    )
    def test_bytes_may_be_written_with_a_letter(
        self, text: str, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CERTMAIL_REDIS_MEMORY_MAX", text)
        assert Settings.from_env().redis_memory_max == size

    @pytest.mark.parametrize("text", ["much", "1.5g", "-1", "1t", "1 gb", "0", "100"])
    def test_anything_else_is_refused(self, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CERTMAIL_REDIS_MEMORY_MAX", text)
        with pytest.raises(SettingsError, match="CERTMAIL_REDIS_MEMORY_MAX"):
            Settings.from_env()
