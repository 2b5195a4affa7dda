"""The rules as they are, with all times shortened: what takes hours is seen within minutes.

Windows are a thirtieth of what they are, and nothing is waited for (`for`) longer than twenty
seconds. Thresholds, names, expressions and all else are those of deploy/monitoring.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from support.data.pages import ROOT

RULES: Final = ROOT / "deploy" / "monitoring" / "rules" / "certmail.yaml"
TIMES: Final = 30
MOST_SECONDS: Final = 20
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_WINDOW: Final = re.compile(r"(?<=\[)(\d+)([smhd])(?=[\]:])|(?<=offset )(\d+)([smhd])")


def shortened() -> str:
    """The rules' file, shortened."""
    rules: dict[str, Any] = yaml.safe_load(RULES.read_text("utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["expr"] = _WINDOW.sub(_shorter, rule["expr"]).replace(":30s]", ":1s]")
            if "for" in rule:
                rule["for"] = f"{min(_seconds(rule['for']) // TIMES, MOST_SECONDS)}s"
    return str(yaml.safe_dump(rules, sort_keys=False))


def _shorter(found: re.Match[str]) -> str:
    count, unit = (part for part in found.groups() if part is not None)
    return f"{max(5, _seconds(count + unit) // TIMES)}s"


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * _SECONDS[duration[-1]]
