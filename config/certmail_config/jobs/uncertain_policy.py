"""What becomes of a reminder while nobody knows whether Gmail took it. Pure.

A person decides, or it is sent once more.

Pure. The nearest rule counts: the reminder's own, else its tenant's, else the deployment's; each of
the latter two may say something else for a kind: `hold,final=resend`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self, get_args

from certmail_config.base.errors import WrongUse
from certmail_config.jobs.kinds import Kind


class Rule(StrEnum):
    """What is done about an unknown outcome that nobody can look up."""

    HOLD = "hold"
    """A person decides; the next reminder of the cadence comes anyway."""
    RESEND = "resend"
    """It is sent once more, on record as a possible duplicate."""


PATTERN: Final = rf"^(hold|resend)(,({'|'.join(get_args(Kind))})=(hold|resend))*$"
"""How a rule is written."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule, and those kinds that have another."""

    default: Rule = Rule.HOLD
    kinds: Mapping[str, Rule] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `hold`, `resend`, or either with kinds that differ; raises WrongUse."""
        if not re.fullmatch(PATTERN, text):
            message = f"{text!r} is not `hold` or `resend`, with kinds behind it that differ, as in `hold,final=resend`."
            raise WrongUse("invalid_rule", message)
        default, *rest = text.split(",")
        pairs = (part.split("=") for part in rest)
        return cls(Rule(default), {kind: Rule(rule) for kind, rule in pairs})

    def of(self, kind: str) -> Rule:
        """The rule for a kind of reminder."""
        return self.kinds.get(kind, self.default)


def decide(kind: str, *, own: Rule | None, tenant: Policy | None, deployment: Policy) -> Rule:
    """The rule that counts for a reminder."""
    return own or (tenant or deployment).of(kind)
