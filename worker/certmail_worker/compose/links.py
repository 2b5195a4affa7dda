"""Decides which links a reminder may carry, and how they are written."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

# Everything a URL may hold besides letters and digits; the rest (quotes, angle brackets, non-ASCII) is percent-encoded.
_URL_CHARACTERS = "%/?#[]@!$&'()*+,;=:-._~"
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Link:
    """A web address in three parts, so that a page can show its host in full and make it stand out."""

    before: str
    host: str
    after: str

    @property
    def url(self) -> str:
        """The whole address in ASCII, without spaces, quotes or angle brackets."""
        return self.before + self.host + self.after

    def __str__(self) -> str:
        """Read as the address itself."""
        return self.url


def safe_link(text: str | None) -> Link | None:
    """The link if it is plainly a web address, else nothing.

    Left out: other schemes (`javascript:` and the like), addresses with blanks or control characters inside,
    addresses with a user name in front of the host, which exist to make one host look like another, and hosts
    that are not names. A host in another script is written in its ASCII form for the same reason.
    """
    address = (text or "").strip()
    if not address or any(c.isspace() or not c.isprintable() or c == "\\" for c in address):
        return None
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:  # UnicodeError, too: no valid host or port
        return None
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    after = address.split("://", 1)[1][len(parts.netloc) :]
    return Link(f"{parts.scheme}://", host, quote(port + after, safe=_URL_CHARACTERS))
