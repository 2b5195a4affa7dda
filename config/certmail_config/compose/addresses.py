"""Decides what is an address that may stand in a header."""

import re

from certmail_config.compose.letter import ComposeError

# A dot-atom at a domain, in ASCII: no quotes, comments, groups, commas or blanks, so that one
# address can never be read as two. Whatever real address falls outside was turned away when the job
# was enqueued.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_LONGEST = 320


def checked(address: str, whose: str) -> str:
    """The address, without outer blanks; `whose` completes an error's sentence ("recipient", say).

    Raises ComposeError for what is not exactly one plain ASCII address; nothing is guessed or
    repaired.
    """
    stripped = address.strip(" ")
    if len(stripped) > _LONGEST or not _ADDRESS.fullmatch(stripped):
        raise ComposeError(
            f"The {whose}'s address is not one plain address such as name@example.com."
        )

    return stripped


def domain(address: str) -> str:
    """The part behind the @."""
    return address.rpartition("@")[2]
