"""Links as others give them: which ones a mail may carry, and how they are written.

They are written so that a browser opens the host that is meant.

A browser reads an address leniently: `0x7f.1` is 127.0.0.1, a backslash a slash, ß another name
than ss (WHATWG URL, UTS 46 without transitional processing). So a host is written as browsers write
it, in ASCII; and where they would open another one than a person who reads the text expects, or
none, the link is refused, with the reason. Door and mail both ask here. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from unicodedata import bidirectional
from urllib.parse import quote

SCHEMA_PATTERN: Final = (
    r"^[Hh][Tt][Tt][Pp][Ss]?://(\[[0-9A-Fa-f:.]+\]|[^\s/?#\\@:%\[\]<>|^]+)(:[0-9]*)?([/?#].*)?$"
)
"""What a JSON Schema can say of it."""
LONGEST: Final = 2000
_PLAIN: Final = re.compile(
    r"(https?://)([A-Za-z0-9.-]+)((?:[/?#][A-Za-z0-9%/?#\[\]!$&'()*+,;=:\-._~@]*)?)"
)
"""Links as most are: there is nothing to write in another way but the host."""
_PARTS: Final = re.compile(r"(https?)://([^/?#]*)(.*)", re.IGNORECASE | re.ASCII)
_URL_CHARACTERS: Final = "%/?#[]@!$&'()*+,;=:-._~"
"""What a URL may hold besides letters and digits.

The rest (quotes, angle brackets, non-ASCII) is percent-encoded.
"""
_JOINERS: Final = "\u200c\u200d"
"""Nobody sees them either, but Persian and Hindi need them, in names of hosts too."""
_LABEL: Final = re.compile(r"[a-z0-9_-]+")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONGEST_LABEL: Final = 63
_LONGEST_HOST: Final = 253
_STANDARD_PORTS: Final = {"https": 443, "http": 80}
_CLOSED_PORTS: Final = frozenset(
    {
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
        102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389,
        427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636,
        989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665,
        6666, 6667, 6668, 6669, 6679, 6697, 10080,
    }
)  # fmt: skip
"""Of mail, shells and the like: browsers open nothing there (Fetch, "bad port")."""
_LETTERS: Final = {
    "disallowed_codepoint": "{character} stands in no name of a host",
    "uts46_disallowed": "{character} stands in no name of a host",
    "contextj": "{character} joins no letters where it stands in the host",
    "contexto": "{character} may not stand where it does in the host",
    "leading_combiner": "a part of the host begins with an accent",
    "hyphen_3_4": "a part of the host has two hyphens where only xn-- may have them",
    "hyphen_start_end": "a part of the host begins or ends with a hyphen",
    "invalid_alabel": "a part of the host that begins with xn-- is no encoded name",
    "non_canonical_alabel": "a part of the host that begins with xn-- is no encoded name",
    "label_too_long": "a part of the host is longer than 63 characters",
    "domain_too_long": "the host is longer than 253 characters",
    "input_too_long": "the host is longer than 253 characters",
}
"""What a name in letters of the world may not have, by the code of whoever looks."""
_DIRECTIONS: Final = (
    "the host mixes letters that are read from the left with letters that are read from the right"
)
_NO_NAME: Final = "the host mixes letters in a way that no name may"


@dataclass(frozen=True, slots=True)
class WebLink:
    """A web address in three parts.

    So a page can show its host in full and make it stand out.
    """

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


@dataclass(frozen=True, slots=True)
class NoLink:
    """Why a text is no link that a mail may carry; quotes one character of it at most."""

    why: str


@lru_cache(maxsize=16)
def read_link(text: str) -> WebLink | NoLink:
    """The link that a text is, as a mail writes it; each is asked for twice, to check and to write."""
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        host = _host(plain[2])
        return host if isinstance(host, NoLink) else WebLink(plain[1], host, plain[3])
    return read_odd_link(text)


def read_odd_link(text: str) -> WebLink | NoLink:
    """As `read_link`, with a look at all that may stand in a link."""
    address = text.strip()
    seen = address.isprintable() or all(each.isprintable() or each in _JOINERS for each in address)
    if not seen or " " in address:
        return NoLink("it holds a space, or a character that nobody sees")
    parts = _PARTS.fullmatch(address)
    if parts is None:
        return NoLink("it does not begin with https:// (or http://) and a host")
    scheme, authority, after = parts[1].lower(), parts[2], parts[3]

    if "\\" in authority or "\\" in re.split("[?#]", after, maxsplit=1)[0]:
        return NoLink("it holds a backslash, which browsers read as a slash")
    if "@" in authority:
        return NoLink("a user name stands in front of the host")
    host_text, port_text = _split(authority)
    host = _host(host_text)
    if isinstance(host, NoLink):
        return host
    port = _port(port_text, scheme)
    if isinstance(port, NoLink):
        return port

    return WebLink(f"{scheme}://", host, port + quote(after, safe=_URL_CHARACTERS))


def _split(authority: str) -> tuple[str, str]:
    """Host and port of an authority.

    Of several colons the last one is the port's, and those before it are the host's fault.
    """
    if authority.startswith("[") and authority.endswith("]"):
        return authority, ""
    host, colon, port = authority.rpartition(":")
    return (host, port) if colon else (authority, "")


def _port(text: str, scheme: str) -> str | NoLink:
    """A port as it is written behind the host; nothing for the scheme's standard port."""
    if not text:
        return ""
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > 65535:
        return NoLink("its port is no number up to 65535")
    port = int(text)
    if port in _CLOSED_PORTS:
        return NoLink(f"browsers open nothing at port {port}")
    return "" if port == _STANDARD_PORTS[scheme] else f":{port}"


@lru_cache(maxsize=1024)
def _host(text: str) -> str | NoLink:
    """The host as browsers write it; a deployment has few."""
    if not text:
        return NoLink("it has no host")
    if text.startswith("["):
        return _address_in_brackets(text)
    if any(each in text for each in "%:[]"):
        return NoLink("its host holds one of % : [ ]")
    # Of ASCII nothing but its case is mapped; and who has no name in another script need not load
    # their tables.
    try:
        mapped = text.lower() if text.isascii() else _mapped(text)
    except ValueError as error:
        return NoLink(_words(error))

    labels = mapped.removesuffix(".").split(".")
    if not all(labels):
        return NoLink("its host has a dot too many")
    if _NUMBER.fullmatch(labels[-1]):
        return _address(".".join(labels))
    return _name(labels, "." if mapped.endswith(".") else "")


def _name(labels: list[str], dot: str) -> str | NoLink:
    for label in labels:
        if label.isascii() and not _LABEL.fullmatch(label):
            odd = next(each for each in label if not _LABEL.fullmatch(each))
            return NoLink(f"{_named(odd)} stands in no name of a host")

    if any(_is_encoded(label) or not label.isascii() for label in labels):
        try:
            labels = _encoded(labels)
        except ValueError as error:
            return NoLink(_words(error))

    if any(len(each) > _LONGEST_LABEL for each in labels):
        return NoLink(_LETTERS["label_too_long"])

    host = ".".join(labels)
    return NoLink(_LETTERS["domain_too_long"]) if len(host) > _LONGEST_HOST else host + dot


def _mapped(text: str) -> str:
    """Raises idna.IDNAError, a ValueError."""
    import idna  # noqa: PLC0415

    return idna.uts46_remap(text, std3_rules=False)


def _encoded(labels: list[str]) -> list[str]:
    """The parts of a name of which some are in another script, or encoded, as ASCII.

    Raises idna.IDNAError, a ValueError.
    """
    import idna  # noqa: PLC0415

    plain = [label.isascii() and not _is_encoded(label) for label in labels]
    pairs = list(zip(labels, plain, strict=True))
    written = [label if is_plain else idna.alabel(label).decode() for label, is_plain in pairs]
    read = [label if is_plain else idna.ulabel(label) for label, is_plain in pairs]
    # Where one part is read from the right, all must be such that nobody takes one for another (RFC
    # 5893).
    if any(_from_the_right(label) for label in read):
        for label in read:
            idna.check_bidi(label, check_ltr=True)
    return written


def _is_encoded(label: str) -> bool:
    return label.startswith("xn--")


def _from_the_right(label: str) -> bool:
    return any(bidirectional(each) in {"R", "AL", "AN"} for each in label)


def _address(text: str) -> str | NoLink:
    """The host for a name that ends in a number: only a plain IP address is taken.

    Whatever ends in a number is an address to browsers, in forms that a person reads otherwise.
    """
    try:
        return str(IPv4Address(text))
    except ValueError:
        return NoLink("its host is a number, but not four from 0 to 255 with dots between")


def _address_in_brackets(text: str) -> str | NoLink:
    inside = text[1:-1]

    try:
        found = IPv6Address(inside) if text.endswith("]") and "%" not in inside else None
    except ValueError:
        found = None

    if found is None:
        return NoLink("what its host has in brackets is no IPv6 address")

    # Pythons write these in two ways, browsers in one.
    within = int(found.ipv4_mapped) if found.ipv4_mapped else None
    written = found.compressed if within is None else f"::ffff:{within >> 16:x}:{within & 0xFFFF:x}"
    return f"[{written}]"


def _words(error: Exception) -> str:
    code = str(getattr(error, "code", ""))
    words = _DIRECTIONS if code.startswith("bidi") else _LETTERS.get(code, _NO_NAME)
    codepoint = getattr(error, "codepoint", None)
    return words.format(
        character=_named(chr(codepoint)) if codepoint is not None else "a character"
    )


def _named(character: str) -> str:
    """A character so that it can be found, whether or not it can be seen."""
    point = f"U+{ord(character):04X}"
    return (
        f"{character} ({point})" if character.isprintable() and not character.isspace() else point
    )
