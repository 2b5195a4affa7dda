"""Templates: every text can be translated, and no value is ever taken for HTML."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from certmail.gateway.console import texts
from certmail.gateway.console.rendering import curly, environment_for, language_of

CONSOLE = Path(str(files("certmail.gateway.console")))
ROOT = Path(__file__).parents[4]
TEMPLATES = sorted(path.name for path in (CONSOLE / "templates").iterdir())


def source(template: str) -> str:
    return (CONSOLE / "templates" / template).read_text("utf-8")


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_well_formed(template: str) -> None:
    environment_for("en").get_template(template)


@pytest.mark.parametrize("template", TEMPLATES)
def test_only_literals_are_translated_as_html(template: str) -> None:
    # The extension takes what it translates for HTML: a value must go through `say`, which is
    # escaped.
    assert not re.findall(r"(?<![A-Za-z])(?:_|gettext|ngettext)\((?!['\"])", source(template))


@pytest.mark.parametrize("template", TEMPLATES)
def test_nothing_is_inline_and_nothing_is_marked_as_safe(template: str) -> None:
    text = source(template)
    assert not re.search(r"\|\s*safe|autoescape false|Markup", text)
    assert not re.search(r"<[^>{]+\s(on[a-z]+|style)=", text)
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


def test_a_value_is_text_even_where_a_sentence_around_it_is_html() -> None:
    environment = environment_for("en")
    template = environment.from_string(
        "{% trans a=value %}<b>{{ a }}</b>{% endtrans %} {{ say(value) }}"
    )

    assert (
        template.render(value="<i>% %(x)s</i>")
        == "<b>&lt;i&gt;% %(x)s&lt;/i&gt;</b> &lt;i&gt;% %(x)s&lt;/i&gt;"
    )


def test_a_shared_sentence_has_the_consoles_apostrophe_and_an_address_keeps_its_own() -> None:
    text = "certmail's clock agrees with Google's of o's@acme.example."
    assert curly(text) == "certmail’s clock agrees with Google’s of o's@acme.example."
    assert (
        environment_for("en").from_string("{{ say(value) }}").render(value="the gateway's log")
        == "the gateway’s log"
    )


def test_the_catalogue_has_every_text(tmp_path: Path) -> None:
    # As `make messages` makes it.
    command = [
        sys.executable,
        "-m",
        "babel.messages.frontend",
        "-q",
        "extract",
        "-F",
        "pyproject.toml",
        "-k",
        "N_",
    ]

    command += [
        "--no-location",
        "--omit-header",
        "--sort-output",
        "-o",
        str(tmp_path / "messages.pot"),
        str(CONSOLE),
    ]

    subprocess.run(command, cwd=ROOT, check=True)
    made = (tmp_path / "messages.pot").read_text("utf-8")
    assert (CONSOLE / "locale" / "messages.pot").read_text("utf-8") == made, "run `make messages`"

    known = {message.id for message in read_po(io.BytesIO(made.encode()))}
    for text in (
        *texts.STEPS.values(),
        *texts.REMEDIES.values(),
        *texts.KINDS.values(),
        texts.NEXT,
    ):
        assert text in known


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_words_stand_outside_the_catalogue(template: str) -> None:
    text = re.sub(
        r"{% block (layout|state) %}.*?{% endblock %}", "", source(template), flags=re.DOTALL
    )
    text = re.sub(r"{%-?\s*trans.*?endtrans\s*-?%}", "", text, flags=re.DOTALL)
    text = re.sub(r"{#.*?#}|{{.*?}}|{%.*?%}", "", text, flags=re.DOTALL)
    text = re.sub(
        r"<title>.*?</title>|<svg.*?</svg>|<svg[^>]*>|<code>.*?</code>", "", text, flags=re.DOTALL
    )
    left = re.sub(r"<[^>]*>|&[a-z]+;", " ", text).split()

    assert [word for word in left if len(word) > 1 and word.isalpha() and word != "certmail"] == []


def test_a_translated_page_is_in_that_language() -> None:
    catalogue = Catalog(locale="de")
    catalogue.add("Sign in to certmail", "Bei certmail anmelden")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    environment = environment_for("de", Translations(compiled))
    values = {
        "form_token": "t",
        "wanted": "/console",
        "trouble": "",
        "minutes": 0,
        "closed": False,
        "name": "",
        "by_account": False,
        "by_password": True,
        "by_google": False,
        "visitor": None,
        "base": "/console",
    }

    page = environment.get_template("sign-in.html").render(language="de", **values)
    assert "Bei certmail anmelden" in page
    assert '<html lang="de">' in page
    assert environment.from_string("{{ say('') }}").render() == ""


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de-CH,de;q=0.9,en;q=0.5", "de"),
        ("fr;q=0.9, de;q=0.8", "de"),
        ("en;q=0.4, de;q=0.8", "de"),
        ("fr", "en"),
        ("de;q=x, en", "en"),
        (",;,", "en"),
    ],
)
def test_the_browsers_language_is_taken_where_we_have_it(accepted: str, language: str) -> None:
    assert language_of(accepted, frozenset({"en", "de"})) == language
