"""`make links`: every kind of link, put into a mail and opened from it in Debian's Chromium.

Whatever host Chromium asks for, it is led to one server on this machine, which answers with what it
was asked. So a link opens the host that is meant, or the door has refused it with a reason; there
is nothing in between.

With `--few` the first of each kind are opened.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Final

from bench.mail import authority
from certmail_config.base.errors import ReminderRejected
from certmail_config.compose import ComposeError, Letter, compose
from certmail_config.jobs.contract import read_payload, write_payload
from certmail_config.jobs.reminder import Reminder, parse, parse_json
from support.data.link_hosts import CASES, Case

HERE = Path(__file__).parent
FEW: Final = 5
"""How many of a kind are opened with `--few`."""


@dataclass(frozen=True, slots=True)
class Mailed:
    """A mail with a link, as far as a browser needs it."""

    kind: str
    link: str
    meant: str
    html: str


def main(arguments: list[str]) -> int:
    """Judge all, or the first of each kind; gives the exit status."""
    chromium, node = os.environ.get("CHROMIUM") or "/usr/bin/chromium", shutil.which("node")
    if node is None or not Path(chromium).exists():
        sys.stderr.write(
            "Judging links needs chromium and node: on Debian `apt-get install chromium nodejs npm`.\n"
        )
        return 1

    began = time.monotonic()
    mails, refused, wrong = [], [], []

    for case in _first_of_each_kind() if "--few" in arguments else CASES:
        found = _through_the_door(case)
        if isinstance(found, Mailed):
            mails.append(found)
        elif found == "refused":
            refused.append({"kind": case.kind, "link": case.link})
        else:
            wrong.append(f"{case.kind} {case.link!r}: {found}")

    with tempfile.TemporaryDirectory(prefix="links-") as folder:
        _, endpoint = authority.make(Path(folder))
        given = {
            "chromium": chromium,
            "pem": endpoint.read_text("ascii"),
            "mails": [asdict(mail) for mail in mails],
            "refused": refused,
        }

        # Escaped throughout: of half a character, JSON knows how to speak, and UTF-8 does not.
        asked = subprocess.run(
            [node, str(HERE / "links.mjs")],
            input=json.dumps(given).encode(),
            stdout=subprocess.PIPE,
            check=False,
        )

    if asked.returncode:
        return 1

    answer = json.loads(asked.stdout)
    wrong += answer["wrong"]
    for each in wrong:
        sys.stderr.write(ascii(each) + "\n")
    _report(mails, refused, wrong, answer, time.monotonic() - began)
    return 1 if wrong else 0


def _first_of_each_kind() -> Iterator[Case]:
    seen: Counter[str] = Counter()
    for case in CASES:
        seen[case.kind] += 1
        if seen[case.kind] <= FEW:
            yield case


def _through_the_door(case: Case) -> Mailed | str:
    """The mail of a link; "refused" where the door says why; else what is wrong."""
    reminders: list[Reminder | ReminderRejected] = list(_doors(case.link))
    if any(isinstance(each, ReminderRejected) for each in reminders):
        reasons = {str(each) if isinstance(each, ReminderRejected) else "" for each in reminders}
        if case.meant is not None or not all(reasons):
            return f"{case.meant} is meant, and the doors say {reasons}"
        if case.link.strip() and _mail(case.link) is not None:
            return "the door refuses it, and a mail writes it"
        return "refused"

    if case.meant is None:
        return "no mail may carry it, and the door lets it in"

    # As it is stored now, and as an older version stored it.
    taken = [each for each in reminders if isinstance(each, Reminder)]
    texts = {read_payload(write_payload(each)).link for each in taken} | {
        each.link for each in taken
    }
    pages = {_mail(text) for text in texts}
    [html] = pages if len(pages) == 1 else [None]

    return (
        Mailed(case.kind, case.link, case.meant, html)
        if html
        else f"there are {len(pages)} mails of it"
    )


def _doors(link: str) -> Iterator[Reminder | ReminderRejected]:
    """What HTTP and files make of it."""
    record = {"tenant": "acme", "to": "anna@acme.example", "link": link}
    found = parse_json(record)
    yield found if isinstance(found, Reminder) else found[0]
    try:
        yield parse(record)
    except ReminderRejected as rejected:
        yield rejected


def _mail(link: str | None) -> str | None:
    """The page of a mail with this link; None if there can be none."""
    letter = Letter(
        job_id="01937e6c-5a00-7000-8000-0000000000aa",
        kind="reminder",
        sender="reviews@acme.example",
        sender_name="Acme",
        reply_to=None,
        to="anna@acme.example",
        name="Anna",
        campaign_name=None,
        due_at=None,
        pending=3,
        completed=None,
        link=link,
        locale="en",
        time_zone=None,
        organisation="Acme",
        now=datetime(2026, 12, 1, tzinfo=UTC),
    )

    try:
        raw = compose(letter).raw
    except ComposeError:
        return None

    body = message_from_bytes(raw, policy=default).get_body(("html",))
    return None if body is None else str(body.get_content())


def _report(
    mails: list[Mailed],
    refused: list[dict[str, str]],
    wrong: list[str],
    answer: dict[str, list[str]],
    seconds: float,
) -> None:
    opened = Counter(mail.kind for mail in mails)
    kept_out = Counter(each["kind"] for each in refused)

    lines = [
        f"{kind:<30}{opened[kind]:>5} opened at the host meant {kept_out[kind]:>5} refused with a reason"
        for kind in dict.fromkeys(case.kind for case in CASES)
    ]
    lines.append(
        f"{len(answer['opened']) + len(refused) + len(wrong)} links: {len(answer['opened'])} opened in Chromium at the host that is meant, {len(refused)} refused "
        f"({len(answer['elsewhere'])} of those Chromium would open somewhere), {len(wrong)} wrong; {seconds:.0f} s"
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
