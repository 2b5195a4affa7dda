"""Loads the two templates once, styles the HTML one, and fills them."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from css_inline import CSSInliner
from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from certmail_config.compose.content import Content
from certmail_config.compose.letter import ComposeError
from certmail_config.compose.look import Look

_FOLDER: Final = files(__package__) / "templates"
_TONE_MARK: Final = "@tone"
_COLOURS: Final = ("#0b6067", "#0f7078")
"""Those of `letter.css` that a brand replaces by its own; and in dark mode."""
_IN_THE_DARK: Final = ("#7fd1d1", "#4fb5b7")
# Outlook for Windows takes a direction from neither page nor div.
_BLOCKS: Final = re.compile("<(table|td|p|h1) ")
# What rules can do without.
_AIR: Final = re.compile(r"\s*([{}:;,])\s*|\s+(?=!)")
_RULES: Final = re.compile("(<style>.*?</style>)", re.DOTALL)


def text_page(content: Content) -> str:
    """The plain-text body."""
    return fill(_text_template(), content._asdict())


def html_page(content: Content) -> str:
    """The HTML body."""
    page = fill(_html_template(content.tone, content.direction), content._asdict())
    return _coloured(page, content.brand)


def _coloured(page: str, brand: Look) -> str:
    for colours, own in ((_COLOURS, brand.colour), (_IN_THE_DARK, brand.colour_in_the_dark)):
        for colour in colours if own else ():
            page = page.replace(colour, str(own))
    return page


def fill(template: Template, variables: Mapping[str, object]) -> str:
    """The template's text with these variables.

    Raises ComposeError if the template asks for something that is not there, or may not be had.
    """
    try:
        return template.render(variables)
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ComposeError(f"The mail's template failed: {type(error).__name__}.") from error


def template(source: str, *, autoescape: bool) -> Template:
    """A compiled template that can reach nothing but what it is given."""
    sandbox = SandboxedEnvironment(
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return sandbox.from_string(source)


@cache
def _text_template() -> Template:
    return template((_FOLDER / "letter.txt").read_text("utf-8"), autoescape=False)


@cache
def _html_template(tone: str, direction: str) -> Template:
    # One per tone and direction: rules are inlined here, once, when a class name that depends on
    # the letter could not be known.
    source = (_FOLDER / "letter.html").read_text("utf-8").replace(_TONE_MARK, tone)
    if direction == "rtl":
        source = _BLOCKS.sub(r'<\1 dir="rtl" ', source)
    return template(styled(source), autoescape=True)


def styled(source: str) -> str:
    """The template with `letter.css` in its style attributes.

    Only the media queries are left as rules.

    The inliner reads the template as HTML, so Jinja's own tags may stand only where HTML allows
    text: in cells and paragraphs, never between rows. It puts the rules in front of all else, where
    they push the charset out of the first 1,024 bytes; here they go to the end of the head.
    """
    css = (_FOLDER / "letter.css").read_text("utf-8")

    inlined = CSSInliner(
        extra_css=css, keep_at_rules=True, minify_css=True, load_remote_stylesheets=False
    ).inline(source)
    before, rules, after = _RULES.split(inlined)
    return (before + after).replace("</head>", _AIR.sub(r"\1", rules) + "\n</head>", 1)
