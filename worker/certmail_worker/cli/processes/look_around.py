"""`certmail up --sandbox`: everything on this machine, Google included.

For whoever wants to look around or build against it.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Final

from certmail_config.base.errors import Refused
from certmail_config.settings import PREFIX, Settings, file_variable
from certmail_config.settings.sandbox import (
    APART,
    is_sandbox,
    sandbox_addresses,
)
from certmail_worker.cli.processes.look_around_places import print_places
from certmail_worker.cli.processes.look_around_start import start_all
from certmail_worker.cli.processes.supervision import Supervised, lock_data_dir
from certmail_worker.cli.support.output import err, print_json
from certmail_worker.processes.children import termination_as_interrupt

LOCK: Final = "up.lock"


def look_around(wanted: Settings, *, fresh: bool, as_json: bool) -> None:
    """Run it until Ctrl-C; raises Refused where the directory is somebody else's."""
    own = wanted.model_copy(update={"data_dir": directory(wanted.data_dir.absolute())})
    _say_what_is_left_out()

    with lock_data_dir(own), termination_as_interrupt(), ExitStack() as stack:
        if fresh:
            _forget(own.data_dir)
        children: list[Supervised] = []

        try:
            err.print("Starting Google's stand-in, the stores, the console, Flower and a worker …")
            places = start_all(stack, own, children)
            if as_json:
                print_json(asdict(places))
            else:
                print_places(places, own)
            _watch(children)
        except KeyboardInterrupt:
            err.print("Stopping: what is under way is finished first.")


def directory(data_dir: Path) -> Path:
    """The sandbox's own, in the data directory; that itself where it is the sandbox's already.

    Raises Refused.
    """
    if is_sandbox(data_dir):
        return data_dir

    own = data_dir / "sandbox"
    if own.is_dir() and not is_sandbox(own) and any(each.name != LOCK for each in own.iterdir()):
        raise Refused(
            "not_the_sandboxs",
            f"{own} holds something that the sandbox did not make, and is left alone.",
            "Move it away, or set CERTMAIL_DATA_DIR to another directory.",
        )

    return own


def _say_what_is_left_out() -> None:
    """Whoever has a deployment's settings in the environment learns that they do not count here."""
    given = {**APART, **sandbox_addresses(""), "oauth_client_id": None, "oauth_client_secret": None}
    for name in (own for each in given for own in (f"{PREFIX}{each.upper()}", file_variable(each))):
        if os.environ.get(name):
            err.print(f"{name} is set, but the sandbox keeps to its own.", markup=False)


def _forget(data_dir: Path) -> None:
    for each in data_dir.iterdir():
        if each.name == LOCK:
            continue
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()


def _watch(children: list[Supervised]) -> None:
    while True:
        for each in children:
            each.watch()
        time.sleep(0.2)  # nothing else to do but to watch
