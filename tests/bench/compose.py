"""`make compose`: what it costs to compose a mail, and which part of the code takes it.

First a mix that is worse than a Monday: every kind in every language and state, of a hundred
tenants in turn, so that hardly two mails share their sentences. Then one campaign, whose reviewers
share most; once more in their tenant's own words and look, and with their due dates for the calendar;
and a hundred such campaigns in turn, each in words of its own. Each reviewer occurs once; CPU time of
one process, after a warm-up with others.

Then the memory that the words of ten thousand tenants take, once mails have used them.

    make compose                        COMPOSE="--mails 2000 --tenants 1000" for fewer
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import count, cycle, islice, product
from pathlib import Path
from statistics import mean, median
from typing import Any, Final, NamedTuple
from uuid import UUID

from certmail_config.compose import Letter, Look, TenantWords, compose
from certmail_config.compose.own.tenant_words import read_words
from certmail_config.templates.documents import read_document
from certmail_worker.delivery.own_words import compose_in
from certmail_worker.delivery.shelf import MOST_BYTES, cost_of

NOW: Final = datetime(2026, 12, 8, 9, tzinfo=UTC)
KINDS: Final = ("notice", "reminder", "final")
ZONES: Final = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", None)
STATES: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"completed": 0},
    {"due_at": NOW + timedelta(days=1)},
    {"due_at": NOW - timedelta(days=7)},
    {"due_at": NOW.date(), "pending": 1},
    {"pending": 0, "completed": 20},
    dict.fromkeys(("campaign_name", "due_at", "pending", "completed", "link", "reply_to")),
)
NAMES: Final = (
    "María López",
    "John Smith",
    "Łukasz Żółć",
    "山田太郎",
    "דנה לוי",
    "Zoë 🚀 Noël",
    None,
)
TENANTS: Final = 100
WARM: Final = 3_000
"""So many tenants fill what is remembered from mail to mail, which is bounded."""
MIB: Final = 1024**2
ROUNDS: Final = 5
Letters = Callable[[int], Iterator[Letter]]
Writes = Callable[[Letter], object]


def letters(start: int) -> Iterator[Letter]:
    """The mix without an end; another start has other reviewers."""
    mix = cycle(product(STATES, locales(), KINDS))
    for number, (changes, locale, kind) in zip(count(start), mix, strict=False):
        yield letter(number, {"locale": locale, "kind": kind, **changes})


def campaign(start: int) -> Iterator[Letter]:
    """The reviewers of one campaign, without an end."""
    return campaigns(start, tenants=1)


def campaigns(start: int, tenants: int = TENANTS) -> Iterator[Letter]:
    """Those of a campaign of each tenant, in turn."""
    for number in count(start):
        reviewer, tenant = divmod(number, tenants)
        figures = {"pending": reviewer % 40 + 1, "completed": reviewer % 9}
        words = {"locale": "en", "kind": "reminder", "time_zone": "Europe/Berlin"}
        yield letter(TENANTS * reviewer + tenant, words | figures)


def locales() -> list[str]:
    """Those that have texts of their own."""
    folder = files("certmail_config.templates") / "catalogues"
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir())


def letter(number: int, changes: dict[str, Any]) -> Letter:
    """One reviewer's, of one of the tenants."""
    tenant = number % TENANTS
    name = NAMES[number % len(NAMES)]
    parts: dict[str, Any] = {
        "job_id": str(UUID(int=number)),
        "sender": f"reviews@tenant-{tenant}.example",
        "sender_name": f"Tenant {tenant} Industries",
        "reply_to": f"help@tenant-{tenant}.example",
        "to": f"reviewer{number}@tenant-{tenant}.example",
        "name": name and f"{name} {number}",
        "campaign_name": "Quarterly access review Q4 2026",
        "due_at": NOW + timedelta(days=3, hours=7),
        "pending": number % 40 + 1,
        "completed": number % 9,
        "link": f"https://iga.tenant-{tenant}.example/campaigns/q4-2026/reviews/{number:08x}",
        "time_zone": ZONES[tenant % len(ZONES)],
        "organisation": f"Tenant {tenant} Industries",
        "now": NOW + timedelta(milliseconds=number),
    }

    return Letter(**{**parts, **changes})


def own_words(tenant: int = 0, locales: Sequence[str] = ("en",)) -> TenantWords:
    """Five blocks in each language, and a look, as a tenant may publish them."""
    texts = {
        "subject": "{{ campaign }}: {{ pending }} {{ pending | plural(one='decision', other='decisions') }}",
        "headline": "{% if pending %}{{ pending }} decisions wait for you{% else %}A review waits{% endif %}",
        "ask": "Dear {{ name | default('colleague') }},\nplease decide until {{ due }}.",
        "button": "Decide now",
        "footer": f"You have this mail since you are a reviewer of {tenant}.\nQuestions? {{{{ reply_to }}}}",
    }
    blocks = {block: {"text": text} for block, text in texts.items()}
    brand = {"name": "Acme", "sender": "Acme IT", "colour": "#7a1f5c", "footer": ["1 Main Street"]}
    texts_by_locale = {locale: {"reminder": blocks} for locale in locales}
    published = read_document({"brand": brand, "texts": texts_by_locale})
    return read_words(1, published.written().encode(), (), ())


def cost(kind: Letters, mails: int, write: Writes = compose) -> list[float]:
    """Microseconds of CPU for each mail, in several rounds."""
    for each in islice(kind(0), mails):
        write(each)

    found = []
    for turn in range(1, ROUNDS + 1):
        round_ = list(islice(kind(turn * 1_000_000), mails))
        began = time.process_time()
        for each in round_:
            write(each)
        found.append((time.process_time() - began) / mails * 1e6)

    return found


class Memory(NamedTuple):
    """Bytes that a tenant's words take, and what a worker reckons with."""

    taken: float
    reckoned: int


def memory(tenants: int) -> Memory:
    """What is taken by words in two languages of five blocks, each of which a mail has used."""
    locales = ("en", "de")

    def used(number: int) -> TenantWords:
        words = own_words(number, locales)
        for locale in locales:
            compose_in(letter(number, {"locale": locale, "kind": "reminder"}), words)
        return words

    for number in range(WARM):
        used(number)
    gc.collect()
    before = _resident()
    held = [used(number) for number in range(WARM, WARM + tenants)]
    gc.collect()
    return Memory((_resident() - before) / len(held), cost_of(held[-1]))


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize()


def loop_ns() -> float:
    """Nanoseconds for a turn of a small loop: what the machine is worth just now."""
    turns, number = 200_000, 0
    began = time.process_time()
    for _ in range(turns):
        number += 1
    return (time.process_time() - began) / number * 1e9


def shares(mails: int) -> list[tuple[str, float]]:
    """The parts of the code by their own share of the mix's time, the largest first.

    What is C's is counted where it is called from.
    """
    round_ = list(islice(letters(100_000_000), mails))
    profile = cProfile.Profile()
    profile.enable()
    for each in round_:
        compose(each)
    profile.disable()

    spent: dict[str, float] = {}
    # Its stub does not list it.
    rows: dict[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # typeshed leaves it out
    for (file, _, _), (_, _, own, _, callers) in rows.items():
        if file.startswith(("~", "<")) and callers:
            for (caller, _, _), (_, _, part, _) in callers.items():
                spent[_part(caller)] = spent.get(_part(caller), 0) + part
        else:
            spent[_part(file)] = spent.get(_part(file), 0) + own

    total = sum(spent.values())
    found = ((part, seconds / total) for part, seconds in spent.items())
    return sorted(found, key=lambda each: -each[1])


def _part(file: str) -> str:
    """A module of the composer's by its name, all else by its package."""
    for before in ("certmail_config/compose/", "site-packages/"):
        if before in file:
            inside = file.rpartition(before)[2]
            return inside if before.startswith("certmail") else inside.partition("/")[0]
    steps = file.rsplit("/", 2)
    return "/".join(steps[-2:]) if len(steps) > 1 else "templates, generated code"


def _with_a_calendar() -> Writes:
    look = Look(calendar=True)
    return lambda each: compose(each, look)


def _in_own_words() -> Writes:
    words = own_words()
    return lambda each: compose_in(each, words)


def _each_in_its_own_words() -> Writes:
    first = islice(campaigns(0), TENANTS)
    words = {each.sender: own_words(number) for number, each in enumerate(first)}
    return lambda each: compose_in(each, words[each.sender])


ROWS: Final[dict[str, tuple[Letters, Callable[[], Writes]]]] = {
    "every kind, language and state, 100 tenants": (letters, lambda: compose),
    "one campaign's reviewers": (campaign, lambda: compose),
    "the same in the tenant's own words and look": (campaign, _in_own_words),
    "the same with the due date for the calendar": (campaign, _with_a_calendar),
    "100 campaigns in turn, each in words of its own": (campaigns, _each_in_its_own_words),
}


def main(arguments: list[str]) -> None:
    """Measure, then profile."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mails", type=int, default=10_000, help="in each of five rounds")
    parser.add_argument("--tenants", type=int, default=10_000, help="whose words are held")
    given = parser.parse_args(arguments)
    mails = given.mails

    # First, while nothing that was freed makes room.
    held = memory(given.tenants)
    turn = loop_ns()
    for name, (kind, write) in ROWS.items():
        found = cost(kind, mails, write())
        line = f"mean {mean(found):.0f} µs of CPU a mail, median round {median(found):.0f}, best {min(found):.0f}"
        sys.stdout.write(
            f"{name:47} {line}; {median(found) * 1e3 / turn:,.0f} turns of a small loop\n"
        )
    sys.stdout.write(f"{'a turn of a small loop':47} {turn:.0f} ns\n")
    sys.stdout.write(
        f"\nthe words of {given.tenants:,} tenants take {held.taken * given.tenants / MIB:.0f} MiB, {held.taken / 1024:.1f} KiB each; "
        f"a worker reckons with {held.reckoned / 1024:.1f} KiB, and keeps {MOST_BYTES // held.reckoned:,} of them\n"
    )

    sys.stdout.write("\nthe mix, by cProfile\n")
    # The profiler makes many small calls look dearer than they are: only shares are shown.
    for part, share in shares(mails)[:14]:
        sys.stdout.write(f"{share:6.1%}  {part}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
