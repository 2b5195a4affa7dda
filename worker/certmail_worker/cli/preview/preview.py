"""`certmail preview`: any mail, as it would leave, without a server and without a tenant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certmail_config.base.errors import WrongUse
from certmail_config.compose.samples import SampleSize
from certmail_config.compose.voices import LetterKind
from certmail_config.templates.findings import TemplatesRefused
from certmail_worker.cli.preview.samples import nobody, of_folder, of_tenant, sample_mail
from certmail_worker.cli.preview.writing import PreviewForm, write_mail
from certmail_worker.cli.support.output import err


def preview(
    *,
    kind: Annotated[LetterKind, typer.Option(help="Which mail.")] = LetterKind.REMINDER,
    locale: Annotated[
        str | None,
        typer.Option(
            help="A language tag, such as de-CH.", show_default="the tenant's default, else en"
        ),
    ] = None,
    sample: Annotated[
        SampleSize, typer.Option(help="How much is known: as little, as much or as odd as may be.")
    ] = SampleSize.RICH,
    form: Annotated[
        PreviewForm,
        typer.Option("--format", help="Subject and text part, the page, or the whole message."),
    ] = PreviewForm.TEXT,
    tenant: Annotated[
        str | None,
        typer.Option(metavar="TENANT", help="In the words and look that a tenant has published."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="In the words and look of a folder; they need not be published."
        ),
    ] = None,
) -> None:
    """Write any mail to stdout, and send nothing. Needs no stores, but for --tenant.

    What is to be known of it goes to stderr. The status is 1 where words of --folder cannot be used.
    """
    if tenant is not None and folder is not None:
        raise WrongUse(
            "wrong_use", "--tenant and --folder each name words.", "Give one of the two."
        )

    try:
        writer = of_tenant(tenant) if tenant else of_folder(folder) if folder else nobody()
    except TemplatesRefused as refused:
        for each in refused.findings:
            err.print(str(each), markup=False)
        raise typer.Exit(1) from None

    found = sample_mail(writer, kind, locale, sample)
    for line in (*found.notes, *found.faults):
        err.print(line, markup=False)
    write_mail(found.mail, form)
    if folder and found.faults:
        raise typer.Exit(1)
