"""Which certmail this is: version and revision.

Told by `certmail --version`, by /readyz and by the metrics, all from here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Final

NAME: Final = "certmail"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Release:
    """The version of the distribution, and the commit that it was made of; empty if nobody said."""

    version: str
    revision: str = ""

    def __str__(self) -> str:
        return f"{self.version} ({self.revision})" if self.revision else self.version


def release(revision: str | None) -> Release:
    """This release; `revision` is what CERTMAIL_REVISION says.

    Where that says nothing, it is what pip noted when it installed from a repository.
    """
    version, noted = _installed()
    return Release(version, revision or noted)


@cache
def _installed() -> tuple[str, str]:
    try:
        found = distribution(NAME)
    except PackageNotFoundError:  # run from a folder that nobody installed
        return UNKNOWN, ""

    # PEP 610: where it was installed from.
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    return found.version, str(origin.get("vcs_info", {}).get("commit_id", ""))
