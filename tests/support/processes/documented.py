"""Commands that stand in our documentation, run as they stand there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
LONGEST_SECONDS: Final = 120


def commands(document: str) -> dict[str, str]:
    """The shell commands below each heading of a document, by the heading."""
    found: dict[str, str] = {}
    text = (ROOT / document).read_text("utf-8")
    for section in re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        if blocks := re.findall(r"^```sh\n(.*?)^```$", body, re.MULTILINE | re.DOTALL):
            found[heading.strip()] = "".join(blocks)
    return found


def run(script: str, environment: Mapping[str, str]) -> str:
    """Run commands as whoever copies them into a shell does; gives what they say.

    The first that fails ends the test.
    """
    done = subprocess.run(
        ["sh", "-euc", script],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LONGEST_SECONDS,
        check=False,
    )

    output = done.stdout.decode()
    assert done.returncode == 0, f"{script}\n{output}"
    return output
