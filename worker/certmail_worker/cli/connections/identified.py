"""How commands name the connection that they are about."""

from __future__ import annotations

from typing import Annotated

import typer

Id = Annotated[str, typer.Argument(metavar="ID", help="The connection's id, or TENANT/NAME.")]
