"""The hand that does what no page can do: `python -m judge.hand expire TENANT/NAME`.

It lets a certificate have ended yesterday.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from certmail_config.admin.admin import open_admin
from certmail_config.settings import Settings


def main(what: str, id_: str) -> None:
    """Do it."""
    assert what == "expire", what
    with open_admin(Settings.from_env()) as admin:
        yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        admin.save(replace(admin.connection(id_), not_after=yesterday))


if __name__ == "__main__":
    main(*sys.argv[1:])
