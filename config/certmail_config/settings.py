"""All settings: one frozen object, built once at the edge from the environment (prefix `CERTMAIL_`).

Nothing below an entry point reads the environment. Every field's description is the text of the settings reference.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import re
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from certmail_config.durability import PATTERN as DURABILITY_PATTERN
from certmail_config.errors import SettingsError
from certmail_config.google_consoles import Consoles
from certmail_config.sandbox import sandbox_addresses, settings_of
from certmail_config.setting_faults import explain
from certmail_config.setting_forms import (
    REDIS_FILES,
    database_address,
    host_and_port,
    misspelt,
    proxy_address,
    redis_address,
    web_address,
    whole_origin,
)
from certmail_config.signing import parse_public
from certmail_config.uncertain import PATTERN as UNCERTAIN_PATTERN
from certmail_config.web_addresses import split_web_address

PREFIX = "CERTMAIL_"
LEAST_PASSWORD = 12
SETTLE_SECONDS = 3  # the least that a lease leaves for judging and settling after the HTTP time-out


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


class Settings(BaseModel):
    """Everything that can be set, with the defaults that are right on one machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Directory of the embedded stores and of the vault keys made for them; `~` is the home directory, and what does not begin "
        "with `/` counts from where the process is started.",
    )
    redis_url: str | None = Field(
        None,
        description="Redis ≥ 6.2 or Valkey (redis://, rediss://, unix://). Unset: an embedded Valkey in DATA_DIR.",
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
    sandbox_listen: str = Field("127.0.0.1:8090", description="Where `certmail sandbox` listens.")
    flower_listen: str = Field(
        "127.0.0.1:5555",
        description="Where `certmail flower` listens. It speaks plain HTTP: on any other address put TLS in front of it.",
    )
    flower_basic_auth: SecretStr | None = Field(
        None,
        description=f"Who may look at Flower, `user:password`, with {LEAST_PASSWORD} characters of password at least. Unset: `up` makes one in DATA_DIR, `flower` refuses to start.",
    )

    deployment_key: str | None = Field(
        None,
        description="For producers: the public half of the deployment's signature, as `certmail keys deployment` prints it. With it, nothing "
        "is sealed to a tenant's public key that somebody else put into Redis.",
    )

    listen: str = Field("127.0.0.1:8080", description="Where the gateway listens.")
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
        min_length=LEAST_PASSWORD,
        description=f"What the operator signs in to the console with, {LEAST_PASSWORD} characters at least. Unset: `up` makes one in "
        "DATA_DIR, and of a `gateway` by itself the console stays closed.",
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
    api_per_minute: int = Field(
        60_000,
        ge=1,
        description="How many requests and reminders one API key may send in a minute, to all gateways together.",
    )
    oauth_client_id: str | None = Field(
        None, description="Client ID of our OAuth client, for linked accounts."
    )
    oauth_client_secret: SecretStr | None = Field(None, description="Its secret.")

    sandbox_url: str | None = Field(
        None,
        description="Address of a sandbox that plays Google (`certmail sandbox` prints it): every address of Google's that is not set leads "
        "there, and the console says that no mail leaves. For trying out only.",
    )
    google_auth_url: str = Field(
        "https://accounts.google.com/o/oauth2/v2/auth", description="Google's consent page."
    )
    google_token_url: str = Field("https://oauth2.googleapis.com/token", description="Token endpoint.")
    google_revoke_url: str = Field(
        "https://oauth2.googleapis.com/revoke", description="Where tokens are revoked."
    )
    google_userinfo_url: str = Field(
        "https://openidconnect.googleapis.com/v1/userinfo", description="Whose account a token is for."
    )
    google_x509_url: str = Field(
        "https://www.googleapis.com/service_accounts/v1/metadata/x509/",
        description="Public certificates of service accounts; the account's email is appended.",
    )
    gmail_url: str = Field("https://gmail.googleapis.com", description="Root of the Gmail API.")
    google_console_url: str = Field(
        "https://console.cloud.google.com",
        description="Google's Cloud console, which set-up pages lead to; a sandbox has a stand-in.",
    )
    google_admin_url: str = Field("https://admin.google.com", description="Google's Admin console, likewise.")
    google_ca_file: Path | None = Field(
        None,
        description="PEM file of certificate authorities to trust for Google's addresses, and for an https:// GOOGLE_PROXY, instead of the "
        "system's.",
    )
    google_proxy: SecretStr | None = Field(
        None,
        description="The proxy that Google is reached through, and nothing else: http:// or https://, with user:password@ if it asks for "
        "them (percent-encoded); it must allow CONNECT to Google's hosts. Unset: none, whatever HTTPS_PROXY says.",
    )

    durability: str = Field(
        "fsync",
        pattern=DURABILITY_PATTERN,
        description="What Redis must keep when it answers: `fsync` (appendonly yes, appendfsync always; seen at the start), "
        "`replicas:N` (so many replicas confirm each receipt and each begin), `declared` (you vouch for a server that hides "
        "its CONFIG), `none` (reminders may be lost or sent twice).",
    )
    redis_memory_max: int | None = Field(
        None,
        ge=1024**2,
        description="Bytes that Redis may use (k, m or g behind the number: times 1024), where its own `maxmemory` is 0; at "
        "85 % nothing more is taken in, at 95 % nothing more is sent. Unset: the memory of its machine.",
    )
    events_max: int = Field(
        2_000_000,
        ge=10,
        description="Events that may wait in Redis for SQL; at 85 % nothing more is taken in or paced.",
    )

    concurrency: int = Field(200, ge=1, le=5000, description="Deliveries in flight in one worker process.")
    lease_seconds: float = Field(
        45,
        gt=0,
        allow_inf_nan=False,
        description="How long a worker may hold a job; counted anew from claim and from begin.",
    )
    http_timeout_seconds: float = Field(
        25, gt=0, allow_inf_nan=False, description="Total time for one request to Google."
    )
    send_window_seconds: float = Field(
        5,
        gt=0,
        allow_inf_nan=False,
        description="Longest time between the write-ahead record and the first byte of the request.",
    )
    uncertain: str = Field(
        "hold",
        pattern=UNCERTAIN_PATTERN,
        description="What follows an unknown outcome that nobody can look up: `hold` for a person, or `resend` once, as a possible "
        "duplicate; kinds may differ, as in `hold,final=resend`. A tenant, or a reminder, may have a rule of its own.",
    )
    resend_seconds: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="After how long it is sent again then. Unset: 120, or LEASE_SECONDS and a minute if that is more; less than the "
        "latter is refused.",
    )
    verify_seconds: float = Field(
        120,
        gt=0,
        allow_inf_nan=False,
        description="Where `gmail.metadata` was granted: how long after an attempt's end a mail that is not among the sent ones counts as "
        "not sent, and is sent again.",
    )
    uncertain_5xx: str = Field(
        "resend:900",
        pattern=r"^(hold|resend:[1-9][0-9]*)$",
        description="What follows a 5xx with Google's own error body: `hold`, or `resend:SECONDS` once, as a possible duplicate.",
    )
    probe_seconds: float = Field(
        15,
        gt=0,
        allow_inf_nan=False,
        description="While Gmail does not say what becomes of messages (three in a row): how often a mailbox, or a whole project, "
        "tries one.",
    )
    certificate_days: int = Field(
        365,
        ge=1,
        le=3650,
        description="How long the certificates are valid that customers upload to their service accounts.",
    )
    care_seconds: float = Field(
        10,
        gt=0,
        le=600,
        allow_inf_nan=False,
        description="How often connections are looked after. What does not work is tried out again after three times as long, then ever "
        "less often.",
    )
    confirm_seconds: float = Field(
        60,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="A refused access token stops a connection only when it is refused again so much later.",
    )
    dedupe_days: int = Field(
        90, ge=1, description="How long a finished job's id, key and state are remembered."
    )
    payload_days: int | None = Field(
        None,
        ge=1,
        description="How long the sealed content of a reminder whose outcome stays unknown is kept; then it is closed as that. All "
        "others lose theirs as soon as they end. Unset: DEDUPE_DAYS, which is the longest.",
    )
    address_days: int | None = Field(
        None,
        ge=1,
        description="How long after a reminder's end the record keeps its recipient. Unset: as long as the record.",
    )
    record_days: int | None = Field(
        None,
        ge=1,
        description="How long after a reminder's end its delivery, attempts and events are kept; at least DEDUPE_DAYS. Unset: for good.",
    )
    project_share: float = Field(
        1,
        gt=0,
        le=1,
        description="Which part of each Google Cloud project's limits this deployment may use, where several share a project "
        "(0.5: half); the same for all its processes. Workers take a new value over when they start.",
    )
    log_format: Literal["json", "console"] = Field("json", description="Form of log lines.")
    debug: bool = Field(
        False,
        description="Where a command fails in a way that nobody foresaw, say where: with Python's trace.",
    )

    @model_validator(mode="before")
    @classmethod
    def _lead_to_the_sandbox(cls, given: dict[str, Any]) -> dict[str, Any]:
        url = given.get("sandbox_url")
        if not isinstance(url, str) or not url:
            return given
        # No proxy stands between this machine and itself.
        return sandbox_addresses(url) | {name: each for name, each in given.items() if name != "google_proxy"}

    @field_validator("data_dir", "google_ca_file")
    @classmethod
    def _whole_path(cls, value: Path | None) -> Path | None:
        """As seen from here: children, and whoever changes the directory, find the same."""
        if value is None:
            return None
        try:
            return value.expanduser().absolute()
        except RuntimeError:
            message = "must be a path; there is no home directory of such a user"
            raise ValueError(message) from None

    @field_validator("google_ca_file")
    @classmethod
    def _holds_certificates(cls, value: Path | None) -> Path | None:
        if value is not None:
            _see_certificates(value)
        return value

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

    @field_validator("listen", "flower_listen", "sandbox_listen")
    @classmethod
    def _is_host_and_port(cls, value: str) -> str:
        host_and_port(value)
        return value

    @field_validator("google_proxy")
    @classmethod
    def _is_proxy(cls, value: SecretStr | None) -> SecretStr | None:
        return None if value is None else SecretStr(proxy_address(value.get_secret_value()))

    @field_validator("public_url")
    @classmethod
    def _is_whole_origin(cls, value: str | None) -> str | None:
        return None if value is None else whole_origin(value)

    @field_validator("vault_keys", mode="before")
    @classmethod
    def _parse_vault_keys(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(parse_vault_key(part) for part in value.split(","))

    @field_validator("application_name")
    @classmethod
    def _is_one_line(cls, value: str | None) -> str | None:
        if value is not None and not value.strip().isprintable():
            message = "must be one line of printable text"
            raise ValueError(message)
        return value.strip() if value is not None else None

    @field_validator("deployment_key")
    @classmethod
    def _is_public_half(cls, value: str | None) -> str | None:
        if value is not None:
            parse_public(value)
        return value

    @field_validator("return_urls", mode="before")
    @classmethod
    def _parse_return_urls(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        given = tuple(part.strip() for part in value.split(",") if part.strip())
        if any(split_web_address(each) is None for each in given):
            message = "each must be the beginning of an https:// address (http:// only of this machine)"
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

    @field_validator("redis_memory_max", mode="before")
    @classmethod
    def _parse_bytes(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = re.fullmatch(r"([0-9]+)([kmg]?)", value.strip().lower())
        if found is None:
            message = "must be a number of bytes, with k, m or g behind it for more"
            raise ValueError(message)
        return int(found[1]) * {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}[found[2]]

    @field_validator(
        "google_auth_url",
        "google_token_url",
        "google_revoke_url",
        "google_userinfo_url",
        "google_x509_url",
        "gmail_url",
        "google_console_url",
        "google_admin_url",
        "sandbox_url",
    )
    @classmethod
    def _is_web_address(cls, value: str | None) -> str | None:
        if value is not None:
            web_address(value)
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
        if len(password) < LEAST_PASSWORD:
            message = f"must be `user:password`, the password with {LEAST_PASSWORD} characters at least"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _lease_covers_a_send(self) -> Self:
        least = self.send_window_seconds + self.http_timeout_seconds + SETTLE_SECONDS
        if self.lease_seconds < least:
            message = (
                f"{PREFIX}LEASE_SECONDS={self.lease_seconds:g} is too short: a send may take the send window "
                f"({self.send_window_seconds:g} s) and the HTTP time-out ({self.http_timeout_seconds:g} s), "
                f"and settling it {SETTLE_SECONDS} s more. Set at least {least:g}, or shorten the other two."
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _resend_waits_for_the_lease(self) -> Self:
        least = self.lease_seconds + 60
        if self.resend_seconds is not None and self.resend_seconds < least:
            message = (
                f"{PREFIX}RESEND_SECONDS={self.resend_seconds:g} is too short: what a worker still knows must be said first. "
                f"Set at least {least:g}: {PREFIX}LEASE_SECONDS and a minute."
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _records_outlive_what_a_repair_needs(self) -> Self:
        if self.record_days is not None and self.record_days < self.dedupe_days:
            message = (
                f"{PREFIX}RECORD_DAYS={self.record_days} is too short: a Redis that was lost is made anew from the record. "
                f"Set at least {PREFIX}DEDUPE_DAYS, which is {self.dedupe_days}."
            )
            raise ValueError(message)
        return self

    @property
    def resend_after(self) -> float:
        """After how many seconds what nobody can look up is sent once more, where a rule says so."""
        return self.resend_seconds or max(120, self.lease_seconds + 60)

    @property
    def base_url(self) -> str:
        """The gateway's address as browsers and clients reach it."""
        return (self.public_url or f"http://{self.listen}").rstrip("/")

    @property
    def proxy(self) -> str | None:
        """The proxy to Google, its password with it."""
        return None if self.google_proxy is None else self.google_proxy.get_secret_value()

    @property
    def callback_url(self) -> str:
        """Where Google sends an administrator back to; it must be registered with our OAuth client exactly so."""
        return self.base_url + "/oauth/google/callback"

    @property
    def consoles(self) -> Consoles:
        """Google's consoles, for links to the very page."""
        return Consoles(self.google_console_url, self.google_admin_url)

    @classmethod
    def from_env(cls, **overrides: Any) -> Settings:
        """Read the environment, where what is blank counts as not set; raises SettingsError naming the variable that is wrong or misspelt.

        In the sandbox's own data directory, what that keeps goes before the environment.
        """
        alike, _ = misspelt(_names(), _known())
        if alike:
            meant = (
                f"{PREFIX}{name} is unknown: did you mean {PREFIX}{each}?" for name, each in alike.items()
            )
            raise SettingsError(
                "invalid_settings", " ".join(meant), "Correct the name, or take it out, and run again."
            )
        given = {name: os.environ.get(PREFIX + name.upper(), "").strip() for name in cls.model_fields}
        told = {name: value for name, value in given.items() if value}
        try:
            found = cls(**(told | overrides))
            kept = {n: value for n, value in settings_of(found.data_dir).items() if n in cls.model_fields}
            return cls(**(told | kept | overrides)) if kept else found
        except ValidationError as error:
            raise SettingsError(
                "invalid_settings", explain(error, PREFIX), "Correct the variable and run again."
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


def unknown_names() -> tuple[str, ...]:
    """The variables with our prefix that are no settings, nor like one: of another version, or somebody else's."""
    return tuple(f"{PREFIX}{name}" for name in misspelt(_names(), _known())[1])


def proxies_of_others() -> tuple[str, ...]:
    """The variables that name a proxy for whoever goes by them, which certmail does not."""
    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    return tuple(name for name in names if os.environ.get(name))


def _names() -> list[str]:
    return [name.removeprefix(PREFIX) for name in os.environ if name.startswith(PREFIX)]


def _known() -> list[str]:
    return [name.upper() for name in Settings.model_fields]


def _see_certificates(path: Path) -> None:
    """Raises ValueError unless OpenSSL finds certificates in a file."""
    import ssl  # noqa: PLC0415 - commands that are to be quick have no need of it

    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        message = "must be a PEM file with certificates"
        raise ValueError(message) from None
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise ValueError(message) from None


__all__ = ["PREFIX", "Settings", "default_data_dir", "parse_vault_key", "proxies_of_others", "unknown_names"]
