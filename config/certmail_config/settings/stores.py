"""Where the stores are, what opens them, and what listens beside the gateway."""

from __future__ import annotations

import base64
import binascii
import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr, field_validator

from certmail_config.base.errors import SettingsError
from certmail_config.crypto.signing import parse_public
from certmail_config.settings.forms import REDIS_FILES, database_address, redis_address
from certmail_config.settings.section import MIN_PASSWORD, PREFIX, HostAndPort, Part, WholePath


def default_data_dir() -> Path:
    """Where embedded stores live when nothing is set: the user's data directory (XDG)."""
    base = os.environ.get("XDG_DATA_HOME")
    try:
        return (Path(base) if base else Path.home() / ".local" / "share") / "certmail"
    except RuntimeError:
        raise SettingsError(
            "no_home",
            f"This user has no home directory, and {PREFIX}DATA_DIR is not set.",
            f"Set {PREFIX}DATA_DIR to a directory that is kept.",
        ) from None


def parse_vault_key(text: str) -> tuple[str, bytes]:
    """Read `id:base64`; raises ValueError without repeating any key material."""
    key_id, colon, encoded = text.strip().partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not colon or not key_id or len(key_id) > 32 or not key_id.isascii() or len(key) != 32:
        message = "each key must be `id:base64` with 32 bytes behind the colon (make one with `certmail vault keygen`)"
        raise ValueError(message)
    return key_id, key


class StoreSettings(Part):
    """Where the stores are, the keys to them, and who may look into what is beside them."""

    data_dir: WholePath = Field(
        default_factory=default_data_dir,
        description="Directory of the embedded stores and of the vault keys made for them; `~` is the home directory, and what does not begin "
        "with `/` counts from where the process is started.",
    )
    redis_url: str | None = Field(
        None,
        description="Redis ≥ 6.2 or Valkey (redis://, rediss://, unix://; sentinel://one:26379,two:26379/0?master=NAME, or sentinels:// with TLS). "
        "Unset: an embedded Valkey in DATA_DIR.",
    )
    database_url: str | None = Field(
        None,
        description="SQLAlchemy URL (postgresql+psycopg://…, or sqlite:////… with a file's whole path). Unset: SQLite in DATA_DIR.",
    )
    vault_keys: tuple[tuple[str, bytes], ...] = Field(
        (),
        repr=False,
        description="Vault keys, `id:base64` of 32 bytes each, newest first, comma separated. "
        "Unset: those in `vault.key` of DATA_DIR, commas or lines between; `up`, or whoever first uses an embedded database, "
        "makes the first, for its owner only.",
    )
    sandbox_listen: HostAndPort = Field(
        "127.0.0.1:8090", description="Where `certmail sandbox` listens."
    )
    flower_listen: HostAndPort = Field(
        "127.0.0.1:5555",
        description="Where `certmail flower` listens. It speaks plain HTTP: on any other address put TLS in front of it.",
    )
    metrics_listen: HostAndPort | None = Field(
        None,
        description="Where each worker answers `/healthz`, `/readyz` and `/metrics`, for probes and Prometheus, and each gateway `/metrics`: plain HTTP, "
        "without a password, so on a network of yours only. Of several processes on one machine each needs an address of its own. Unset: nowhere.",
    )
    metrics_tenants: int = Field(
        20,
        ge=0,
        le=200,
        description="How many tenants `/metrics` names: those with the most that waits; all others are one figure. 0: none.",
    )
    flower_basic_auth: SecretStr | None = Field(
        None,
        description=f"Who may look at Flower, `user:password`, with {MIN_PASSWORD} characters of password at least. Unset: `up` makes one in DATA_DIR, `flower` refuses to start.",
    )
    deployment_key: str | None = Field(
        None,
        description="For producers: the public half of the deployment's signature, as `certmail keys deployment` prints it. With it, nothing "
        "is sealed to a tenant's public key that somebody else put into Redis.",
    )
    api_key: SecretStr | None = Field(
        None,
        description="For producers: the API key with which `Mailer.campaigns` asks the gateway at PUBLIC_URL; `certmail keys create` makes one.",
    )

    def required_api_key(self) -> str:
        """The API key; raises SettingsError where none is set."""
        if self.api_key is None:
            raise SettingsError(
                "api_key_missing",
                "CERTMAIL_API_KEY is not set: the gateway asks for a key of whoever changes campaigns.",
                "Make one with `certmail keys create`, with the scopes campaigns:read and campaigns:write.",
            )
        return self.api_key.get_secret_value()

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: str | None) -> str | None:
        if value is None:
            return None
        for name, path in parse_qsl(urlsplit(redis_address(value)).query):
            if name in REDIS_FILES and not os.access(path, os.R_OK):
                message = f"names a file in {name} that cannot be read"
                raise ValueError(message)
        return value

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: str | None) -> str | None:
        return None if value is None else database_address(value)

    @field_validator("vault_keys", mode="before")
    @classmethod
    def _parse_vault_keys(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(parse_vault_key(part) for part in re.split(r"[,\n]", value))

    @field_validator("deployment_key")
    @classmethod
    def _is_public_half(cls, value: str | None) -> str | None:
        if value is not None:
            parse_public(value)
        return value

    @field_validator("flower_basic_auth")
    @classmethod
    def _is_user_and_password(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None

        text = value.get_secret_value()
        user, _, password = text.partition(":")
        # Browsers disagree on how anything but ASCII is sent.
        if not (user and password and text.isascii() and text.isprintable()):
            message = "must be `user:password`, both in printable ASCII"
            raise ValueError(message)
        if len(password) < MIN_PASSWORD:
            message = (
                f"must be `user:password`, the password with {MIN_PASSWORD} characters at least"
            )
            raise ValueError(message)

        return value
