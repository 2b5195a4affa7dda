"""`make pictures`: the pictures of the README.

They are taken of a real run of `certmail up --sandbox` in Debian's Chromium.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from judge.sandboxed import sandboxed

HERE = Path(__file__).parent
PICTURES = HERE.parents[1] / "docs" / "pictures"
MAX_BYTES = 150_000


def main() -> int:
    """Take them; gives the exit status."""
    chromium, node = os.environ.get("CHROMIUM") or "/usr/bin/chromium", shutil.which("node")
    if node is None or not Path(chromium).exists():
        sys.stderr.write(
            "Pictures need chromium and node: on Debian `apt-get install chromium nodejs npm`.\n"
        )
        return 1

    due = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    with sandboxed() as printed:
        given = {"printed": printed, "due": due, "chromium": chromium, "pictures": str(PICTURES)}
        environment = os.environ | {"JUDGE": json.dumps(given)}
        taken = subprocess.run([node, str(HERE / "pictures.mjs")], env=environment, check=False)
    if taken.returncode:
        return taken.returncode

    large = [path.name for path in PICTURES.glob("*.png") if path.stat().st_size > MAX_BYTES]
    if large:
        sys.stderr.write(f"Too large for a README: {', '.join(large)}\n")
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main())
