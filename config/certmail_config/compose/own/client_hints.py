"""Hints about what mail programs and spam filters make of a tenant's words and look.

In the manner of linters that know what each mail program shows (caniemail and its like), for what a
tenant can cause: all else of a mail is certmail's.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from certmail_config.templates.documents import Brand
from certmail_config.templates.findings import Finding, hint

_PICTURES: Final = {
    ".svg": "Gmail and Outlook show no SVG; PNG is shown everywhere.",
    ".webp": "Outlook for Windows shows no WebP; PNG is shown everywhere.",
    ".avif": "Gmail and Outlook show no AVIF; PNG is shown everywhere.",
}
_ANSWERS: Final = ("re:", "fw:", "fwd:", "aw:", "wg:", "tr:", "rv:")
_WIDE_BUTTON: Final = 32
"""Characters that stand beside each other on a phone's button."""
_SHOUTED: Final = 12
_LINES: Final = ("ask", "footer")


def hints_of_brand(brand: Brand) -> Iterator[Finding]:
    """What mail programs make of its look."""
    if brand.logo is not None:
        path = brand.logo.url.partition("?")[0].partition("#")[0].lower()
        for end, said in _PICTURES.items():
            if path.endswith(end):
                yield hint("brand/logo/url", said)


def hints_of_words(place: str, blocks: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """What they make of the words that stand in a usual mail, by block and line; `place` is of its kind."""
    subject = "".join(blocks.get("subject", ()))
    if subject.lower().startswith(_ANSWERS):
        yield hint(
            f"{place}/subject", "it begins as an answer does: spam filters count that as a trick."
        )
    if len(subject) >= _SHOUTED and subject.isupper():
        yield hint(f"{place}/subject", "it is all in capitals, which spam filters count.")

    button = "".join(blocks.get("button", ()))
    if len(button) > _WIDE_BUTTON:
        yield hint(
            f"{place}/button",
            f"on a phone a button of {len(button)} characters takes two lines; {_WIDE_BUTTON} fit.",
        )

    for block in _LINES:
        for line in blocks.get(block, ()):
            if line.startswith(">"):
                yield hint(
                    f"{place}/{block}",
                    "a line that begins with `>` is a quotation in the text part.",
                )
            elif line == "--":
                yield hint(
                    f"{place}/{block}",
                    "what stands under a line of `--` is hidden by mail programs, as a signature.",
                )
