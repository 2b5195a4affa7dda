"""The application that a set-up is for: its name and logo, by which invited people know it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from certmail_config.base.errors import SettingsError
from certmail_config.settings import Settings

MAX_BYTES: Final = 256 * 1024
LOGO: Final = "application-logo"
_KINDS: Final = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
_REMEDY: Final = (
    "Set CERTMAIL_APPLICATION_LOGO to a PNG, JPEG or WebP file of 256 KiB at most, or unset it."
)


@dataclass(frozen=True, slots=True)
class Logo:
    """The image, served by ourselves: nobody else learns who was invited."""

    content: bytes
    type: str

    @property
    def url(self) -> str:
        """Its address, which changes with its content."""
        return f"/console/static/{hashlib.sha256(self.content).hexdigest()[:12]}/{LOGO}"


@dataclass(frozen=True, slots=True)
class Application:
    """The application that invites; `name` is empty where none is set."""

    name: str = ""
    logo: Logo | None = None


def application_of(settings: Settings) -> Application:
    """The application of the settings; raises SettingsError for a logo that cannot be shown."""
    logo = _read(settings.application_logo) if settings.application_logo is not None else None
    return Application(settings.application_name or "", logo)


def _read(path: Path) -> Logo:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"The logo {path} cannot be read: {error.strerror or type(error).__name__}."
        raise SettingsError("application_logo", message, _REMEDY) from None

    kind = _kind(content)
    if kind is None or len(content) > MAX_BYTES:
        what = "is larger than 256 KiB" if kind else "is no PNG, JPEG or WebP image"
        raise SettingsError("application_logo", f"The logo {path} {what}.", _REMEDY)

    return Logo(content, kind)


def _kind(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _KINDS if content.startswith(start)), None)
