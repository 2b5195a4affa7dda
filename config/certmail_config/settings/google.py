"""Google: its addresses, or a sandbox in its place, and the way there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from certmail_config.google.consoles import Consoles
from certmail_config.settings.forms import proxy_address
from certmail_config.settings.sandbox import sandbox_addresses
from certmail_config.settings.section import Part, WebAddress, WholePath


def _see_certificates(path: Path) -> Path:
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
    return path


CertificateFile = Annotated[WholePath, AfterValidator(_see_certificates)]


class GoogleSettings(Part):
    """Where Google is reached, or a sandbox that plays it, and through what."""

    sandbox_url: WebAddress | None = Field(
        None,
        description="Address of a sandbox that plays Google (`certmail sandbox` prints it): every address of Google's that is not set leads "
        "there, and the console says that no mail leaves. For trying out only.",
    )
    google_auth_url: WebAddress = Field(
        "https://accounts.google.com/o/oauth2/v2/auth", description="Google's consent page."
    )
    google_token_url: WebAddress = Field(
        "https://oauth2.googleapis.com/token", description="Token endpoint."
    )
    google_revoke_url: WebAddress = Field(
        "https://oauth2.googleapis.com/revoke", description="Where tokens are revoked."
    )
    google_userinfo_url: WebAddress = Field(
        "https://openidconnect.googleapis.com/v1/userinfo",
        description="Whose account a token is for.",
    )
    google_x509_url: WebAddress = Field(
        "https://www.googleapis.com/service_accounts/v1/metadata/x509/",
        description="Public certificates of service accounts; the account's email is appended.",
    )
    google_certs_url: WebAddress = Field(
        "https://www.googleapis.com/oauth2/v1/certs",
        description="The public keys with which Google signs who signed in.",
    )
    gmail_url: WebAddress = Field(
        "https://gmail.googleapis.com", description="Root of the Gmail API."
    )
    google_console_url: WebAddress = Field(
        "https://console.cloud.google.com",
        description="Google's Cloud console, which set-up pages lead to; a sandbox has a stand-in.",
    )
    google_admin_url: WebAddress = Field(
        "https://admin.google.com", description="Google's Admin console, likewise."
    )
    google_ca_file: CertificateFile | None = Field(
        None,
        description="PEM file of certificate authorities to trust for Google's addresses, and for an https:// GOOGLE_PROXY, instead of the "
        "system's.",
    )
    google_proxy: SecretStr | None = Field(
        None,
        description="The proxy that Google is reached through, and nothing else: http:// or https://, with user:password@ if it asks for "
        "them (percent-encoded); it must allow CONNECT to Google's hosts. Unset: none, whatever HTTPS_PROXY says.",
    )

    @model_validator(mode="before")
    @classmethod
    def _lead_to_the_sandbox(cls, given: dict[str, Any]) -> dict[str, Any]:
        url = given.get("sandbox_url")
        if not isinstance(url, str) or not url:
            return given
        # No proxy stands between this machine and itself.
        return sandbox_addresses(url) | {
            name: each for name, each in given.items() if name != "google_proxy"
        }

    @field_validator("google_proxy")
    @classmethod
    def _is_proxy(cls, value: SecretStr | None) -> SecretStr | None:
        return None if value is None else SecretStr(proxy_address(value.get_secret_value()))

    @property
    def proxy(self) -> str | None:
        """The proxy to Google, its password with it."""
        return None if self.google_proxy is None else self.google_proxy.get_secret_value()

    @property
    def consoles(self) -> Consoles:
        """Google's consoles, for links to the very page."""
        return Consoles(self.google_console_url, self.google_admin_url)
