"""The customer's own look: a value that a letter is composed with. The default is certmail's."""

from typing import Final, NamedTuple


class Picture(NamedTuple):
    """A picture from the customer's own site; no mail needs it to be understood."""

    url: str
    alt: str
    height: int = 32


class Look(NamedTuple):
    """What may be a customer's own; what is None is as it always is.

    Whoever makes one has checked it: colours are `#rrggbb` that can be read, the URL is allowed.
    """

    name: str | None = None
    """What stands above the card; else the organisation."""
    display_name: str | None = None
    """The sender's name; else the organisation."""
    colour: str | None = None
    """Of button, label and bar."""
    colour_in_the_dark: str | None = None
    logo: Picture | None = None
    footer: tuple[str, ...] = ()
    """Lines under certmail's own, such as a postal address."""
    calendar: bool = False
    """Whether its due dates come along as a file for a calendar."""


PLAIN: Final = Look()
