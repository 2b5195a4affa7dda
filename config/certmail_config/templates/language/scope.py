"""What a source may name, and the values that stand for it: plain data only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Form(StrEnum):
    """What a variable is."""

    TEXT = "text"
    NUMBER = "number"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Number:
    """A number, and how its language writes it."""

    value: int
    shown: str


@dataclass(frozen=True, slots=True)
class Variable:
    """Something that a source may name; `help` says what it is.

    `fields` is what each entry of a list has.
    """

    form: Form
    help: str
    fields: Mapping[str, Form] = field(default_factory=dict)


Scope = Mapping[str, Variable]
"""Variables by name."""
Plain = str | Number | None
"""A text or a number; None and '' where there is nothing to say."""
Entry = Mapping[str, Plain]
Values = Mapping[str, Plain | Sequence[Entry]]
"""What stands for the variables of a scope; what is left out is nothing."""
