"""What SpamAssassin says of mails, by its local rules: no look at the network, no learning."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Final

# Of each rule that a mail met its points, to three digits: the score itself is rounded to one.
_REPORT: Final = "add_header all Certmail _TESTSSCORES(,)_"
_RULE: Final = re.compile(r"([A-Z_0-9]+)=(-?[\d.]+)")


def delivered(raw: bytes) -> bytes:
    """The mail as a server gets it from Gmail: with what Gmail puts into it.

    Gmail replaces the Message-ID, and two of its servers and the receiving one note when they had
    it. It signs it, too (DKIM): a signature cannot be made up, and its absence costs nothing among
    local rules.
    """
    head, _, body = raw.partition(b"\r\n\r\n")
    date = re.search(rb"(?m)^Date: (.*?)\r?$", head)
    assert date is not None, "certmail writes it"
    at = format_datetime(parsedate_to_datetime(date[1].decode()))
    head = re.sub(
        rb"(?m)^Message-ID: .*?\r?$",
        b"Message-ID: <CAF7q9d2Kk3uXw1mZ0sVhJ5bTnE8yPzRrG4LdWcQo6iUAxYvHg@mail.gmail.com>\r",
        head,
    )
    received = (
        "Received: from mail-ej1-f47.google.com (mail-ej1-f47.google.com [209.85.218.47])\r\n"
        "\tby mx.acme-industries.com (Postfix) with ESMTPS id 4Y7pQm2bVyz9sWk\r\n"
        f"\tfor <maria.lopez@acme-industries.com>; {at}\r\n"
        "Received: by mail-ej1-f47.google.com with SMTP id a640c23a62f3a-b3d7f2b6f5dso91234566b.1\r\n"
        f"\tfor <maria.lopez@acme-industries.com>; {at}\r\n"
        f"Received: from 912345678901 named unknown by gmailapi.google.com with HTTPREST; {at}\r\n"
    )

    return received.encode() + head + b"\r\n\r\n" + body


def score(mails: Iterable[bytes]) -> dict[str, Mapping[str, float]]:
    """Of each mail, by its job, the rules that it met with their points.

    All in one run, since a start takes a second.
    """
    program = shutil.which("spamassassin")
    assert program is not None, "see `available`"
    box = b"".join(
        b"From certmail@localhost Tue Dec  8 09:00:00 2026\n" + _escaped(delivered(mail)) + b"\n"
        for mail in mails
    )

    with tempfile.TemporaryDirectory(prefix="spam-") as home:
        # Somebody's own preferences would change the answer.
        preferences = Path(home) / "user_prefs"
        preferences.touch()
        command = [program, "--local", "--mbox", f"--prefspath={preferences}", f"--cf={_REPORT}"]
        environment = {"HOME": home, "PATH": "/usr/bin:/bin"}
        answer = subprocess.run(
            command, input=box, capture_output=True, check=True, env=environment
        )

    return read(answer.stdout.decode("utf-8", "replace"))


def available() -> bool:
    """Whether SpamAssassin is installed."""
    return shutil.which("spamassassin") is not None


def read(answer: str) -> dict[str, Mapping[str, float]]:
    """The rules and points in what SpamAssassin gives back, which it does in no order."""
    each = re.findall(r"(?ms)^X-Spam-Certmail: (.*?)\n(?![ \t]).*?^X-Certmail-Id: (\S+)", answer)
    return {
        job: {rule: float(points) for rule, points in _RULE.findall(header)} for header, job in each
    }


def _escaped(mail: bytes) -> bytes:
    return re.sub(rb"(?m)^(>*From )", rb">\1", mail.replace(b"\r\n", b"\n"))
