"""What certmail is told, and what lies between it and Google."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

from certmail_config.base.foreign_variables import were_taken_out
from certmail_config.base.urls import split_web_address
from certmail_config.settings import Settings, proxies_of_others, unknown_names
from certmail_config.settings.sandbox import is_sandbox
from certmail_config.stores.connect import hide_password
from certmail_worker.doctor.checks.findings import Finding, Severity
from certmail_worker.google.http import exchange, new_session
from certmail_worker.google.responses import Answer, Answered

GOOGLE = (
    "google_auth_url",
    "google_token_url",
    "google_revoke_url",
    "google_userinfo_url",
    "google_x509_url",
    "gmail_url",
    "google_console_url",
    "google_admin_url",
)
LISTENING = ("listen", "flower_listen", "sandbox_listen")


def environment() -> Iterator[Finding]:
    """Variables that somebody may believe certmail goes by."""
    if names := were_taken_out():
        message = f"Set for somebody else, and not followed: {', '.join(names)}."
        remedy = "If it was meant for certmail: CERTMAIL_REDIS_URL says where the broker is, CERTMAIL_DATABASE_URL where the record is."
        yield Finding("environment", Severity.WARNING, message, remedy)

    if unknown := unknown_names():
        message = f"No settings of this version, and without effect: {', '.join(unknown)}."
        yield Finding(
            "settings unknown",
            Severity.WARNING,
            message,
            "See docs/settings.md for those that there are.",
        )


def recipients(settings: Settings) -> Iterator[Finding]:
    """Whether only some may get mail."""
    if settings.only_to:
        yield Finding(
            "recipients",
            Severity.WARNING,
            f"CERTMAIL_ONLY_TO is {settings.only_to}: nobody else gets mail from workers that have it.",
            "Unless it is for trying out, leave it unset.",
        )


def gateway(settings: Settings) -> Iterator[Finding]:
    """Whether passwords and set-up links would cross a network in the clear."""
    if settings.public_url is not None and split_web_address(settings.public_url) is None:
        yield Finding(
            "console",
            Severity.WARNING,
            f"Browsers reach the console by {settings.public_url}: passwords, cookies and set-up links are not encrypted on their way.",
            "Put TLS in front of the gateway and set CERTMAIL_PUBLIC_URL to its https:// address.",
        )


def network(settings: Settings) -> Iterator[Finding]:
    """Whether tokens and mails would cross a network in the clear.

    Or a page be open to all of it.
    """
    for name in GOOGLE:
        address = str(getattr(settings, name))
        if split_web_address(address) is None:
            yield Finding(
                "google",
                Severity.WARNING,
                f"CERTMAIL_{name.upper()} is {address}: secrets and mails are not encrypted on their way.",
                "Leave it unset, or set an https:// address.",
            )

    for name in LISTENING:
        host = str(getattr(settings, name)).rpartition(":")[0].strip("[]")
        if host in {"", "*", "0.0.0.0", "::"}:  # noqa: S104 - what is warned of
            yield Finding(
                "listen",
                Severity.WARNING,
                f"CERTMAIL_{name.upper()} is {getattr(settings, name)}: it answers on every network of this machine, without TLS.",
                "Set 127.0.0.1, or the one address that a proxy with TLS reaches it by.",
            )


def way_to_google(settings: Settings) -> Iterator[Finding]:
    """Whether Google is reached through the proxy.

    Or whether one is set that certmail does not use.
    """
    if settings.proxy is None:
        if names := proxies_of_others():
            message = f"{' and '.join(names)}: set, but certmail goes to Google directly."
            remedy = "If this machine reaches Google through a proxy only, name it in CERTMAIL_GOOGLE_PROXY."
            yield Finding("proxy", Severity.WARNING, message, remedy)
        return

    shown = hide_password(settings.proxy)
    answer = asyncio.run(_ask_google(settings))
    if isinstance(answer, Answered):
        yield Finding("proxy", Severity.OK, f"Google is reached through the proxy {shown}.")
    else:
        remedy = getattr(answer, "remedy", "") or "See the proxy's log, and CERTMAIL_GOOGLE_PROXY."
        yield Finding(
            "proxy", Severity.ERROR, f"Google is not reached through {shown}: {answer.why}.", remedy
        )


async def _ask_google(settings: Settings) -> Answer:
    """Ask for what changes nothing: any answer will do."""
    async with new_session(
        ca_file=settings.google_ca_file,
        timeout_seconds=settings.http_timeout_seconds,
        proxy=settings.proxy,
    ) as session:
        return await exchange(session, "GET", settings.google_userinfo_url)


def sandbox(settings: Settings) -> Iterator[Finding]:
    """That no mail leaves, where Google is played by the sandbox.

    That is as it should be in the sandbox's directory, and nowhere else.
    """
    if settings.sandbox_url is None:
        return

    message = f"Google is played by the sandbox at {settings.sandbox_url}: no mail leaves."
    if is_sandbox(settings.data_dir):
        yield Finding("sandbox", Severity.OK, message)
    else:
        remedy = "Unset CERTMAIL_SANDBOX_URL, unless this is for trying out."
        yield Finding("sandbox", Severity.WARNING, message, remedy)


CHECKS: Final = (recipients, gateway, network, way_to_google, sandbox)
"""What is asked of the settings, in the order in which it is shown."""
