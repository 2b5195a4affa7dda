"""Options that choose among what is on record, declared once for every command that takes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any, Final

import typer

from certmail_config.base.errors import WrongUse
from certmail_config.sql.deliveries import Filter
from certmail_config.sql.record.question import STATES_TO_NAME, RecordQuestion
from certmail_worker.cli.support.times import parse_time

Tenant = Annotated[str | None, typer.Option(help="Only this tenant's.")]
Campaign = Annotated[str | None, typer.Option(help="Only this campaign's.")]

_OPTIONS: Final[Mapping[str, Any]] = {
    "tenant": Tenant,
    "campaign": Campaign,
    "to": Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="Only those to this address.")
    ],
    "state": Annotated[
        str | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help=f"Only those in this state, or in one of a group: {', '.join(STATES_TO_NAME)}.",
        ),
    ],
    "since": Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only those enqueued at this time or later (RFC 3339)."),
    ],
    "until": Annotated[
        str | None, typer.Option(metavar="TIME", help="Only those enqueued before this time.")
    ],
}


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a filter in the place of its parameter `wanted`, a RecordQuestion.

    Raises WrongUse where a time is none, or a state.
    """

    @wraps(command)
    def run(*args: Any, **given: Any) -> None:
        chosen = {name: given.pop(name, None) for name in _OPTIONS}
        command(*args, wanted=_question(**chosen), **given)

    # Typer reads a command's options from its signature, where all must be resolved.
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in _OPTIONS.items()
    ]
    own = inspect.signature(command, eval_str=True).parameters.values()
    shown = [each for one in own for each in (options if one.name == "wanted" else [one])]
    run.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]  # see inspect
    run.__annotations__ = {each.name: each.annotation for each in shown}

    return run


def _question(
    *,
    tenant: str | None,
    campaign: str | None,
    to: str | None,
    state: str | None,
    since: str | None,
    until: str | None,
) -> RecordQuestion:
    asked = Filter(
        tenant,
        campaign,
        to,
        since=parse_time(since, "--since"),
        until=parse_time(until, "--until"),
    )
    try:
        return RecordQuestion.of(asked, state)
    except ValueError:
        remedy = f"Choose among {', '.join(STATES_TO_NAME)}."
        raise WrongUse("invalid_state", f"There is no state {state!r}.", remedy) from None
