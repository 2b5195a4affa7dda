"""Settings of webhooks: where they may go besides the internet, and how long they are kept."""

from __future__ import annotations

from pydantic import Field, field_validator

from certmail_config.settings.google import CertificateFile
from certmail_config.settings.section import Part
from certmail_config.webhooks.addresses import Allowed, read_allowed


class WebhookSettings(Part):
    """Where webhooks may go besides the internet, and how long they are kept."""

    webhook_allow: str | None = Field(
        None,
        description="Addresses and networks of your own that webhooks may be sent to, comma separated, as in "
        "`10.20.0.0/16,http://192.168.7.9`; with http:// before it also without TLS. Unset: public addresses only, over https.",
    )
    webhook_ca_file: CertificateFile | None = Field(
        None,
        description="PEM file of certificate authorities to trust for webhooks besides the system's: those of receivers of your own.",
    )
    webhook_days: int = Field(
        14,
        ge=6,
        le=90,
        description="How long webhooks are kept, whatever became of them: so long what a paused or disabled endpoint misses can be sent.",
    )

    @field_validator("webhook_allow")
    @classmethod
    def _can_be_read(cls, value: str | None) -> str | None:
        read_allowed(value or "")
        return value

    @property
    def webhooks_allowed(self) -> tuple[Allowed, ...]:
        """The allow-list as rules."""
        return read_allowed(self.webhook_allow or "")
