"""The variables of a kind, as a page offers them: what is put into a text for each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from certmail_config.templates.language import Form
from certmail_config.templates.variables import scope_of


@dataclass(frozen=True, slots=True)
class OfferedVariable:
    """One of them; `insert` is what stands for it in the language of templates."""

    name: str
    help: str
    fields: Sequence[str]
    insert: str


def variables_of(kind: str) -> list[OfferedVariable]:
    """Those of a kind, in the order of its table."""
    return [
        OfferedVariable(
            name,
            each.help,
            tuple(each.fields),
            _loop(name, tuple(each.fields)) if each.form is Form.LIST else f"{{{{ {name} }}}}",
        )
        for name, each in scope_of(kind).items()
    ]


def _loop(name: str, fields: Sequence[str]) -> str:
    entry = name.removesuffix("s")
    words = f"{{{{ {entry}.{fields[0]} }}}}{{% if not loop.last %}}, {{% endif %}}"
    return f"{{% for {entry} in {name} %}}{words}{{% endfor %}}"
