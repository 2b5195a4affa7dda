"""The proxy that Google is reached through (CERTMAIL_GOOGLE_PROXY), in words.

It says what the proxy's refusals mean, and who mends them.
"""

from __future__ import annotations

from dataclasses import dataclass

NAME = "CERTMAIL_GOOGLE_PROXY"


@dataclass(frozen=True, slots=True)
class ProxyTrouble:
    """Why Google was not reached through the proxy, and what to do.

    `refused`: it stays so until somebody changes something.
    """

    why: str
    remedy: str
    refused: bool


UNREACHABLE = ProxyTrouble(
    "the proxy cannot be reached",
    f"See whether it runs, and {NAME}; it is tried again.",
    refused=False,
)
SILENT = ProxyTrouble(
    "no answer in time from the proxy, or through it from Google",
    f"See whether the proxy runs ({NAME}) and reaches Google; it is tried again.",
    refused=False,
)
UNTRUSTED = ProxyTrouble(
    "the certificate that the proxy shows, or Google through it, is not trusted",
    "Put the proxy's certificate authority into CERTMAIL_GOOGLE_CA_FILE, beside those that Google uses.",
    refused=True,
)


def answered(status: int) -> ProxyTrouble:
    """What a proxy means that answers a CONNECT with anything but 200."""
    if status == 407:
        return ProxyTrouble(
            "the proxy asks for a user and password, or does not know those that it was given (HTTP 407)",
            f"Write them into {NAME}, as in http://user:password@host:port.",
            refused=True,
        )

    if status >= 500 or status == 429:
        return ProxyTrouble(
            f"the proxy does not reach Google (HTTP {status})",
            "See the proxy's log; it is tried again.",
            refused=False,
        )

    return ProxyTrouble(
        f"the proxy does not let certmail through to Google (HTTP {status})",
        f"Let the proxy allow CONNECT to Google's hosts, port 443, or see {NAME}.",
        refused=True,
    )
