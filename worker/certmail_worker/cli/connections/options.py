"""Options that several commands of connections share."""

from __future__ import annotations

from typing import Annotated

import typer

Id = Annotated[str, typer.Argument(metavar="ID", help="The connection's id, or TENANT/NAME.")]


ValidDays = Annotated[
    int | None,
    typer.Option(
        min=1, max=3650, help="How long the certificate is valid; else CERTMAIL_CERTIFICATE_DAYS."
    ),
]
