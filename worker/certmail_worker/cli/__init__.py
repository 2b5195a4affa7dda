"""The command line: `certmail …`.

What it takes to run a command is imported only then. Start at `commands`, the table of all of them;
`support.running` runs one, `support.lazily` loads it.
"""

from __future__ import annotations

import gc
import os
import sys

from certmail_config.base.foreign_variables import take_out
from certmail_worker.cli.support import streams


def main() -> None:
    """Run a command.

    Exit status: 0 done, 1 failed or some rows rejected, 2 wrong use or settings, 3 stores
    unreachable.
    """
    take_out(os.environ)
    # What is written, a database or an export, is for whoever runs this.
    os.umask(0o077)
    # Nothing that imports make is garbage, and looking for it takes a quarter of their time.
    gc.disable()
    streams.make_usable()

    try:
        status = run_command(sys.argv[1:])
    except KeyboardInterrupt:
        status = 130
    except ModuleNotFoundError as error:
        status = 1
        sys.stderr.write(
            f"certmail: The command line needs {error.name}, which is not installed.\n"
        )
        sys.stderr.write("  Install certmail with the extra worker.\n")
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else 1

    sys.exit(streams.let_go(status))


def run_command(arguments: list[str]) -> int:
    """Run one command line and give its exit status."""
    from certmail_worker.cli.support.running import run  # noqa: PLC0415 - see the module

    return run(arguments)
