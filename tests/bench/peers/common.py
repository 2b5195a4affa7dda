# mypy: ignore-errors
"""What the peers share: the ready mail, the tokens, and the loop that enqueues."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

REDIS_URL = os.environ["BENCH_REDIS_URL"]
GMAIL_URL = os.environ["BENCH_GMAIL_URL"]
TOKEN_URL = os.environ["BENCH_TOKEN_URL"]
CA_FILE = os.environ["BENCH_CA_FILE"]
CONCURRENCY = int(os.environ.get("BENCH_CONCURRENCY", "8"))
SEND_URL = f"{GMAIL_URL}/gmail/v1/users/me/messages/send"
MAILBOXES = int(os.environ["BENCH_MAILBOXES"])
TOKENS = {mailbox: f"ya29.{mailbox:0200}" for mailbox in range(MAILBOXES)}
"""As if each had been fetched earlier in the hour and kept in memory."""
_ID = b"00000000-0000-7000-8000-000000000000"


def jobs():
    """Yield (mailbox, raw) as the arguments `first count` say; prints the ids."""
    mail = Path(os.environ["BENCH_MAIL_FILE"]).read_bytes()
    first, count = int(sys.argv[1]), int(sys.argv[2])
    for number in range(first, first + count):
        name = f"00000000-0000-7000-8000-{number + 1:012}"
        yield (
            number % MAILBOXES,
            base64.urlsafe_b64encode(mail.replace(_ID, name.encode())).decode(),
        )
        sys.stdout.write(name + "\n")


def tls():
    """One context per process."""
    import ssl  # noqa: PLC0415 - only those who speak TLS themselves

    return ssl.create_default_context(cafile=CA_FILE)
