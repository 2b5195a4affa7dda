"""The first reminder, to be copied: over HTTP, from Python, on the command line. Pure.

The connection's names are filled in.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from certmail_config.tenants.models import DEFAULT_NAME, Connection

KEY_VARIABLE = "CERTMAIL_API_KEY"


@dataclass(frozen=True, slots=True)
class FirstReminder:
    """A first reminder; it goes to the mailbox itself, so that nobody else gets it."""

    connection: Connection
    base_url: str
    before: str = ""
    """Lines that a shell needs first, to find this deployment.

    The sandbox's, which nobody has in the environment.
    """

    @property
    def key(self) -> str:
        """The command that makes an API key."""
        return f"{self.before}certmail keys create first --tenant {shlex.quote(self.connection.tenant)}"

    @property
    def curl(self) -> str:
        """The reminder over HTTP."""
        url = shlex.quote(f"{self.base_url}/v1/reminders")
        return (
            f"curl {url} \\\n"
            f'  -H "Authorization: Bearer ${KEY_VARIABLE}" -H "Content-Type: application/json" \\\n'
            f"  -d {shlex.quote(json.dumps(self._fields, ensure_ascii=False))}\n"
        )

    @property
    def python(self) -> str:
        """The reminder from Python."""
        fields = ", ".join(f"{name}={value!r}" for name, value in self._fields.items())
        first = ["In the terminal first:", *self.before.splitlines()] if self.before else []
        comment = "".join(f"# {line}\n" for line in first)

        return (
            f"{comment}from certmail import Mailer, Reminder\n\n"
            "with Mailer.from_env() as mailer:\n"
            f"    receipt = mailer.send(Reminder({fields}))\n"
            "    print(receipt.id, mailer.status(receipt.id).state)\n"
        )

    @property
    def command(self) -> str:
        """The reminder on the command line."""
        line = shlex.quote(json.dumps(self._fields, ensure_ascii=False))
        return f"{self.before}printf '%s\\n' {line} | certmail send -\n"

    @property
    def _fields(self) -> dict[str, Any]:
        connection = self.connection
        fields: dict[str, Any] = {"tenant": connection.tenant, "to": connection.mailbox or ""}
        if connection.name != DEFAULT_NAME:
            fields["connection"] = connection.name
        return fields | {"campaign": "first", "pending": 3}
