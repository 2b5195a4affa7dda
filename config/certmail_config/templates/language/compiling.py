"""Reads a source: Jinja's parser makes a tree of it, of which only what is on a list is taken over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from certmail_config.templates.language import program
from certmail_config.templates.language.conditions import Conditions
from certmail_config.templates.language.faults import (
    HIDDEN,
    Fault,
    TemplateRefused,
    choices,
    quoted,
)
from certmail_config.templates.language.filters import locale_of
from certmail_config.templates.language.naming import Names
from certmail_config.templates.language.program import Program, Step
from certmail_config.templates.language.scope import Form, Scope

LONGEST_SOURCE: Final = 16_000
DEEPEST: Final = 6
"""So many `if` and `for` stand in one another at most, and so many of them are `for`."""
MOST_LOOPS: Final = 2
MOST_NODES: Final = 1_000
_MOST_FAULTS: Final = 10
_TAGS: Final = ("if", "elif", "else", "for")
_UNKNOWN_TAG: Final = re.compile(r"Encountered unknown tag '([^']*)'")
# Never made to compile anything: only its parser is asked.
_JINJA: Final = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
)
_WORDS: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Include: "an include",
    nodes.Import: "an import",
    nodes.FromImport: "an import",
    nodes.Extends: "`extends`",
    nodes.Block: "a block",
    nodes.Macro: "a macro",
    nodes.CallBlock: "a call",
    nodes.FilterBlock: "a filter over a block",
    nodes.Assign: "`set`",
    nodes.AssignBlock: "`set`",
    nodes.With: "`with`",
    nodes.Scope: "`autoescape`",
    nodes.ScopedEvalContextModifier: "`autoescape`",
}


def compiled(source: str, scope: Scope, locale: str = "en") -> Program:
    """The program that a source is, in a language, for whom names and plural forms are looked up.

    Raises TemplateRefused with all that is wrong with it.
    """
    if len(source) > LONGEST_SOURCE:
        message = f"this is longer than {LONGEST_SOURCE:,} characters"
        raise TemplateRefused([Fault(1, message)])
    source = source.replace("\r\n", "\n")
    if hidden := _hidden(source):
        raise TemplateRefused(hidden)

    tree = _parsed(source)
    if sum(1 for _ in tree.find_all(nodes.Node)) > MOST_NODES:
        raise TemplateRefused([Fault(1, f"this has more than {MOST_NODES:,} parts")])

    names = Names(scope, locale_of(locale))
    reading = _Reading(names)
    steps = reading.steps(tree.body, depth=0)
    if names.faults:
        raise TemplateRefused(names.faults[:_MOST_FAULTS])
    return Program(steps, len(source), tuple(names.hints), tuple(sorted(names.used)))


def _parsed(source: str) -> nodes.Template:
    try:
        return _JINJA.parse(source)
    except TemplateSyntaxError as error:
        raise TemplateRefused([Fault(error.lineno, _said(error))]) from None
    except RecursionError:
        raise TemplateRefused([Fault(1, "too much stands in one another here")]) from None
    except (ValueError, OverflowError):
        # Of a number with thousands of digits, say.
        raise TemplateRefused([Fault(1, "there is a number that nobody can count to")]) from None


def _said(error: TemplateSyntaxError) -> str:
    message = (error.message or "").partition(" Jinja was looking for")[0]
    if (tag := _UNKNOWN_TAG.search(message)) is not None:
        return f"there is no tag {quoted(tag[1])}; {choices(tag[1], _TAGS)}"
    shown = "".join(each if each.isprintable() else " " for each in message[:200]).rstrip(". ")
    return f"this cannot be read: {shown}."


def _hidden(source: str) -> list[Fault]:
    return [
        Fault(
            source.count("\n", 0, found.start()) + 1,
            f"there is a character that nobody sees (U+{ord(found[0]):04X}); delete it",
        )
        for found in HIDDEN.finditer(source)
    ][:_MOST_FAULTS]


class _Reading:
    """Takes statements over; what is wrong is noted with `names`."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._conditions = Conditions(names)

    def steps(self, body: list[nodes.Node], *, depth: int) -> tuple[Step, ...]:
        """The steps of these statements."""
        found: list[Step] = []
        for node in body:
            match node:
                case nodes.Output():
                    found += self._output(node)
                case nodes.If() | nodes.For() if depth >= DEEPEST:
                    self._names.wrong(node, f"more than {DEEPEST} tags stand in one another")
                case nodes.If():
                    found.append(self._if(node, depth + 1))
                case nodes.For():
                    found += self._for(node, depth + 1)
                case _:
                    what = _WORDS.get(type(node), f"`{type(node).__name__.lower()}`")
                    self._names.unusable(node, what)
        return tuple(found)

    def _output(self, node: nodes.Output) -> list[Step]:
        found: list[Step] = []
        for part in node.nodes:
            if isinstance(part, nodes.TemplateData):
                found.append(program.Words(part.data))
            elif (shown := self._names.shown(part)) is not None:
                found.append(shown)
        return found

    def _if(self, node: nodes.If, depth: int) -> Step:
        branches: list[tuple[program.Condition | None, tuple[Step, ...]]] = []
        for each in (node, *node.elif_):
            condition = self._conditions.read(each.test)
            branches.append((condition, self.steps(each.body, depth=depth)))
        if node.else_:
            branches.append((None, self.steps(node.else_, depth=depth)))
        return program.If(tuple(branches))

    def _for(self, node: nodes.For, depth: int) -> list[Step]:
        names = self._names
        if node.test is not None or node.recursive:
            names.unusable(node, "a `for` with `if` or `recursive`")
            return []
        if not isinstance(node.target, nodes.Name):
            names.wrong(node, "`for` gives each entry one name: {% for item in items %}")
            return []
        if not isinstance(node.iter, nodes.Name):
            names.wrong(node, f"`for` goes through a list by its name; {names.lists()}")
            return []

        entry, through = node.target.name, node.iter.name
        variable = names.scope.get(through)
        if variable is None or variable.form is not Form.LIST:
            names.wrong(node, f"{quoted(through)} is no list; {names.lists()}")
            return []
        if entry in names.scope or entry in names.entries or entry == "loop":
            names.wrong(node, f"{quoted(entry)} is the name of something else; take another")
            return []
        if len(names.entries) >= MOST_LOOPS:
            names.wrong(node, f"more than {MOST_LOOPS} `for` stand in one another")
            return []

        names.used.add(through)
        names.entries[entry] = variable.fields
        steps = self.steps(node.body, depth=depth)
        del names.entries[entry]
        return [program.For(entry, through, steps, self.steps(node.else_, depth=depth))]
