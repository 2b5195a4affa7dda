"""`python -m certmail_dashboards`: write every dashboard as Grafana reads it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from certmail_dashboards.operator_view import OPERATOR
from certmail_dashboards.tenant_view import TENANT
from certmail_dashboards.view import View, as_json

FOLDER: Final = Path(__file__).parents[1] / "monitoring" / "dashboards"
VIEWS: Final[tuple[View, ...]] = (OPERATOR, TENANT)


def main() -> None:
    """Write them, and say where."""
    FOLDER.mkdir(exist_ok=True)
    for view in VIEWS:
        path = FOLDER / f"{view.uid}.json"
        path.write_text(as_json(view), "utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
