"""The folder that a rehearsal's mails are written to, a file each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from certmail_config.base.errors import WrongUse
from certmail_worker.rehearsal.sink import SunkMail

_ODD: Final = re.compile(r"[^A-Za-z0-9@._+-]")
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class MailFolder:
    """Where mails are written to; without a folder nowhere."""

    folder: Path | None

    def open(self) -> None:
        """Make it; raises WrongUse where there is something in it already."""
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            taken = any(self.folder.iterdir())
        except OSError as error:
            raise _unusable(self.folder, error) from None
        if taken:
            raise WrongUse(
                "not_empty",
                f"{self.folder} is not empty: mails of this rehearsal and others would be mixed.",
                "Name another folder with --out, or empty it.",
            )

    def write(self, mail: SunkMail, number: int) -> str | None:
        """Write one, and give the name of its file; raises WrongUse where that cannot be done."""
        if self.folder is None:
            return None
        reminder = mail.reminder
        whom = _ODD.sub("_", reminder.to)[:_LONGEST]
        name = f"{number:05d}-{mail.at:%Y-%m-%d}-{reminder.kind}-{whom}.eml"
        try:
            (self.folder / name).write_bytes(mail.mail.raw)
        except OSError as error:
            raise _unusable(self.folder, error) from None
        return name


def _unusable(folder: Path, error: OSError) -> WrongUse:
    return WrongUse(
        "folder_unusable",
        f"{folder} cannot be written to: {error.strerror}.",
        "Name another folder with --out.",
    )
