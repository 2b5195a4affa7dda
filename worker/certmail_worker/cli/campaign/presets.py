"""`certmail campaign presets`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from certmail_config.base.errors import WrongUse
from certmail_config.campaigns.cadence import CadenceRule
from certmail_config.campaigns.presets import PRESETS, about, preset
from certmail_worker.cli.support.output import Json, out, print_json, table


def presets(
    *,
    name: Annotated[
        str | None, typer.Argument(help="Print the rules of this one, to start from.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the cadences to choose from, in words; with a name, as the rules that they are."""
    if name is not None and name not in PRESETS:
        raise WrongUse(
            "unknown_preset", f"There is no preset {name!r}.", f"Presets: {', '.join(PRESETS)}."
        )
    names = [name] if name is not None else list(PRESETS)

    if json:
        return print_json({"presets": [_value(each) for each in names]})
    if name is not None:
        return out.print(PRESETS[name], markup=False, end="")

    for each in names:
        out.print(f"{each}: {about(each)}", markup=False)
        table(["rule", "when", "mail"], [[one.id, words(one), _mail(one)] for one in preset(each)])
        out.print()
    return None


def words(rule: CadenceRule) -> str:
    """When a rule's mails go."""
    if rule.on is not None:
        return "on the day that it starts" if rule.on == "start" else "on the day that it is due"
    if rule.before_due is not None:
        return f"{', '.join(map(str, rule.before_due))} days before it is due"
    if rule.escalate_after is not None:
        return f"once {rule.escalate_after} reminders were accepted"
    if rule.overdue_by is not None:
        return f"{rule.overdue_by} after it was due"

    most = f", at most {rule.at_most}" if rule.at_most is not None else ""
    if rule.every is not None:
        return f"every {rule.every} until it is due{most}"
    return f"every {rule.overdue} after it was due{most}"


def _mail(rule: CadenceRule) -> str:
    if rule.before_due is not None:
        return "final" if len(rule.before_due) == 1 else f"{rule.sends}, the last one final"
    return rule.sends if rule.goes_to == "reviewer" else f"{rule.sends} to the {rule.goes_to}"


def _value(name: str) -> dict[str, Any]:
    rules = [each.model_dump(mode="json", exclude_none=True) for each in preset(name)]
    return {"name": name, "about": about(name), "rules": rules, "toml": PRESETS[name]}
