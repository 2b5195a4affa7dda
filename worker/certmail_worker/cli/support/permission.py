"""Whether a command may be run here: by the role of CERTMAIL_COMMAND_ROLE, where one is set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

VARIABLE: Final = "CERTMAIL_COMMAND_ROLE"
_HELP: Final = frozenset({"-h", "--help"})
_OTHER: Final = ("--repair",)
"""Options that make another command of one, which has a role of its own."""


def check_role(command: str, arguments: Sequence[str]) -> None:
    """Raises Refused unless the role set here covers a command; what it is for may always be asked."""
    if not os.environ.get(VARIABLE, "").strip() or not _HELP.isdisjoint(arguments):
        return

    # A list of commands needs none of this.
    from certmail_config.base.errors import Refused  # noqa: PLC0415
    from certmail_config.operators.permissions import role_for_command  # noqa: PLC0415
    from certmail_config.operators.roles import OperatorRole  # noqa: PLC0415
    from certmail_config.settings import Settings  # noqa: PLC0415

    role = OperatorRole(Settings.from_env().command_role)
    name = " ".join([command, *(each for each in _OTHER if each in arguments)])
    needed = role_for_command(name)
    if not role.covers(needed):
        raise Refused(
            "role_missing",
            f"`certmail {name}` needs the role {needed}; commands are run as {role} here.",
            f"Ask whoever may; or, if that is you, see {VARIABLE}.",
        )
