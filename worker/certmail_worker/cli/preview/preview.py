"""`certmail preview`: any mail, as it would leave, without a server and without a tenant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certmail_config.base.errors import WrongUse
from certmail_config.compose.samples import SampleSize
from certmail_config.compose.voices import LetterKind
from certmail_config.templates.findings import TemplatesRefused
from certmail_worker.cli.preview.samples import Writer, nobody, of_folder, sample_mail
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
    calendar: Annotated[
        bool,
        typer.Option(
            "--calendar",
            help="With the due date as a calendar file, as where the look of a tenant says so.",
        ),
    ] = False,
    job: Annotated[
        str | None,
        typer.Option(
            metavar="JOB",
            help="The mail of a reminder, composed once more, and whether it is the one that was sent.",
        ),
    ] = None,
    attempt: Annotated[
        int | None,
        typer.Option(min=1, help="With --job: as in this attempt; else the last on record."),
    ] = None,
    reminder: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --job: the reminder as JSON, where certmail keeps its content no more.",
        ),
    ] = None,
) -> None:
    """Write any mail to stdout, and send nothing. Needs no stores, but for --tenant and --job.

    What is to be known of it goes to stderr. The status is 1 where words of --folder cannot be
    used, and where --job is another message than the one that was sent.
    """
    named = {"--tenant": tenant, "--folder": folder, "--job": job}
    given = [name for name, value in named.items() if value is not None]
    if len(given) > 1:
        raise WrongUse("wrong_use", f"{' and '.join(given)} do not go together.", "Give one.")
    if job is None and (attempt is not None or reminder is not None):
        raise WrongUse("wrong_use", "--attempt and --reminder are of a --job.", "Say which.")
    if job is not None and calendar:
        raise WrongUse(
            "wrong_use",
            "--calendar is of a sample.",
            "With --job the mail has it if it was sent so.",
        )

    try:
        if job is not None:
            # Samples need no stores, and are there at once.
            from certmail_worker.cli.preview.of_job import mail_of_job  # noqa: PLC0415

            found = mail_of_job(job, attempt, reminder)
        else:
            found = sample_mail(_writer(tenant, folder), kind, locale, sample, calendar=calendar)
    except TemplatesRefused as refused:
        for each in refused.findings:
            err.print(str(each), markup=False)
        raise typer.Exit(1) from None

    for line in (*found.notes, *found.faults):
        err.print(line, markup=False)
    write_mail(found.mail, form)
    # What fails of what is published is on record already: the mail leaves just so.
    if found.faults and tenant is None:
        raise typer.Exit(1)


def _writer(tenant: str | None, folder: Path | None) -> Writer:
    if tenant is not None:
        from certmail_worker.cli.preview.of_tenant import of_tenant  # noqa: PLC0415 - as above

        return of_tenant(tenant)
    return nobody() if folder is None else of_folder(folder)
