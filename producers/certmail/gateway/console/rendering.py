"""Rendering of pages, in the browser's language; whatever is a value is escaped."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from aiohttp import hdrs, web
from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations
from jinja2 import Environment, PackageLoader, StrictUndefined

from certmail.gateway.console import times
from certmail.gateway.console.application import LOGO, Application
from certmail.gateway.console.navigation import NAVIGATION

_PACKAGE: Final = "certmail.gateway.console"
LOCALES: Final = files(_PACKAGE) / "locale"
"""Compiled catalogues, `<language>/LC_MESSAGES/messages.mo`; English needs none."""
_ENGLISH: Final = "en"
_TYPES: Final = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "editor.js": "text/javascript",
    "live.js": "text/javascript",
    "mark.svg": "image/svg+xml",
}
_VISIT: Final = re.compile(r" Enable it by visiting https?://\S+(?: then retry)?\.?")
NOBODY: Final = Application()
APPLICATION: web.AppKey[Application] = web.AppKey("application", Application)
SANDBOX: web.AppKey[str] = web.AppKey("sandbox", str)
"""Where the sandbox is that plays Google; empty where Google is Google."""


class Pages:
    """The templates, in each language that a browser asks for."""

    def __init__(self, application: Application = NOBODY) -> None:
        self._application = application

    def render(
        self, request: web.Request, template: str, values: Mapping[str, Any], *, status: int = 200
    ) -> web.Response:
        """A page as the answer to a request."""
        language = language_of(request.headers.get("Accept-Language", ""), languages())
        page = _environment(language, self._application).get_template(template)

        text = page.render(
            language=language,
            sandbox=request.app.get(SANDBOX, ""),
            path=request.path,
            # What a form was answered with has no address to be looked at again.
            asked_for=request.method == hdrs.METH_GET,
            **values,
        )
        return web.Response(text=text, content_type="text/html", status=status)


@lru_cache(maxsize=64)
def _environment(language: str, application: Application) -> Environment:
    # Of a process, not of one application: compiling a page costs ten times its rendering.
    return environment_for(language, application=application)


def environment_for(
    language: str,
    translations: NullTranslations | None = None,
    *,
    application: Application = NOBODY,
) -> Environment:
    """The templates in one language."""
    environment = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    found = translations or (
        NullTranslations() if language == _ENGLISH else Translations.load(str(LOCALES), [language])
    )
    environment.install_gettext_translations(found, newstyle=True)  # type: ignore[attr-defined]  # of the extension

    environment.filters["day"] = lambda value: times.day(value, language)
    environment.filters["moment"] = lambda value: times.moment(value, language)
    environment.filters["language_name"] = lambda tag: language_name(tag, language)
    environment.filters["second"] = lambda value: times.second(value, language)
    environment.filters["utc_day"] = lambda value: times.utc_day(value, language)
    environment.filters["number"] = lambda value: format_decimal(value, locale=language)
    environment.globals["static"] = static_url
    environment.globals["application"] = application
    environment.globals["navigation"] = NAVIGATION

    # For what is no literal of a template: the extension's own functions would take its text for
    # HTML. And of nothing a catalogue says its own header.
    environment.globals["say"] = lambda text: (
        times.marked(curly(found.gettext(text)), language) if text else ""
    )

    environment.filters["without_addresses"] = without_addresses
    environment.filters["curly"] = lambda text: times.marked(curly(text), language)

    return environment


def language_of(accepted: str, known: frozenset[str]) -> str:
    """The first language that a browser asks for and we have; English otherwise."""
    weighed = []

    for part in accepted[:200].split(","):
        tag, _, options = part.strip().partition(";")
        quality = options.strip().removeprefix("q=") if options else "1"
        try:
            weighed.append((-float(quality), tag.partition("-")[0].lower()))
        except ValueError:
            continue

    return next(
        (language for _, language in sorted(weighed, key=lambda w: w[0]) if language in known),
        _ENGLISH,
    )


@cache
def languages() -> frozenset[str]:
    """English, and those that have a compiled catalogue."""
    if not LOCALES.is_dir():
        return frozenset({_ENGLISH})

    found = {
        folder.name
        for folder in LOCALES.iterdir()
        if (folder / "LC_MESSAGES" / "messages.mo").is_file()
    }
    return frozenset(found | {_ENGLISH})


def language_name(tag: str, language: str) -> str:
    """What a language is called in another; its tag, where nobody has a name for it."""
    try:
        return Locale.parse(tag, sep="-").get_display_name(language) or tag
    except (ValueError, UnknownLocaleError):
        return tag


def curly(text: str) -> str:
    """A sentence that is shared with the command line, with the console's own apostrophe.

    Addresses stay as they are.
    """
    return re.sub(r"(?<=[a-z])'s(?=[ ,;:]|\.(?: |$))", "’s", text)


def without_addresses(text: str) -> str:
    """Google's words without the page that they would have visited.

    Ours is the project's own, and stands beside it.
    """
    return _VISIT.sub("", text)


def static_url(name: str) -> str:
    """The address of a file of ours, which changes with its content."""
    return f"/console/static/{_static(name)[1]}/{name}"


async def static_file(request: web.Request) -> web.Response:
    """Stylesheet, script and mark; nothing secret, so anybody may have them and keep them."""
    name = request.match_info["name"]
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    logo = request.app[APPLICATION].logo
    if name == LOGO and logo is not None:
        return web.Response(body=logo.content, content_type=logo.type, headers=headers)
    if name not in _TYPES:
        raise web.HTTPNotFound

    return web.Response(
        body=_static(name)[0], content_type=_TYPES[name], charset="utf-8", headers=headers
    )


@cache
def _static(name: str) -> tuple[bytes, str]:
    content = (files(_PACKAGE) / "static" / name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]
