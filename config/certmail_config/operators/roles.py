"""The roles of operators, each with all that the ones before it may do."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class OperatorRole(StrEnum):
    """What an operator may do."""

    VIEWER = "viewer"
    """Read; lists hide addresses."""
    OPERATOR = "operator"
    """Act on reminders and connections, too."""
    ADMIN = "admin"
    """And on tenants, keys, templates, webhooks, operators and the deployment itself."""

    def covers(self, needed: OperatorRole) -> bool:
        """Whether it may do what is `needed` for."""
        return _ORDER[self] >= _ORDER[needed]


_ORDER: Final = {role: place for place, role in enumerate(OperatorRole)}
