"""The link that a letter carries, read again before it is sent."""

from certmail_config.base.web_links import NoLink, WebLink, read_link
from certmail_config.compose.letter import ComposeError

__all__ = ["WebLink", "link_of"]


def link_of(text: str | None) -> WebLink | None:
    """The link of a letter, if it has one.

    Raises ComposeError for one that no mail can carry, as an older version may have taken in.
    Without it the mail would ask for what it does not lead to, and nobody would learn of it.
    """
    if text is None or not text.strip():
        return None

    found = read_link(text)
    if isinstance(found, NoLink):
        raise ComposeError(f"No mail can carry its link: {found.why}.")

    return found
