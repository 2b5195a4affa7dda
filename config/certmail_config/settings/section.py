"""What the parts of the settings share: prefix, behaviour, and forms that several have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict

from certmail_config.settings.forms import host_and_port, web_address

PREFIX: Final = "CERTMAIL_"
MIN_PASSWORD: Final = 12


class Part(BaseModel):
    """The settings of one subject; only the whole is ever made."""

    # Pydantic makes what validates of the whole alone: the parts cost next to nothing at a start.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def _whole_path(value: Path) -> Path:
    """As seen from here: children, and whoever changes the directory, find the same."""
    try:
        return value.expanduser().absolute()
    except RuntimeError:
        message = "must be a path; there is no home directory of such a user"
        raise ValueError(message) from None


def _host_and_port(value: str) -> str:
    host_and_port(value)
    return value


def _web_address(value: str) -> str:
    web_address(value)
    return value


WholePath = Annotated[Path, AfterValidator(_whole_path)]
HostAndPort = Annotated[str, AfterValidator(_host_and_port)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
