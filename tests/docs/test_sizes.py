"""What docs/operating.md reckons with: three deployments by its own formula, from what is measured."""

from __future__ import annotations

import json
import math
import re

import pytest

from support.data.pages import ROOT, page

TEXT = page("docs/operating.md").text.split("\n## Sizes\n")[1].split("\n## ")[0]
LANDINGS = ROOT / "tests" / "bench" / "landings.json"
KIB, MIB, GIB = 1024, 1024**2, 1024**3
REVIEWERS, MAILS, WAVE_SECONDS = 200, 4, 3600


def figure(pattern: str) -> float:
    """A figure of the text, which is there once."""
    [found] = re.findall(pattern, TEXT)
    return float(found)


def rows() -> list[list[float]]:
    """The three deployments."""
    lines = re.findall(r"^\| ([\d,]+(?: GiB)? \| .*) \|$", TEXT, re.MULTILINE)
    return [[float(re.sub(r"[^\d.]", "", cell)) for cell in line.split(" | ")] for line in lines]


def up(value: float, unit: float = 0.1) -> float:
    """Rounded up."""
    return math.ceil(value / unit) * unit


ROWS = rows()


def test_there_are_three() -> None:
    assert [row[0] for row in ROWS] == [10, 1_000, 10_000]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]:.0f}" for row in ROWS])
def test_each_follows_from_the_formula(row: list[float]) -> None:
    tenants, mails, rate, redis, sql, workers, cores = row
    tenant, tenant_sql = re.findall(r"with a connection \| (\d+) KiB \| (\d+) KiB", TEXT)[0]
    waiting = figure(r"that waits \| ([\d.]+) KiB")
    ended = figure(r"that has ended \| ([\d.]+) KiB")
    recorded = figure(r"`CERTMAIL_DEDUPE_DAYS` \| ([\d.]+) KiB")

    assert mails == tenants * REVIEWERS * MAILS
    assert rate == pytest.approx(up(tenants * REVIEWERS / WAVE_SECONDS, 0.1 if rate < 1 else 1))
    of_mails = KIB * (ended + waiting) * mails
    assert redis == pytest.approx(
        up(1.5 * (20 * MIB + KIB * int(tenant) * tenants + of_mails) / GIB)
    )
    assert sql == pytest.approx(up(KIB * (recorded * mails + int(tenant_sql) * tenants) / GIB))
    assert workers == max(2, math.ceil(rate / 250))
    assert cores == pytest.approx(up(2 * 0.0018 * rate))


def test_the_formula_says_what_the_tables_say() -> None:
    for words in ("15 KiB x t", "2.4 KiB x m + 1.9 KiB x w", "4.5 KiB x m + 9 KiB x t", "1.8 ms x"):
        assert words in TEXT


def test_a_mail_costs_what_the_last_landing_measured() -> None:
    figures = json.loads(LANDINGS.read_text("utf-8"))[-1]["figures"]
    whole = [
        figures[f"certmail, {name}, {latency} ms"]
        for name in ("whole mail", "at one project's pace")
        for latency in (0, 150)
    ]
    worker = figure(r"worker \| ([\d.]+) ms a mail")
    redis = figure(r"Redis \| ([\d.]+) ms a mail")
    assert 0.8 < worker / max(row["cpu_ms_per_mail"] for row in whole) < 1.5
    assert 0.8 < redis / max(row["redis_cpu_ms_per_mail"] for row in whole) < 1.5
