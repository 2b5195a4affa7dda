"""Whether this process writes a log of JSON lines, without importing what makes one."""

from __future__ import annotations

import sys
from typing import Final

from certmail_config.base.errors import CertmailError

_LOGS: Final = "certmail_worker.runtime.logs"


def is_kept() -> bool:
    """Whether it does: only where it has been set up, and so imported."""
    return (logs := sys.modules.get(_LOGS)) is not None and bool(logs.is_json())


def say_why_not(error: CertmailError) -> bool:
    """Say there why the process does not run; gives whether there is one."""
    return is_kept() and bool(sys.modules[_LOGS].say_why_not(error))
