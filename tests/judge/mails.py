"""`make mails`: each kind of mail in each language, judged by strangers.

Two other readers of mail (nodemailer's mailparser, and postal-mime) must find what Python's finds.
Chromium draws each at 360 and 600 pixels, light, dark, and as Gmail cuts it: nothing may overflow,
and axe is asked. All of a language's are put on one sheet, to be looked at.

    make mails                          MAILS="de ar" for some languages; sheets are in .mails
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from importlib.resources import files
from pathlib import Path
from typing import Any

from certmail_config.compose import Look, compose
from certmail_config.compose.samples import SampleSize, sample_letter
from certmail_config.compose.voices import LetterKind

HERE = Path(__file__).parent
SHEETS = HERE.parents[1] / ".mails"


def main(wanted: list[str]) -> int:
    """Judge them; gives the exit status."""
    chromium, node = os.environ.get("CHROMIUM") or "/usr/bin/chromium", shutil.which("node")
    if node is None or not Path(chromium).exists():
        sys.stderr.write(
            "This needs chromium and node: on Debian `apt-get install chromium nodejs npm`.\n"
        )
        return 1

    SHEETS.mkdir(exist_ok=True)
    given = {"chromium": chromium, "sheets": str(SHEETS), "mails": mails(wanted)}
    (SHEETS / "mails.json").write_text(json.dumps(given), "utf-8")
    judged = [node, str(HERE / "mails.mjs"), str(SHEETS / "mails.json")]
    return subprocess.run(judged, check=False).returncode


def mails(wanted: list[str]) -> list[dict[str, Any]]:
    """All samples, each with what Python reads in it."""
    return [
        mail(kind, locale, sample)
        for locale in wanted or locales()
        for kind in LetterKind
        for sample in SampleSize
    ]


def mail(kind: LetterKind, locale: str, sample: SampleSize) -> dict[str, Any]:
    """One of them."""
    letter = sample_letter(kind, locale, sample)
    raw = compose(letter, Look(calendar=sample is SampleSize.RICH)).raw
    message = message_from_bytes(raw, policy=default)
    return {
        "kind": kind,
        "locale": locale,
        "sample": sample,
        "raw": base64.b64encode(raw).decode("ascii"),
        "subject": str(message["Subject"]),
        "from": _people(message, "From"),
        "to": _people(message, "To"),
        "replyTo": _people(message, "Reply-To"),
        "id": str(message["Message-ID"]),
        "text": _part(message, "plain"),
        "html": _part(message, "html"),
        "files": [
            [str(part.get_filename()), str(part.get_content()).replace("\r\n", "\n")]
            for part in message.iter_attachments()
        ],
    }


def locales() -> list[str]:
    """Those that have texts of their own."""
    folder = files("certmail_config.templates") / "catalogues"
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir())


def _people(message: EmailMessage, name: str) -> list[list[str]]:
    header = message[name]
    return [[each.display_name, each.addr_spec] for each in header.addresses] if header else []


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
