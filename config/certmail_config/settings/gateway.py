"""The gateway: where it is reached, by whom, and our OAuth client."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, SecretStr, field_validator

from certmail_config.base.urls import split_web_address
from certmail_config.settings.forms import here, whole_origin
from certmail_config.settings.section import MIN_PASSWORD, HostAndPort, Part

RoleName = Literal["viewer", "operator", "admin"]
_HOST: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+"
)


class GatewaySettings(Part):
    """Where the gateway is reached, by whom, and what its pages say of us."""

    listen: HostAndPort = Field("127.0.0.1:8080", description="Where the gateway listens.")
    public_url: str | None = Field(
        None,
        description="The gateway's address as browsers reach it, a host of its own, without a path; Google redirects to `/oauth/google/callback` below it. "
        "Unset: http:// and LISTEN.",
    )
    trusted_proxies: tuple[str, ...] = Field(
        (),
        description="Addresses and networks of the proxies in front of the gateway, comma separated, as in `10.0.0.0/8,::1`: what they say "
        "in `X-Forwarded-For` is believed, so that visitors behind them are told apart. Unset: nobody's.",
    )
    gateway_connections: int = Field(
        4096,
        ge=16,
        description="Connections that one gateway keeps open at most; fewer where its process may not have so many descriptors. "
        "Who has asked nothing yet, or rests, makes room for who comes.",
    )
    gateway_connections_per_address: int = Field(
        256,
        ge=4,
        description="And of them from one address (of IPv6: a /64); TRUSTED_PROXIES may have more.",
    )
    operator_password: SecretStr | None = Field(
        None,
        min_length=MIN_PASSWORD,
        description=f"What the operator signs in to the console with, {MIN_PASSWORD} characters at least. Unset: `up` makes one in "
        "DATA_DIR, and of a `gateway` by itself the console stays closed.",
    )
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
    return_urls: tuple[str, ...] = Field(
        (),
        description="Where set-up links may send an administrator back to: beginnings of addresses, comma separated, as in "
        "`https://app.example.com/settings`. Unset: nowhere.",
    )
    application_name: str | None = Field(
        None,
        max_length=80,
        description="The application that mailboxes are connected for, as its customers know it: the pages of set-up links say that "
        "it invites. Unset: they say so of nobody.",
    )
    application_logo: Path | None = Field(
        None,
        description="Its logo on those pages: a PNG, JPEG or WebP file of 256 KiB at most, which the gateway serves itself.",
    )
    logo_hosts: tuple[str, ...] = Field(
        (),
        description="Hosts that tenants' logos in mails may come from, comma separated, as in `static.example.com`; the same for all "
        "processes. Unset: mails have no logo.",
    )
    api_per_minute: int = Field(
        60_000,
        ge=1,
        description="How many requests and reminders one API key may send in a minute, to all gateways together.",
    )
    oauth_client_id: str | None = Field(
        None, description="Client ID of our OAuth client, for linked accounts."
    )
    oauth_client_secret: SecretStr | None = Field(None, description="Its secret.")

    @field_validator("public_url")
    @classmethod
    def _is_whole_origin(cls, value: str | None) -> str | None:
        return None if value is None else whole_origin(value)

    @field_validator("application_name")
    @classmethod
    def _is_one_line(cls, value: str | None) -> str | None:
        if value is not None and not value.strip().isprintable():
            message = "must be one line of printable text"
            raise ValueError(message)
        return value.strip() if value is not None else None

    @field_validator("return_urls", mode="before")
    @classmethod
    def _parse_return_urls(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        given = tuple(part.strip() for part in value.split(",") if part.strip())
        if any(split_web_address(each) is None for each in given):
            message = (
                "each must be the beginning of an https:// address (http:// only of this machine)"
            )
            raise ValueError(message)
        return given

    @field_validator("logo_hosts", mode="before")
    @classmethod
    def _parse_hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        given = tuple(part.strip().lower() for part in value.split(",") if part.strip())
        if not all(_HOST.fullmatch(each) for each in given):
            message = "each must be a host by its name, as in static.example.com"
            raise ValueError(message)
        return given

    @field_validator("operator_domains", mode="before")
    @classmethod
    def _parse_domains(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        given = tuple(part.strip().lower() for part in value.split(",") if part.strip())
        if not all(_HOST.fullmatch(each) for each in given):
            message = "each must be a domain, as in example.com"
            raise ValueError(message)
        if {"gmail.com", "googlemail.com"} & set(given):
            message = "anybody can have an address there: name a Google Workspace domain of yours"
            raise ValueError(message)
        return given

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _parse_networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        given = tuple(part.strip() for part in value.split(",") if part.strip())
        for each in given:
            try:
                ipaddress.ip_network(each)
            except ValueError:
                message = "each must be an address or a network, as in 10.0.0.0/8"
                raise ValueError(message) from None
        return given

    @property
    def base_url(self) -> str:
        """The gateway's address as browsers and clients reach it."""
        return (self.public_url or f"http://{here(self.listen)}").rstrip("/")

    @property
    def callback_url(self) -> str:
        """Where Google sends an administrator back to.

        It must be registered with our OAuth client exactly so.
        """
        return self.base_url + "/oauth/google/callback"
