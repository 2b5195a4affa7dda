"""What a source names: variables, fields of entries and filters, each looked up in what there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from babel import Locale
from jinja2 import nodes

from certmail_config.templates.language import program
from certmail_config.templates.language.faults import HIDDEN, Fault, choices, quoted
from certmail_config.templates.language.filters import FILTERS, Change
from certmail_config.templates.language.scope import Form, Scope

_MOST_FILTERS: Final = 4
_THERE: Final = (
    "there are variables in {{ }}, `if` and `for` in {% %}, and the filters "
    + ", ".join(each.written for each in FILTERS.values())
)
_PARTS: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Call: "a call",
    nodes.Getitem: "an index",
    nodes.Slice: "a slice",
    nodes.CondExpr: "an `if` inside of {{ }}",
    nodes.Test: "an `is`",
    nodes.Concat: "`~`",
    nodes.Const: "a text or number by itself",
    nodes.List: "a list",
    nodes.Tuple: "a list",
    nodes.Dict: "a table",
    nodes.Compare: "a comparison",
    nodes.Not: "a `not`",
    nodes.And: "an `and`",
    nodes.Or: "an `or`",
}


class Names:
    """What may be named while a source is read, and what was found to be wrong with it."""

    def __init__(self, scope: Scope, locale: Locale) -> None:
        self.scope = scope
        self.entries: dict[str, Mapping[str, Form]] = {}
        """The fields of the entries that are gone through here, by the name given to each."""
        self.faults: list[Fault] = []
        self.hints: list[str] = []
        self.used: set[str] = set()
        """The variables of the scope that are named."""
        self._locale = locale

    def wrong(self, node: nodes.Node, message: str) -> None:
        """Note that something is wrong."""
        self.faults.append(Fault(node.lineno or 1, message.rstrip(".") + "."))

    def unusable(self, node: nodes.Node, what: str) -> None:
        """Note that something of Jinja's is none of ours."""
        self.wrong(node, f"{what} cannot stand here; {_THERE}")

    def lists(self) -> str:
        """Which lists there are, as a sentence."""
        there = sorted(name for name, each in self.scope.items() if each.form is Form.LIST)
        return f"there are: {', '.join(there)}" if there else "there is none in this mail"

    def variable(self, node: nodes.Node) -> tuple[program.Reference, Form] | None:
        """What a node names; None, and a note, where it names nothing."""
        match node:
            case nodes.Name(name=name) if name in self.entries:
                has = ", ".join(f"{name}.{field}" for field in sorted(self.entries[name]))
                self.wrong(node, f"{quoted(name)} is an entry; it has: {has}")
            case nodes.Name(name=name):
                if name in self.scope:
                    self.used.add(name)
                    return program.Reference(name), self.scope[name].form
                self.wrong(
                    node, f"there is no variable {quoted(name)}; {choices(name, self.scope)}"
                )
            case nodes.Getattr(node=nodes.Name(name=entry), attr=field) if entry in self.entries:
                fields = self.entries[entry]
                if field in fields:
                    return program.Reference(field, entry), fields[field]
                self.wrong(node, f"{entry} has no {quoted(field)}; {choices(field, fields)}")
            case nodes.Getattr(attr=attribute):
                self.unusable(node, f"the attribute {quoted(attribute)}")
            case _:
                self.unusable(node, self._part(node))
        return None

    def shown(self, node: nodes.Node) -> program.Show | None:
        """What stands in {{ }}; None, and a note, where it cannot."""
        filters: list[nodes.Filter] = []
        while isinstance(node, nodes.Filter) and node.node is not None:
            filters.append(node)
            node = node.node
        if len(filters) > _MOST_FILTERS:
            self.wrong(node, f"more than {_MOST_FILTERS} filters stand in a row")
            return None

        found = self.variable(node)
        if found is None:
            return None
        variable, form = found
        if form is Form.LIST:
            self.wrong(node, f"{quoted(variable.name)} is a list: go through it with `for`")
            return None

        changes: list[Change] = []
        for each in reversed(filters):
            change = self._filter(each, form)
            if change is None:
                return None
            changes.append(change)
            form = FILTERS[each.name].gives
        return program.Show(variable, tuple(changes))

    def _filter(self, node: nodes.Filter, form: Form) -> Change | None:
        filter_ = FILTERS.get(node.name)
        if filter_ is None:
            self.wrong(
                node, f"there is no filter {quoted(node.name)}; {choices(node.name, FILTERS)}"
            )
            return None
        if form not in filter_.takes:
            takes = " or ".join(sorted(filter_.takes))
            self.wrong(node, f"the filter {node.name} takes a {takes}, and this is a {form}")
            return None

        plain, named = _constants(node.args), _constants(each.value for each in node.kwargs)
        if plain is None or named is None or node.dyn_args or node.dyn_kwargs:
            self.wrong(node, f"a filter takes only what is written out: {filter_.written}")
            return None
        keys = [str(each.key) for each in node.kwargs]
        keywords = dict(zip(keys, named, strict=True))
        try:
            change = filter_.make(self._locale, tuple(plain), keywords)
        except ValueError as error:
            self.wrong(node, f"the filter {node.name} {error}: {filter_.written}")
            return None

        if hint := filter_.hint(self._locale, keywords):
            self.hints.append(str(Fault(node.lineno, f"{hint}.")))
        return change

    def _part(self, node: nodes.Node) -> str:
        if isinstance(node, nodes.BinExpr | nodes.UnaryExpr) and type(node) not in _PARTS:
            return "arithmetic"
        return _PARTS.get(type(node), f"`{type(node).__name__.lower()}`")


def _constants(given: Iterable[nodes.Expr]) -> list[str | int] | None:
    """The texts and numbers that are written out there; None where something else is."""
    found: list[str | int] = []
    for each in given:
        if not isinstance(each, nodes.Const) or type(each.value) not in {str, int}:
            return None
        if isinstance(each.value, str) and HIDDEN.search(each.value):
            return None  # written as an escape
        found.append(each.value)
    return found
