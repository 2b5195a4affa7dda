"""What somebody asks of the record: as the fields of a form, as an address, as a question. Pure.

An address of a page is kept in histories and in the logs of proxies. So a recipient stands in it
sealed, and only the form, which is sent as a POST, has it in clear.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode

from certmail.gateway.console.form_fields import WrongField
from certmail.gateway.console.texts import N_
from certmail_config.base.addresses import recorded_address
from certmail_config.base.errors import SealBroken, WrongUse
from certmail_config.sql.deliveries import Filter
from certmail_config.sql.record.groups import states_named

_LONGEST: Final = {"tenant": 63, "campaign": 300, "to": 320, "state": 16, "since": 10, "until": 10}
_DAY: Final = timedelta(days=1)
_NO_DAY: Final = N_("This is not a day, as in 2026-11-25.")
OWNER: Final = "a recipient in an address of the console"
LIST: Final = "/console/deliveries"


@dataclass(frozen=True, slots=True)
class ListFilter:
    """The fields as they were typed; empty is any. `since` and `until` are days, both included.

    `state` names a state, or a group of them.
    """

    tenant: str = ""
    campaign: str = ""
    to: str = ""
    state: str = ""
    since: str = ""
    until: str = ""

    @property
    def any_given(self) -> bool:
        """Whether anything is asked for."""
        return self != ListFilter()

    def question(self) -> Filter:
        """What is asked for, but for the state; raises WrongField."""
        since, until = _day("since", self.since), _end_of("until", self.until)
        return Filter(
            tenant=self.tenant or None,
            campaign=self.campaign or None,
            recipient=self.to or None,
            since=since,
            until=until,
        )

    def questions(self) -> list[Filter]:
        """What is asked for: a question for each state that is meant. Raises WrongField."""
        asked = self.question()
        if not self.state:
            return [asked]

        try:
            return [replace(asked, state=state) for state in states_named(self.state)]
        except ValueError:
            raise _wrong("state", N_("There is no such state.")) from None

    def sealed(self, seal: Callable[[bytes], bytes]) -> str:
        """The recipient as an address of a page has it; empty if none is asked for."""
        if not self.to:
            return ""
        return base64.urlsafe_b64encode(seal(self.to.encode())).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class ListLinks:
    """The addresses of pages that go on from a filter; `sealed` is its recipient."""

    wanted: ListFilter
    sealed: str

    def to(self, path: str = LIST, **changes: str) -> str:
        """The address of the same with some fields changed, and others added."""
        given = {each.name: getattr(self.wanted, each.name) for each in fields(self.wanted)}
        asked = {**given, "to": self.sealed, **changes}
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{path}?{query}" if query else path


def from_form(form: Mapping[str, str]) -> ListFilter:
    """Read what was typed; raises WrongField where it cannot be what is looked for."""
    for name, longest in _LONGEST.items():
        if len(form[name]) > longest or "\0" in form[name]:
            raise _wrong(name, N_("That is longer than any there is."))

    made = ListFilter(**{name: form[name] for name in _LONGEST})
    if made.to and "@" not in made.to:
        message = N_("Type the whole address: parts of one are not looked for.")
        raise _wrong("to", message)
    made = replace(made, to=recorded_address(made.to)) if made.to else made
    made.questions()
    return made


def from_query(query: Mapping[str, str], opened: Callable[[bytes], bytes]) -> ListFilter:
    """Read the address of a page; raises WrongUse."""
    given = {name: query.get(name, "") for name in _LONGEST}
    if given["to"]:
        given["to"] = _address(given["to"], opened)
    return from_form(given)


def _address(sealed: str, opened: Callable[[bytes], bytes]) -> str:
    try:
        padded = sealed + "=" * (-len(sealed) % 4)
        return opened(base64.b64decode(padded, altchars=b"-_", validate=True)).decode()
    except (binascii.Error, ValueError, SealBroken):
        raise WrongUse(
            "invalid_recipient",
            N_("This address of a page does not say any more whose reminders were looked for."),
            N_("Go to the deliveries, and type the recipient’s address again."),
        ) from None


def _day(name: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise _wrong(name, _NO_DAY) from None


def _end_of(name: str, text: str) -> datetime | None:
    day = _day(name, text)
    try:
        return day + _DAY if day is not None else None
    except OverflowError:
        raise _wrong(name, _NO_DAY) from None


def _wrong(name: str, message: str) -> WrongField:
    return WrongField(name, WrongUse(f"invalid_{name}", message, ""))
