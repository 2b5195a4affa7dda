"""Operators: how they sign in with Google, and what commands are for whom."""

from __future__ import annotations

import re
from typing import Final, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from certmail_config.settings.section import Part

RoleName = Literal["viewer", "operator", "admin"]
_DOMAIN: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+"
)


class OperatorSettings(Part):
    """Who may sign in to the console beside those with a password, and as what."""

    operator_oauth_client_id: str | None = Field(
        None,
        description="Client ID of an OAuth client with which operators sign in with Google, with the redirect URI `/console/sign-in/google/callback` "
        "below PUBLIC_URL; a user type of Internal is enough. Unset: they sign in with passwords only.",
    )
    operator_oauth_client_secret: SecretStr | None = Field(None, description="Its secret.")
    operator_domains: tuple[str, ...] = Field(
        (),
        description="Google Workspace domains whose members may sign in with Google, comma separated, as in `example.com`.",
    )
    operator_domain_role: RoleName | None = Field(
        None,
        description="The role of every member of OPERATOR_DOMAINS who has no account of that address: `viewer`, `operator` or `admin`. "
        "Unset: only those may sign in with Google whom `certmail operators add --address` names.",
    )
    command_role: RoleName = Field(
        "admin",
        description="What commands may be run here: those that a `viewer`, an `operator` or an `admin` may. It keeps mistakes away, and not "
        "somebody who can set it.",
    )

    @field_validator("operator_domains", mode="before")
    @classmethod
    def _parse_domains(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        given = tuple(part.strip().lower() for part in value.split(",") if part.strip())
        if not all(_DOMAIN.fullmatch(each) for each in given):
            message = "each must be a domain, as in example.com"
            raise ValueError(message)
        if {"gmail.com", "googlemail.com"} & set(given):
            message = "anybody can have an address there: name a Google Workspace domain of yours"
            raise ValueError(message)
        return given

    @model_validator(mode="after")
    def _is_whole(self) -> OperatorSettings:
        """Half of a way to sign in would be taken for a whole one."""
        client = self.operator_oauth_client_id, self.operator_oauth_client_secret
        if (client[0] is None) is not (client[1] is None):
            message = "CERTMAIL_OPERATOR_OAUTH_CLIENT_ID and …_SECRET go together"
            raise ValueError(message)
        if client[0] is not None and not self.operator_domains:
            message = "CERTMAIL_OPERATOR_DOMAINS must say of which domains operators are"
            raise ValueError(message)
        return self
