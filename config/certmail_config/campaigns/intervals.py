"""How long after a day the next one is: three working days, or three days. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Final, NamedTuple

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_WRITTEN: Final = re.compile(r"([1-9][0-9]{0,2}) (working )?days?")
LONGEST: Final = 366


class Interval(NamedTuple):
    """A number of days, of all or of those that are worked on."""

    number: int
    working: bool

    def __str__(self) -> str:
        kind = "working day" if self.working else "day"
        return f"{self.number} {kind}{'' if self.number == 1 else 's'}"


NEXT_WORKING_DAY: Final = Interval(1, working=True)


def read_interval(value: object) -> Interval:
    """Read such as 3 working days; raises PydanticCustomError."""
    if isinstance(value, Interval):
        return value

    found = _WRITTEN.fullmatch(" ".join(value.lower().split())) if isinstance(value, str) else None
    if found is None or int(found[1]) > LONGEST:
        raise PydanticCustomError(
            "invalid_interval",
            'not "3 working days" or "3 days", with a number from 1 to {longest}',
            {"longest": LONGEST},
        )
    return Interval(int(found[1]), working=found[2] is not None)


IntervalText = Annotated[
    Interval,
    PlainValidator(read_interval),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["3 working days", "3 days"]}),
]
