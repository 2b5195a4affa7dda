"""Google Cloud projects by their ids. Pure.

One is suggested for a tenant who has none yet; in one, certmail asks for a service account.

Sources: an id has 6 to 30 lower-case letters, digits and hyphens, starts with a letter and ends
with none; older ones of a domain are `example.com:id` (D,
docs.cloud.google.com/resource-manager/docs/creating-managing-projects).
"""

from __future__ import annotations

import re
from typing import Final

from certmail_config.base.errors import WrongUse
from certmail_config.google.consoles import account_of

NAME: Final = "certmail"
"""Of the service account: 6 to 30 characters."""
_ID: Final = re.compile(r"(?:[a-z0-9][a-z0-9.-]{0,40}\.[a-z]{2,20}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_LONGEST: Final = 30


def service_account_in(project: str) -> str:
    """The address that the service account has, or will have, in a project.

    Raises WrongUse for what is no project's id.
    """
    found = project.strip().lower()
    if not _ID.fullmatch(found):
        raise WrongUse(
            "invalid_project", f"{project[:100]!r} is not the id of a Google Cloud project."
        )
    return account_of(found, NAME)


def suggest_project(tenant: str, ending: str) -> str:
    """An id for a new project.

    All of Google's projects are told apart by it, so it has an ending that nobody else has.
    """
    room = _LONGEST - len(NAME) - len(ending) - 2
    return f"{NAME}-{tenant[:room].strip('-')}-{ending}"
