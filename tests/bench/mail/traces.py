"""`make traces`: what traces cost a worker, of CPU for each mail.

The bench's own worker sends the same mails three times a round: nobody is told of them, of a tenth,
of all. Who is told is a receiver of the tests' own, which does not count.

    make traces                         TRACES="--rounds 7" for more
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Final
from unittest import mock

from bench.mail import deployment
from bench.mail.contestants import CERTMAIL_MAILS, contestants
from bench.mail.place import Place, place
from bench.mail.rounds import run
from support.network.collector import collector

MAILBOXES: Final = 1_500
"""So many that their pace is not what is measured."""
NOBODY: Final = "nobody is told"
SAMPLERS: Final[Mapping[str, Mapping[str, str]]] = {
    NOBODY: {},
    "of a tenth": {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
    "of all": {"OTEL_TRACES_SAMPLER": "always_on"},
}


def main() -> None:
    """Measure, and print medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mails", type=int, default=CERTMAIL_MAILS)
    parser.add_argument("--python", default=sys.executable, help="who runs the worker")
    parser.add_argument("--only-without", action="store_true", help="where certmail has no traces")
    asked = parser.parse_args()

    samplers = {NOBODY: {}} if asked.only_without else SAMPLERS
    found: dict[str, list[float]] = {name: [] for name in samplers}
    with (
        tempfile.TemporaryDirectory() as folder,
        place(
            Path(folder) / "run", mailboxes=MAILBOXES, interpreters={"certmail": asked.python}
        ) as ground,
    ):
        deployment.set_up(ground)
        for _ in range(asked.rounds):
            for name, sampler in samplers.items():
                found[name].append(cpu_ms(ground, asked.mails, sampler))

    bare = median(found[NOBODY])
    for name, each in found.items():
        rounds = " ".join(f"{ms:.3f}" for ms in each)
        ratio = median(each) / bare
        sys.stdout.write(f"{name:16} {median(each):.3f} ms CPU a mail, x {ratio:.2f} ({rounds})\n")


def cpu_ms(ground: Place, mails: int, sampler: Mapping[str, str]) -> float:
    """What a worker takes for each mail; with a sampler somebody is told."""
    [whole] = [each for each in contestants(MAILBOXES) if each.name == "certmail, whole mail"]
    with _told(sampler):
        return run(replace(whole, warm=200, mails=mails), [0], ground)[0].cpu_ms_per_mail


@contextmanager
def _told(sampler: Mapping[str, str]) -> Iterator[None]:
    """The variables that the worker is started with."""
    if not sampler:
        yield
        return

    with (
        collector() as heard,
        mock.patch.dict(os.environ, {"OTEL_EXPORTER_OTLP_ENDPOINT": heard.url, **sampler}),
    ):
        yield
        if not heard.raw:
            raise SystemExit("nobody was told: is certmail[otel] installed?")


if __name__ == "__main__":
    main()
