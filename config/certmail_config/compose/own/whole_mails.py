"""What is wrong with whole mails in a tenant's words and look, seen when they are published.

`templates.checks` judges each block for itself; here each kind in each language is composed, with as
little, as much and as odd as it may be given, and read as others would read it.
"""

import re
from collections.abc import Collection, Iterator
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import default
from itertools import product
from typing import Final

from certmail_config.compose.content import content
from certmail_config.compose.letter import ComposeError
from certmail_config.compose.look import Look
from certmail_config.compose.own.client_hints import hints_of_brand, hints_of_words
from certmail_config.compose.own.tenant_words import TenantWords, read_words
from certmail_config.compose.samples.letters import SampleSize, sample_letter
from certmail_config.compose.samples.of_tenant import SampleSender, letter_of, mail_of
from certmail_config.jobs.languages import DEFAULT
from certmail_config.templates.blocks import KINDS
from certmail_config.templates.checks import check
from certmail_config.templates.colours import ENOUGH, ON_DARK, ON_LIGHT, contrast
from certmail_config.templates.documents import Document
from certmail_config.templates.findings import Finding, fault, faults_of, hint

CLIPPED: Final = 102_000
"""Of a page that is longer Gmail shows the beginning."""
MOST_LOCALES: Final = 16
"""All languages and some countries; of whoever publishes more so many are looked at."""
_TAG: Final = re.compile(r"<(?!!)/?([a-zA-Z][a-zA-Z0-9]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
_ELEMENTS: Final = frozenset({
    "html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td", "p", "h1",
    "span", "a", "b", "br",
})  # fmt: skip
_LOADS: Final = re.compile(
    r"\b(?:src|srcset|background|poster)\s*=|url\s*\(|@import", re.IGNORECASE
)


def all_findings(document: Document, logo_hosts: Collection[str]) -> list[Finding]:
    """What is wrong with each block, and where nothing is, with whole mails; and what is worth knowing."""
    found = check(document, logo_hosts)
    if not faults_of(found):
        found += whole_mails(document, logo_hosts)
    return found


def whole_mails(document: Document, logo_hosts: Collection[str]) -> list[Finding]:
    """What is wrong with the mails of a document whose blocks have no faults."""
    words = read_words(0, document.written().encode(), (), logo_hosts)
    if not words.used:
        return []

    locales = sorted({*document.texts, document.locale or DEFAULT})
    found = [*hints_of_brand(document.brand), *low_contrast(words.brand)]
    if len(locales) > MOST_LOCALES:
        found.append(hint("texts", f"whole mails were looked at in {MOST_LOCALES} languages only."))
    for locale, kind in product(locales[:MOST_LOCALES], KINDS):
        for sample in SampleSize:
            found += _mail(words, locale, kind, sample)

    found += [
        fault(place, f"in a whole mail it fails: {why}") for place, why in words.failed.items()
    ]
    return list(dict.fromkeys(found))


def low_contrast(brand: Look) -> Iterator[Finding]:
    """Colours that could not be read on what they lie on."""
    for colour, grounds in ((brand.colour, ON_LIGHT), (brand.colour_in_the_dark, ON_DARK)):
        worst = (
            min((contrast(colour, each) for each in grounds), default=ENOUGH) if colour else ENOUGH
        )
        if worst < ENOUGH:
            yield fault("brand/colour", f"{colour} has a contrast of {worst:.1f}:1 only.")


def _mail(words: TenantWords, locale: str, kind: str, sample: str) -> Iterator[Finding]:
    place, of = f"{locale}/{kind}", f"with the sample `{sample}` the whole mail"
    known = sample_letter(kind, locale, sample)
    sender = SampleSender(known.organisation, reply_to=known.reply_to or "")
    letter = letter_of(sender, words, kind, locale, sample)
    try:
        mail = mail_of(letter, words)
        message = message_from_bytes(mail.raw, policy=default)
        page = _page(message)
    except (ComposeError, MessageError, ValueError, LookupError) as error:
        yield fault(place, f"{of} cannot be written: {error}")
        return

    if message.defects or message["Subject"] != mail.subject or page is None:
        yield fault(place, f"{of} is not read as it was written.")
        return
    if (size := len(page.encode())) > CLIPPED:
        yield fault(place, f"{of} has a page of {size:,} bytes; Gmail clips at {CLIPPED:,}.")
    if why := strange(page, words.brand):
        yield fault(place, f"{of} {why}.")
    if sample == SampleSize.RICH:
        blocks = words.blocks(letter, content(letter))
        said = {name: [line.value for line in lines] for name, lines in blocks.items()}
        yield from hints_of_words(place, said)


def strange(page: str, brand: Look) -> str | None:
    """What a page has that no mail of certmail's does: an element of its own, or something to load."""
    rest = _without_logo(page, brand)
    for name, inside in _TAG.findall(rest):
        if name.lower() not in _ELEMENTS:
            return f"has an element `{name[:20]}` of its own"
        if _LOADS.search(inside):
            return "loads something from elsewhere"
    styles = "".join(re.findall(r"<style>(.*?)</style>", rest, re.DOTALL))
    return "loads something from elsewhere" if _LOADS.search(styles) else None


def _without_logo(page: str, brand: Look) -> str:
    """The page without the one picture that it may have."""
    if brand.logo is None:
        return page
    logo = re.compile(rf'<img src="{re.escape(_escaped(brand.logo.url))}"[^<>]*>')
    return logo.sub("", page, count=1)


def _escaped(url: str) -> str:
    return url.replace("&", "&amp;").replace("'", "&#39;")


def _page(message: EmailMessage) -> str | None:
    part, text = message.get_body(("html",)), message.get_body(("plain",))
    if part is None or text is None or part.defects or text.defects:
        return None
    return str(part.get_content())
