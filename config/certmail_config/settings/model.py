"""All settings: one frozen object, built once at the edge from the environment.

Every field's description is the text of the settings reference.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from certmail_config.base.errors import SettingsError
from certmail_config.settings.delivery import DeliverySettings
from certmail_config.settings.environment import check_names, names_of_others, read_environment
from certmail_config.settings.gateway import GatewaySettings
from certmail_config.settings.google import GoogleSettings
from certmail_config.settings.outgoing.webhooks import WebhookSettings
from certmail_config.settings.retention import RetentionSettings
from certmail_config.settings.sandbox import settings_of
from certmail_config.settings.section import PREFIX
from certmail_config.settings.stores import StoreSettings
from certmail_config.settings.wrong_values import explain


# Pydantic takes the fields of the last first: so they stand in the reference.
class Settings(
    WebhookSettings,
    RetentionSettings,
    DeliverySettings,
    GoogleSettings,
    GatewaySettings,
    StoreSettings,
):
    """Everything that can be set, with the defaults that are right on one machine."""

    model_config = ConfigDict(defer_build=False)

    project_share: float = Field(
        1,
        gt=0,
        le=1,
        description="Which part of each Google Cloud project's limits this deployment may use, where several share a project "
        "(0.5: half); the same for all its processes. Workers take a new value over when they start.",
    )
    log_format: Literal["json", "console"] = Field("json", description="Form of log lines.")
    revision: str | None = Field(
        None,
        pattern=r"^[0-9A-Za-z._-]{1,64}$",
        description="The commit that this installation was made of, for `certmail --version`, `/readyz` and `/metrics`; an image sets it. "
        "Unset: what pip noted, where it installed from a repository.",
    )
    debug: bool = Field(
        False,
        description="Where a command fails in a way that nobody foresaw, say where: with Python's trace.",
    )

    @classmethod
    def from_env(cls, **overrides: Any) -> Settings:
        """Read the environment, where what is blank counts as not set.

        In the sandbox's own data directory, what that keeps goes before the environment. Raises
        SettingsError, which names the variable that is wrong or misspelt.
        """
        check_names(cls.model_fields)
        given = read_environment(cls.model_fields)

        try:
            found = cls(**(given | overrides))
            kept = {
                n: value
                for n, value in settings_of(found.data_dir).items()
                if n in cls.model_fields
            }
            return cls(**(given | kept | overrides)) if kept else found
        except ValidationError as error:
            raise SettingsError(
                "invalid_settings", explain(error, PREFIX), "Correct the variable and run again."
            ) from None


def unknown_names() -> tuple[str, ...]:
    """The variables with our prefix that are no settings, nor like one.

    They belong to another version, or to somebody else.
    """
    return names_of_others(Settings.model_fields)
