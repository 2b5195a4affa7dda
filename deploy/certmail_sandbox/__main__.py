"""`python -m certmail_sandbox`: the sandbox as a process.

It prints its base URL as the first line and serves until it is told to stop.
"""

from __future__ import annotations

import argparse
import ssl
import sys
from pathlib import Path

from certmail_sandbox.persistence import Unreadable
from certmail_sandbox.server import serve


def main() -> int:
    """Run the sandbox as its command line says; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m certmail_sandbox", description="Google in one process."
    )
    parser.add_argument(
        "--listen", default="127.0.0.1:8090", metavar="HOST:PORT", help="port 0: any free one"
    )
    parser.add_argument("--tls-cert", metavar="FILE", help="PEM certificate chain; makes it https")
    parser.add_argument("--tls-key", metavar="FILE", help="PEM private key of the certificate")
    parser.add_argument(
        "--keep",
        metavar="FILE",
        help="take up what is there, and keep who exists and the mail there",
    )
    options = parser.parse_args()

    host, _, port = options.listen.rpartition(":")
    if not port.isdecimal() or int(port) > 65_535:
        parser.error(f"--listen must be HOST:PORT, not {options.listen!r}")
    if options.tls_key and not options.tls_cert:
        parser.error("--tls-key needs --tls-cert")

    context = None
    try:
        if options.tls_cert:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(options.tls_cert, options.tls_key)

        serve(
            host.strip("[]"),
            int(port),
            announce=_announce,
            ssl_context=context,
            kept_in=Path(options.keep) if options.keep else None,
        )
    except (OSError, Unreadable) as error:
        # A command speaks to its user.
        print(f"The sandbox cannot start: {error}", file=sys.stderr)  # noqa: T201
        return 1

    return 0


def _announce(url: str) -> None:
    # Whoever started it reads this line.
    print(url, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
