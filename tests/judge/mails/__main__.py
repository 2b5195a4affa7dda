"""`make mails`: each kind of mail in each language, judged by strangers.

Two other readers of mail (nodemailer's mailparser, and postal-mime) must find what Python's strict
one finds; html-validate judges each page. That is `make readers`. Then Chromium draws each at 360
and 600 pixels, light, dark, without images, and as Gmail and Word cut it: nothing may overflow, and
axe is asked. All of a language's are put on one sheet, to be looked at.

    make mails                          MAILS="de ar" for some languages; sheets are in .mails
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from judge.mails.samples import LOCALES, mails
from judge.mails.tenant import HOST

HERE = Path(__file__).parent
SHEETS = HERE.parents[2] / ".mails"
READ_ONLY = "--read"


def main(arguments: list[str]) -> int:
    """Judge them; gives the exit status."""
    draw = READ_ONLY not in arguments
    wanted = tuple(each for each in arguments if each != READ_ONLY) or LOCALES
    chromium, node = os.environ.get("CHROMIUM") or "/usr/bin/chromium", shutil.which("node")
    if node is None or (draw and not Path(chromium).exists()):
        sys.stderr.write(
            "This needs chromium and node: on Debian `apt-get install chromium nodejs npm`.\n"
        )
        return 1
    if unknown := set(wanted) - set(LOCALES):
        sys.stderr.write(f"No mails are in {', '.join(unknown)}; there are {', '.join(LOCALES)}.\n")
        return 1

    if draw:
        for locale in wanted:
            shutil.rmtree(SHEETS / locale, ignore_errors=True)
    SHEETS.mkdir(exist_ok=True)
    given = {
        "chromium": chromium if draw else None,
        "sheets": str(SHEETS),
        "pictures": HOST,
        "mails": list(mails(wanted)),
    }
    (SHEETS / "mails.json").write_text(json.dumps(given), "utf-8")
    judged = [node, str(HERE / "judge.mjs"), str(SHEETS / "mails.json")]
    return subprocess.run(judged, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
