"""A run that is a step backwards is told from a machine that is slow today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.mail import landings


def rows(certmail: float, *, peers: float = 1.0, latency: int = 0) -> list[dict[str, Any]]:
    """Rows of a run in which all peers take as much, and certmail's row something else."""
    cpu = dict.fromkeys(landings.PEERS, peers) | {"certmail, whole mail": certmail}
    return [
        {
            "name": name,
            "endpoint_latency_ms": latency,
            "cpu_ms_per_mail": used,
            "mails_per_s": 100.0,
            "redis_cpu_ms_per_mail": 0.5,
            "disk_flushes_per_mail": 0.1,
        }
        for name, used in cpu.items()
    ]


def test_a_row_is_measured_by_its_peers_of_the_same_latency() -> None:
    run = rows(3.0, peers=2.0) + rows(8.0, peers=4.0, latency=150)
    assert landings.multiples(run) == {
        "certmail, whole mail, 0 ms": 1.5,
        "certmail, whole mail, 150 ms": 2.0,
    }


def test_a_run_without_its_peers_says_nothing() -> None:
    assert landings.multiples(rows(3.0)[-1:]) == {}


def test_a_machine_that_is_slow_for_all_is_no_step_backwards() -> None:
    before, now = landings.multiples(rows(1.5)), landings.multiples(rows(4.5, peers=3.0))
    assert landings.steps_back(now, before) == []


def test_a_row_that_has_become_dearer_than_its_peers_is_named() -> None:
    before, now = landings.multiples(rows(1.5)), landings.multiples(rows(1.9))
    [said] = landings.steps_back(now, before)
    assert said == "certmail, whole mail, 0 ms: 1.90 times its peers, 1.50 at the last landing."


def test_a_landing_is_kept_behind_those_before(tmp_path: Path) -> None:
    file = tmp_path / "landings.json"
    landings.keep("the first", rows(3.0), file)
    landings.keep("the second", rows(2.0), file)

    assert [each["what"] for each in landings.read(file)] == ["the first", "the second"]
    assert landings.read(file)[-1]["multiples"] == landings.multiples(rows(2.0))
