import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from certmail_config.compose import ComposeError, Letter
from certmail_config.compose.content import content
from certmail_config.compose.pages import fill, html_page, styled, template

Make = Callable[..., Letter]
SOURCE = (files("certmail_config.compose") / "templates" / "letter.html").read_text("utf-8")
JINJA = re.compile(r"{[{%].*?[%}]}")


def test_inlining_leaves_every_jinja_tag_where_it_stood() -> None:
    # A tag between rows would be moved in front of the table by the HTML parser, and guard nothing
    # there.
    landmarks = re.compile(rf"{JINJA.pattern}|</?(?:table|tr|td|p|h1|a|div|span)\b")
    kept = [mark for mark in landmarks.findall(styled(SOURCE)) if "mso" not in mark]
    assert kept == landmarks.findall(SOURCE)


def test_styles_are_inline_and_only_media_queries_stay_rules(letter: Make) -> None:
    html = html_page(content(letter()))
    [rules] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert "prefers-color-scheme" in rules
    assert "max-width" in rules
    assert not re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", rules).strip()
    assert not re.findall(
        r'<(?:p|h1|td)(?: [^>]*)?class="(?!gutter)[^"]+"(?![^>]*style=)[^>]*>', html
    )


def test_the_charset_is_said_where_it_is_looked_for(letter: Make) -> None:
    for locale in ("en", "ja"):
        assert (
            b'<meta charset="utf-8">' in html_page(content(letter(locale=locale))).encode()[:1024]
        )


def test_weights_are_those_that_every_font_has(letter: Make) -> None:
    assert set(re.findall(r"font-weight:\s*(\w+)", html_page(content(letter())))) == {"400", "700"}


def test_what_hides_the_preheader_is_no_trick_of_spammers(letter: Make) -> None:
    [style] = re.findall(r'class="preheader" style="([^"]*)"', html_page(content(letter())))
    assert {"display:none", "mso-hide:all"} <= set(style.split(";"))
    assert "color" not in style


class TestOutlook:
    """Outlook for Windows draws with Word.

    No padding of links, no margins of tables, no font that a cell is not told.
    """

    def test_the_buttons_padding_is_its_cells(self, letter: Make) -> None:
        html = html_page(content(letter()))
        [cell, link] = re.findall(r'class="button(?:-link)?"[^>]*style="([^"]*)"', html)
        assert "mso-padding-alt:14px 30px" in cell
        assert "padding:14px 30px" in link.split(";")

    def test_a_rule_is_the_border_of_a_cell_as_high_as_it_is_told(self, letter: Make) -> None:
        html = html_page(content(letter()))
        [rule] = re.findall(r'<td class="rule-cell"[^>]*style="([^"]*)"', html)
        assert "border-top:1px solid" in rule
        # Whatever holds nothing but a blank is as high as its line.
        for style in re.findall(r'<(?:td|p|div) class="[a-z-]+"[^>]*style="([^"]*)">&nbsp;<', html):
            lines = dict(each.split(":", 1) for each in style.split(";"))
            assert lines["mso-line-height-rule"] == "exactly"
            assert lines["line-height"].endswith("px")

    def test_every_cell_with_words_names_a_font_that_windows_has(self, letter: Make) -> None:
        html = html_page(content(letter()))
        for name in ("brand", "card", "facts-cell", "button", "footer"):
            [style] = re.findall(rf'<td class="{name}"[^>]*style="([^"]*)"', html)
            assert "font-family:'Segoe UI'," in style, name

    def test_no_table_relies_on_a_margin(self, letter: Make) -> None:
        for tag in re.findall(r"<table[^>]*>", html_page(content(letter()))):
            margin = re.search(r"margin:([^;\"]*)", tag)
            assert margin is None or margin[1] == "0 auto", tag


def test_every_class_of_the_page_has_a_rule_and_every_rule_a_class() -> None:
    css = (files("certmail_config.compose") / "templates" / "letter.css").read_text("utf-8")
    used = {name for group in re.findall(r'class="([^"]+)"', SOURCE) for name in group.split()}
    ruled = set(
        re.findall(r"\.([a-z][a-z-]*)", re.sub(r"/\*.*?\*/|\{[^{}]*\}", "", css, flags=re.DOTALL))
    )
    tones = {"@tone", "calm", "soon", "late"}
    assert used - tones == ruled - tones


def test_the_page_names_its_language_and_direction(letter: Make) -> None:
    assert '<html lang="de-CH" dir="ltr">' in html_page(content(letter(locale="de-CH")))
    assert '<html lang="ar-EG" dir="rtl">' in html_page(content(letter(locale="ar-EG")))
    assert '<html lang="zh-Hans" dir="ltr">' in html_page(content(letter(locale="zh")))
    # Mail programs show the body's content in a page of their own.
    assert re.search(
        r'<body[^>]*>\s*<div lang="de-CH" dir="ltr">', html_page(content(letter(locale="de-CH")))
    )


@pytest.mark.parametrize(
    ("pending", "completed", "width"),
    [(12, 8, "40%"), (0, 8, "100%"), (1, 999, "99%"), (5, 0, None)],
)
def test_the_bar_is_as_wide_as_the_progress(
    letter: Make, pending: int, completed: int, width: str | None
) -> None:
    html = html_page(content(letter(pending=pending, completed=completed)))
    bars = re.findall(r'width="(\d+%)"[^>]*><tbody><tr><td class="bar-cell"', html)
    assert bars == ([width] if width else [])
    assert html.count('class="track"') == len(bars), "an empty bar is no progress"


def test_the_host_of_the_link_stands_out_in_the_page(letter: Make) -> None:
    html = html_page(content(letter()))
    assert re.search(
        r"https://<b[^>]*>iga\.acme\.example</b>/campaigns/q4-2026/reviews/8f3a2c71</a>", html
    )


def test_without_a_link_there_is_no_button(letter: Make) -> None:
    assert "<a " not in html_page(content(letter(link=None)))


def test_an_overdue_page_looks_overdue(letter: Make) -> None:
    html = html_page(content(letter(now=datetime(2027, 1, 1, tzinfo=UTC))))
    assert 'class="label late"' in html
    assert "#a3271d" in html


@pytest.mark.parametrize(
    "source",
    [
        "{{ missing }}",
        "{{ name.__class__.__mro__ }}",
        "{{ 1 / 0 }}",
        "{{ name + 1 }}",
        "{{ name() }}",
    ],
)
def test_a_template_that_fails_says_so_and_shows_nobody(source: str) -> None:
    with pytest.raises(ComposeError, match="template failed") as caught:
        fill(template(source, autoescape=True), {"name": "María"})
    assert "María" not in str(caught.value)
