"""The small language of a tenant's words: variables, `if`, `for` over known lists, a few filters.

Its grammar is Jinja's: Jinja's own parser, of its immutable sandbox, reads a source. Of the tree
that comes of it only what stands on a list is taken over, into steps of our own that are carried
out within bounds. No Python is ever made of what a customer writes, so that there is nothing to
break out of; and what stands in a store is a source that is read anew, never something compiled.

`scope` says what a source may name, `compiling` reads one, `program` carries it out.
"""

from certmail_config.templates.language.compiling import compiled
from certmail_config.templates.language.faults import Fault, TemplateRefused
from certmail_config.templates.language.program import OutOfBounds, Program, Value
from certmail_config.templates.language.scope import Form, Number, Plain, Scope, Values, Variable

__all__ = (
    "Fault",
    "Form",
    "Number",
    "OutOfBounds",
    "Plain",
    "Program",
    "Scope",
    "TemplateRefused",
    "Value",
    "Values",
    "Variable",
    "compiled",
)
