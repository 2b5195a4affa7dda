"""A reader of shell commands that does what their gcloud commands say.

It is no shell: nothing else is run.

Known are variables, here-documents, `a || b`, `$(gcloud …)`, echo and printf; what a loop would
repeat is passed over, since nothing here needs a second try. Anything else is named, and not done.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace

from certmail_sandbox.accounts.directory import Project, ServiceAccount, new_service_account
from certmail_sandbox.consoles.projects import ID
from certmail_sandbox.key_upload import upload
from certmail_sandbox.state import State
from certmail_sandbox.wire.fields import Refused

GMAIL = "gmail.googleapis.com"
_HERE = re.compile(r"""cat\s*>\s*"?\$(\w+)"?\s*<<'?(\w+)'?\n(.*?)\n\2$""", re.DOTALL | re.MULTILINE)
_LOOP = re.compile(r"^(?:until|while)\s+(.*?);\s*do$.*?^done$", re.DOTALL | re.MULTILINE)
_CONTINUED = re.compile(r"(\|\||&&|\\)\n\s*")
_ASSIGNED = re.compile(r"(\w+)=(.*)", re.DOTALL)
_CAPTURED = re.compile(r'"?\$\((.*)\)"?', re.DOTALL)
_NAME = re.compile(r"\$\{?(\w+)\}?")
_PASSED_OVER = {"(", ")", "set", "rm", "exit", "true", ":", ""}


class Failed(Exception):
    """A command ends with a status other than 0; the text is what it says."""


@dataclass
class ShellRun:
    """One paste of commands, and what came of it.

    Attributes:
        output: What a terminal would show.
    """

    state: State
    variables: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    output: list[str] = field(default_factory=list)

    def run(self, text: str) -> bool:
        """Go through a block; gives whether all of it was done.

        What fails ends it, as `set -e` would.
        """
        text = _HERE.sub(self._keep_file, text.replace("\r\n", "\n"))
        text = _CONTINUED.sub(
            lambda found: "" if found[1] == "\\" else f"{found[1]} ", _LOOP.sub(r"\1", text)
        )
        for line in text.split("\n"):
            try:
                self._line(line.strip())
            except (Failed, Refused) as error:
                self.output.append(f"ERROR: {error}")
                return False
            except ValueError:
                self.output.append(f"ERROR: this line cannot be read: {line.strip()}")
                return False

        return True

    def _keep_file(self, found: re.Match[str]) -> str:
        self.files[f"${found[1]}"] = found[3]
        return ""

    def _line(self, line: str) -> None:
        if (assigned := _ASSIGNED.fullmatch(line)) is not None:
            name, value = assigned[1], assigned[2]
            captured = _CAPTURED.fullmatch(value)
            if captured is None:
                self.variables[name] = self._expanded(" ".join(shlex.split(value)))
            elif captured[1].startswith("gcloud"):
                self.variables[name] = self._command(_words(captured[1]))
            return

        alternatives = [part.strip() for part in line.split("||")]
        for number, part in enumerate(alternatives):
            try:
                quiet = ">/dev/null" in part
                answer = self._command(_words(part))
                if answer and not quiet:
                    self.output.append(answer)
            except Failed:
                if number == len(alternatives) - 1:
                    raise
            else:
                return

    def _command(self, words: list[str]) -> str:
        if not words or words[0] in _PASSED_OVER:
            return ""
        if words[0] == "echo":
            return self._expanded(" ".join(words[1:])) or " "
        if words[0] == "printf":
            return "".join(self._expanded(word) for word in words[2:])
        if words[0] != "gcloud":
            raise Failed(
                f"`{words[0]}` is not played here: the stand-in only reads gcloud commands."
            )

        return self._gcloud(words[1:])

    def _gcloud(self, words: list[str]) -> str:
        options = dict(word[2:].partition("=")[::2] for word in words if word.startswith("--"))
        given = {name: self._expanded(value) for name, value in options.items()}
        plain = [word for word in words if not word.startswith("--")]
        match plain:
            case ["projects", "describe", project]:
                return self._project(self._expanded(project))
            case ["projects", "create", project]:
                return self._new_project(self._expanded(project))
            case ["services", "enable", *apis]:
                return self._enable(self._project(given.get("project", "")), apis)
            case ["iam", "service-accounts", "describe", email]:
                return self._account(self._expanded(email)).client_id
            case ["iam", "service-accounts", "create", name]:
                return self._new_account(
                    name, self._project(given.get("project", "")), given.get("display-name", "")
                )
            case ["iam", "service-accounts", "keys", "upload", file]:
                return self._upload(self.files.get(file), given.get("iam-account", ""))

        raise Failed(f"`gcloud {' '.join(plain[:3])}` is not played here.")

    def _project(self, name: str) -> str:
        if name not in self.state.directory.project_names():
            raise Failed(f"There is no project {name or '(none is named)'}.")
        return name

    def _new_project(self, name: str) -> str:
        projects = self.state.directory.projects
        if not ID.fullmatch(name):
            raise Failed(f"{name} is no project ID.")
        if name in self.state.directory.project_names():
            raise Failed(f"The project {name} exists already.")
        projects[name] = Project(gmail_api=False)
        return f"Created project {name}."

    def _enable(self, project: str, apis: list[str]) -> str:
        found = self.state.directory.project(project)
        if GMAIL in apis and not found.gmail_api:
            since = self.state.now() + self.state.spread_seconds
            self.state.directory.projects[project] = replace(
                found, gmail_api=True, gmail_api_from=since
            )
        return f"Enabled in {project}: {', '.join(apis)}."

    def _account(self, email: str) -> ServiceAccount:
        found = self.state.directory.service_account(email)
        if found is None:
            raise Failed(f"There is no service account {email}.")
        return found

    def _new_account(self, name: str, project: str, title: str) -> str:
        email = f"{name}@{project}.iam.gserviceaccount.com"
        accounts = self.state.directory.service_accounts
        if not ID.fullmatch(name) or email in accounts:
            raise Failed(f"{email} exists already, or is no name for a service account.")
        accounts[email] = new_service_account(email, project, title)
        return f"Created service account {email}."

    def _upload(self, content: str | None, email: str) -> str:
        account = self._account(email)
        if content is None:
            raise Failed("There is no such file: its text is to stand in the block.")
        known = frozenset(account.keys)
        key = upload(self.state, account, content.encode())
        if key.kid not in known:
            since = self.state.now() + self.state.spread_seconds
            account.keys[key.kid] = replace(key, accepted_from=since)
        return f"Uploaded key {key.kid} to {account.email}."

    def _expanded(self, text: str) -> str:
        return _NAME.sub(lambda found: self.variables.get(found[1], ""), text)


def _words(command: str) -> list[str]:
    """A command's words, without its redirections."""
    return [word for word in shlex.split(command) if not re.match(r"\d*>", word)]
