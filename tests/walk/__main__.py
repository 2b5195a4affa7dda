"""`make walk`: docs/installing.md followed to the letter on a clean Debian; exit status 1 where it leads elsewhere.

The machine is a container of systemd's with a Debian that has nothing on it and no network. The commands are
those of the page, typed as root into one shell, and what the page says is seen must come up. Before the trial is taken
away again, what was installed is judged, and replaced under load as docs/upgrading.md says.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from support.data.pages import ROOT
from walk import judging
from walk.clean import clean_debian, copy_repository, environment
from walk.machine import Machine, Stumbled
from walk.page import Block, blocks

PROGRAMS: Final = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "nsenter": "util-linux",
    "git": "git",
}
LAST: Final = "13."
"""The part that takes the trial away."""
UPGRADE: Final = "On one machine, with systemd"
HOSTS: Final = "127.0.0.1 localhost certmail.example.com\n"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m walk", description=__doc__)
    parser.add_argument(
        "--folder",
        type=Path,
        default=ROOT / ".deploy" / "walk",
        help="where the machine is, and what it downloads",
    )
    parser.add_argument("--say", action="store_true", help="also say what is seen")
    given = parser.parse_args()
    _check_needs()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the machine is switched off, too
    page, upgrade = list(blocks("installing.md")), list(blocks("upgrading.md", UPGRADE))
    folder = given.folder.resolve()
    say("A clean Debian, and what will be downloaded")
    base = clean_debian(folder, page)

    machine = Machine(base, folder, environment())
    walk = Walk(machine, loud=given.say)
    try:
        copy_repository(machine.root / "usr/local/src/certmail")
        (machine.root / "etc/hosts").write_text(HOSTS)
        machine.start()
        before = [each for each in page if not each.part.startswith(LAST)]
        walk.follow(before)
        taken = walk.seconds
        _judge(walk, upgrade)
        walk.follow([each for each in page if each.part.startswith(LAST)])
    except Stumbled as stumbled:
        say(f"Stumbled:\n{stumbled}")
        sys.exit(1)
    finally:
        machine.end()

    say(
        f"Followed. Commands took {taken / 60:.1f} minutes, up to the trial's end, without downloads."
    )


class Walk:
    """Somebody who follows pages on a machine; `seconds` is what that has taken."""

    def __init__(self, machine: Machine, *, loud: bool) -> None:
        self.machine = machine
        self.seconds = 0.0
        self._loud = loud

    def follow(self, these: Sequence[Block]) -> None:
        """Type their commands, and look whether what is promised comes up."""
        for part in dict.fromkeys(each.part for each in these):
            began = time.monotonic()
            for each in these:
                if each.part == part:
                    self._follow(each)
            took = time.monotonic() - began
            self.seconds += took
            say(f"{took:6.1f} s  {part}")

    def _follow(self, block: Block) -> None:
        if block.commands.strip() == "systemctl reboot":
            self.machine.restart()
            return

        try:
            output = self.machine.run(block.commands)
        except Stumbled as stumbled:
            raise Stumbled(f"{block.part}\n{block.commands}\n{stumbled}") from None
        if self._loud:
            sys.stderr.write(output.rstrip("\n") + "\n")
        if missing := block.missing(output):
            raise Stumbled(f"{block.part}: this does not come up: {missing}\n{output}")


def _judge(walk: Walk, upgrade: Sequence[Block]) -> None:
    """What the page promises, and what it cannot say in a line."""
    machine = walk.machine
    judging.sign_in(machine)
    judging.exactly_once(machine, "anna@acme.example", "bob@acme.example")
    judging.console(machine)
    say("        each reminder is one mail; the console shows the tenant")

    judging.kill_under_load(machine)
    say("        a worker killed under load: the other went on, nothing is lost or doubled")

    with judging.load(machine):
        walk.follow(upgrade)
    say("        replaced under load: nothing is lost or doubled")

    judging.prometheus(machine)
    say("        Prometheus sees all three processes and what was sent; no alert fires")


def _check_needs() -> None:
    if missing := [package for name, package in PROGRAMS.items() if shutil.which(name) is None]:
        sys.exit(f"This needs {' '.join(missing)}: on Debian, apt-get install {' '.join(missing)}.")
    if os.geteuid() != 0:
        sys.exit("This needs root: it makes a machine, and switches it on.")


def say(sentence: str) -> None:
    """Say how far it is."""
    sys.stderr.write(f"{time.strftime('%T')} {sentence}\n")


if __name__ == "__main__":
    main()
