"""Where everything is that `certmail up --sandbox` has started, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from certmail_config.settings import Settings
from certmail_config.settings.forms import here
from certmail_config.settings.sandbox import (
    exports,
)
from certmail_worker.cli.support.output import out
from certmail_worker.demo.furnish import PEOPLE, PROJECT


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is, and what opens it."""

    console: str
    password: str
    sandbox: str
    mail: str
    flower: str | None
    flower_user: str
    flower_password: str
    api: str
    api_key: str
    data_dir: str


def print_places(at: Places, wanted: Settings) -> None:
    """Where everything is, and three things to do."""
    moved = {
        "the console": (wanted.listen, at.api),
        "Google's stand-in": (wanted.sandbox_listen, at.sandbox),
        "Flower": (wanted.flower_listen, at.flower or wanted.flower_listen),
    }
    for name, (asked, got) in moved.items():
        if not asked.endswith(":0") and not got.endswith(here(asked)):
            out.print(f"{asked} was taken by another program; {name} is elsewhere.", markup=False)

    flower = (
        f"{at.flower}   user {at.flower_user}, password {at.flower_password}"
        if at.flower
        else "did not start"
    )
    lines = [
        "certmail is up, and Google is played by the sandbox: nothing reaches Google, and no mail leaves.",
        "",
        f"  Console   {at.console}   password {at.password}",
        f"  Google    {at.sandbox}   its consoles, people and mail, played by the sandbox",
        f"  Flower    {flower}",
        f"  API       {at.api}/docs   key {at.api_key}",
        "",
        "What to do next",
        f"  1. Connect a mailbox: {at.console}/new, for the tenant acme, say. Link the account {PEOPLE[0]},",
        f"     or use a service account, in the project {PROJECT}, with the same mailbox.",
        "  2. Send a first reminder:",
        f"     curl {at.api}/v1/reminders -H 'Authorization: Bearer {at.api_key}' \\",
        """       --json '{"tenant": "acme", "to": "anna@acme.example", "campaign": "q4", "pending": 3}'""",
        "     The same again is a duplicate, also after a restart: for another mail change `to` or `campaign`.",
        f"  3. Read the mail: {at.mail}",
        f"  4. Run a campaign: {at.console}/campaigns/new, with a file of reviewers (CSV, columns id and to).",
        "",
        "For commands (`certmail status`, `certmail send` …) first, in another terminal:",
        *(f"  {line}" for line in exports(Path(at.data_dir)).splitlines()),
        "Data and logs are there, too, and go on at the next start; --fresh begins anew. Ctrl-C stops everything.",
    ]

    out.print("\n".join(lines), markup=False)
