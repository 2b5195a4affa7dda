"""A source that was read: steps, and carrying them out within bounds.

Whatever a source says, it is done after so many steps, and has written so many characters at most.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from certmail_config.templates.language.scope import Entry, Number, Plain, Values

MOST_STEPS: Final = 5_000
LONGEST: Final = 20_000
"""Characters that a program writes at most, unless it is told less."""
COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}


class OutOfBounds(Exception):
    """A program took more steps, or wrote more, than any may."""


class Value(str):
    """A piece of what was written that came from a variable, and not from the source."""

    __slots__ = ()


class Run:
    """One run: what is known, what was written, and how much may still be done."""

    __slots__ = ("entries", "left", "pieces", "places", "steps", "values")

    def __init__(self, values: Values, longest: int) -> None:
        self.values = values
        self.entries: dict[str, Entry] = {}
        self.places: dict[str, tuple[int, int]] = {}
        self.pieces: list[str] = []
        self.left = longest
        self.steps = MOST_STEPS

    def write(self, piece: str) -> None:
        """Add a piece; raises OutOfBounds."""
        self.left -= len(piece)
        if self.left < 0:
            raise OutOfBounds("it writes more than may stand there")
        self.pieces.append(piece)

    def all_of(self, steps: Sequence[Step]) -> None:
        """Carry them out; raises OutOfBounds."""
        self.steps -= len(steps)
        if self.steps < 0:
            raise OutOfBounds(f"it takes more than {MOST_STEPS:,} steps")
        for step in steps:
            step.do(self)


@dataclass(frozen=True, slots=True)
class Words:
    """Writes what stands in the source."""

    text: str

    def do(self, run: Run) -> None:
        """Write them."""
        run.write(self.text)


@dataclass(frozen=True, slots=True)
class Reference:
    """Something named: a variable, or the field of an entry that is gone through."""

    name: str
    entry: str = ""

    def of(self, run: Run) -> Plain | Sequence[Entry]:
        """What stands for it."""
        if self.entry:
            return run.entries[self.entry].get(self.name)
        try:
            return run.values[self.name]
        except KeyError:
            return None


@dataclass(frozen=True, slots=True)
class Show:
    """Writes a variable, changed by filters."""

    variable: Reference
    filters: tuple[Callable[[Plain], Plain], ...] = ()

    def do(self, run: Run) -> None:
        """Write it."""
        value: Any = self.variable.of(run)  # no list: that is refused when a source is read
        for change in self.filters:
            value = change(value)
        if value:
            run.write(Value(value.shown if isinstance(value, Number) else value))


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether the entry that is gone through is the first, or the last."""

    entry: str
    last: bool

    def holds(self, run: Run) -> bool:
        """Whether it is."""
        at, of = run.places[self.entry]
        return at == of - 1 if self.last else at == 0


@dataclass(frozen=True, slots=True)
class There:
    """Whether there is something: a text that is not empty, a number other than 0, an entry."""

    variable: Reference

    def holds(self, run: Run) -> bool:
        """Whether there is."""
        value = self.variable.of(run)
        return bool(value.value) if isinstance(value, Number) else bool(value)


@dataclass(frozen=True, slots=True)
class Compared:
    """Whether a text or number compares so; what is nothing only differs."""

    variable: Reference
    by: str
    to: str | int

    def holds(self, run: Run) -> bool:
        """Whether it does."""
        value = self.variable.of(run)
        if value is None and isinstance(self.to, int):
            return self.by == "ne"
        plain = value.value if isinstance(value, Number) else (value or "")
        return COMPARISONS[self.by](plain, self.to)


@dataclass(frozen=True, slots=True)
class Not:
    """Whether something does not hold."""

    condition: Condition

    def holds(self, run: Run) -> bool:
        """Whether it does not."""
        return not self.condition.holds(run)


@dataclass(frozen=True, slots=True)
class Both:
    """Whether two things hold, or either of them."""

    first: Condition
    second: Condition
    either: bool

    def holds(self, run: Run) -> bool:
        """Whether they do."""
        if self.either:
            return self.first.holds(run) or self.second.holds(run)
        return self.first.holds(run) and self.second.holds(run)


Condition = Turn | There | Compared | Not | Both


@dataclass(frozen=True, slots=True)
class If:
    """Takes the first branch whose condition holds; the last may have none."""

    branches: tuple[tuple[Condition | None, tuple[Step, ...]], ...]

    def do(self, run: Run) -> None:
        """Take it."""
        for condition, steps in self.branches:
            if condition is None or condition.holds(run):
                run.all_of(steps)
                return


@dataclass(frozen=True, slots=True)
class For:
    """Goes through a list, or does what is to be done where it is empty."""

    entry: str
    through: str
    steps: tuple[Step, ...]
    otherwise: tuple[Step, ...]

    def do(self, run: Run) -> None:
        """Go through it."""
        entries = run.values.get(self.through)
        if not entries:
            run.all_of(self.otherwise)
            return

        assert not isinstance(entries, str | Number), "only lists are gone through"
        for at, each in enumerate(entries):
            run.entries[self.entry], run.places[self.entry] = each, (at, len(entries))
            run.all_of(self.steps)


Step = Words | Show | If | For


@dataclass(frozen=True, slots=True)
class Program:
    """A source that was read and can be carried out; `size` is that of its source in characters."""

    steps: tuple[Step, ...]
    size: int
    hints: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """The variables that it names."""

    def pieces(self, values: Values, longest: int = LONGEST) -> list[str]:
        """What it writes, piece by piece: a `Value` came from a variable.

        Raises OutOfBounds.
        """
        run = Run(values, longest)
        run.all_of(self.steps)
        return run.pieces

    def text(self, values: Values, longest: int = LONGEST) -> str:
        """What it writes; raises OutOfBounds."""
        return "".join(self.pieces(values, longest))
