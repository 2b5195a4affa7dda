"""The browser judge: real gateway, worker and sandbox, Debian's Chromium, axe.

`make judge` installs what is not Python.

Screenshots are left in `.judge/`, to be looked at.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from judge.sandboxed import sandboxed
from support.deployment.deployment import QUICK, new_deployment, wait_for

HERE = Path(__file__).parent
SCREENSHOTS = HERE.parents[1] / ".judge"
PASSWORD = "a password for the judge"
OPERATORS = {"client_id": "operators.apps.googleusercontent.com", "client_secret": "theirs"}


def main() -> int:
    """Run the journeys; gives the exit status."""
    chromium, node = os.environ.get("CHROMIUM") or "/usr/bin/chromium", shutil.which("node")
    missing = [
        name
        for name, there in {"chromium": Path(chromium).exists(), "node": node}.items()
        if not there
    ]
    if missing or node is None:
        sys.stderr.write(
            f"The browser judge needs {' and '.join(missing)}: on Debian `apt-get install chromium nodejs npm`; "
            "CHROMIUM names one that is elsewhere.\n"
        )
        return 1

    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    # Two systems that share nothing, both mostly waiting for their browsers.
    with ThreadPoolExecutor(max_workers=1) as beside:
        looked = beside.submit(_looking_around, node, chromium)
        status = _journeys(node, chromium)
        return status or looked.result()


def _journeys(node: str, chromium: str) -> int:
    """Both set-ups, templates, answers and operators, at two widths."""
    settings = QUICK | {
        "CERTMAIL_OPERATOR_PASSWORD": PASSWORD,
        "CERTMAIL_RETURN_URLS": "https://app.example.com/settings",
    }
    settings |= {
        "CERTMAIL_OPERATOR_OAUTH_CLIENT_ID": OPERATORS["client_id"],
        "CERTMAIL_OPERATOR_OAUTH_CLIENT_SECRET": OPERATORS["client_secret"],
        "CERTMAIL_OPERATOR_DOMAINS": "judge.example",
        "CERTMAIL_OPERATOR_DOMAIN_ROLE": "viewer",
    }
    settings["CERTMAIL_WEBHOOK_ALLOW"] = "http://127.0.0.1"
    # What the caretaker mends by itself would be mended before the journey has seen it broken.
    settings |= {"CERTMAIL_CARE_SECONDS": "600", "CERTMAIL_LOGO_HOSTS": "static.example.com"}
    with (
        tempfile.TemporaryDirectory(prefix="judge-") as data,
        new_deployment(Path(data), **settings) as place,
    ):
        place.open_gateway()
        back = place.gateway + "/console/sign-in/google/callback"
        place.control("POST", "/oauth-clients", OPERATORS | {"redirect_uris": [back]})
        place.worker()
        wait_for("the worker", lambda: place.workers() == 1)
        for width in (390, 1280):
            place.link(f"mails{width}")  # its templates are written
        given = {
            "gateway": place.gateway,
            "google": place.google,
            "password": PASSWORD,
            "chromium": chromium,
            "python": sys.executable,
            "screenshots": str(SCREENSHOTS),
        }

        environment = place.environment | {
            "JUDGE": json.dumps(given),
            # Whoever judges another checkout has named its folders.
            "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")]),
        }
        status = subprocess.run(
            [node, str(HERE / "journey.mjs")], env=environment, check=False
        ).returncode
        if status:
            for log in ("gateway.log", "worker.log"):
                lines = (place.data_dir / log).read_text("utf-8").splitlines()[-15:]
                sys.stderr.write(f"--- {log}\n" + "\n".join(lines) + "\n")

    return status


def _looking_around(node: str, chromium: str) -> int:
    """`certmail up --sandbox` in an empty home, and whoever has only what it prints."""
    with sandboxed() as printed:
        given = {
            "printed": printed,
            "chromium": chromium,
            "screenshots": f"{SCREENSHOTS}/looking-around",
        }
        environment = os.environ | {"JUDGE": json.dumps(given)}
        return subprocess.run(
            [node, str(HERE / "looking_around.mjs")], env=environment, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
