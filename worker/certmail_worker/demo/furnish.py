"""What is at Google when `certmail up --sandbox` starts for the first time.

People, a project, a service account, and our OAuth client.
"""

from __future__ import annotations

from typing import Final

from certmail_worker.demo.cast import ACME, GLOBEX, SERVICE_ACCOUNT
from certmail_worker.demo.google import SandboxGoogle

PROJECT: Final = "acme-it"
PEOPLE: Final = (ACME.mailbox, GLOBEX.mailbox)


def furnish(google: SandboxGoogle) -> None:
    """Make what there is at first.

    The project is new, so its Gmail API is to be enabled; nobody has delegated anything.
    """
    for address in PEOPLE:
        google.add_mailbox(address)
    google.add_project(PROJECT)
    google.add_bare_service_account(SERVICE_ACCOUNT, PROJECT)
