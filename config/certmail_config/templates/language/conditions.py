"""What stands behind `if`: variables, compared with what is written out, `and`, `or`, `not`."""

from __future__ import annotations

from typing import Final

from jinja2 import nodes

from certmail_config.templates.language import program
from certmail_config.templates.language.faults import quoted
from certmail_config.templates.language.naming import Names
from certmail_config.templates.language.scope import Form

_DEEPEST: Final = 8
_LARGEST: Final = 10**9
_FOR_TEXTS: Final = frozenset({"eq", "ne"})
# Stands for one that is wrong: what comes of it is never carried out.
_WRONG: Final = program.There(program.Reference(""))


class Conditions:
    """Takes conditions over; what is wrong is noted with `names`."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def read(self, node: nodes.Node, depth: int = 0) -> program.Condition:
        """The condition that a node is."""
        if depth > _DEEPEST:
            self._names.wrong(node, f"more than {_DEEPEST} conditions stand in one another")
            return _WRONG

        match node:
            case nodes.Not(node=inner):
                return program.Not(self.read(inner, depth + 1))
            case nodes.And(left=left, right=right) | nodes.Or(left=left, right=right):
                either = isinstance(node, nodes.Or)
                return program.Both(self.read(left, depth + 1), self.read(right, depth + 1), either)
            case nodes.Compare():
                return self._compared(node)
            case nodes.Getattr(node=nodes.Name(name="loop"), attr=attribute):
                return self._place(node, attribute)
            case _:
                found = self._names.variable(node)
                return _WRONG if found is None else program.There(found[0])

    def _compared(self, node: nodes.Compare) -> program.Condition:
        found = self._names.variable(node.expr)
        if found is None:
            return _WRONG

        variable, form = found
        [by, *more] = [each.op for each in node.ops]
        to = node.ops[0].expr
        if more or by not in program.COMPARISONS:
            self._names.wrong(node, "a comparison is one of == != < <= > >= between two sides")
        elif not isinstance(to, nodes.Const):
            self._names.wrong(node, "a variable is compared with a number or a text written out")
        elif _fits(form, by, to.value):
            return program.Compared(variable, by, to.value)
        else:
            rule = {
                Form.NUMBER: f"a number, up to {_LARGEST:,}: {variable.name} > 3",
                Form.TEXT: f'a text, by == or !=: {variable.name} == "…"',
                Form.LIST: f"nothing: {{% if {variable.name} %}} says whether it has entries",
            }
            self._names.wrong(
                node, f"{quoted(variable.name)} is a {form}, to be compared with {rule[form]}"
            )
        return _WRONG

    def _place(self, node: nodes.Node, attribute: str) -> program.Condition:
        if not self._names.entries:
            self._names.wrong(node, "`loop` is there inside of `for` only")
        elif attribute not in {"first", "last"}:
            self._names.wrong(node, "`loop` has: loop.first, loop.last")
        else:
            return program.Turn(list(self._names.entries)[-1], attribute == "last")
        return _WRONG


def _fits(form: Form, by: str, value: object) -> bool:
    """Whether a variable of this form compares so with what is written out."""
    if form is Form.NUMBER:
        return isinstance(value, int) and not isinstance(value, bool) and value <= _LARGEST
    return form is Form.TEXT and isinstance(value, str) and by in _FOR_TEXTS
