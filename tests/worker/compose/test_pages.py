import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from certmail_worker.compose import ComposeError, Letter
from certmail_worker.compose.content import content
from certmail_worker.compose.pages import fill, html_page, styled, template

Make = Callable[..., Letter]
SOURCE = (files("certmail_worker.compose") / "templates" / "letter.html").read_text("utf-8")
JINJA = re.compile(r"{[{%].*?[%}]}")


def test_inlining_leaves_every_jinja_tag_where_it_stood() -> None:
    # A tag between rows would be moved in front of the table by the HTML parser, and guard nothing there.
    landmarks = re.compile(rf"{JINJA.pattern}|</?(?:table|tr|td|p|h1|a|div|span)\b")
    kept = [mark for mark in landmarks.findall(styled(SOURCE)) if "mso" not in mark]
    assert kept == landmarks.findall(SOURCE)


def test_styles_are_inline_and_only_media_queries_stay_rules(letter: Make) -> None:
    html = html_page(content(letter()))
    [rules] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert "prefers-color-scheme" in rules
    assert "max-width" in rules
    assert not re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", rules).strip()
    assert not re.findall(r'<(?:p|h1|td)(?: [^>]*)?class="(?!gutter)[^"]+"(?![^>]*style=)[^>]*>', html)


def test_every_class_of_the_page_has_a_rule_and_every_rule_a_class() -> None:
    css = (files("certmail_worker.compose") / "templates" / "letter.css").read_text("utf-8")
    used = {name for group in re.findall(r'class="([^"]+)"', SOURCE) for name in group.split()}
    ruled = set(re.findall(r"\.([a-z][a-z-]*)", re.sub(r"/\*.*?\*/|\{[^{}]*\}", "", css, flags=re.DOTALL)))
    assert used - {"@tone"} == ruled - {"calm", "soon", "late"}


def test_the_page_names_its_language_and_direction(letter: Make) -> None:
    assert '<html lang="de-CH" dir="ltr">' in html_page(content(letter(locale="de-CH")))
    assert '<html lang="en" dir="ltr">' in html_page(content(letter(locale="ar-EG")))


@pytest.mark.parametrize(
    ("pending", "completed", "width"), [(12, 8, "40%"), (0, 8, "100%"), (1, 999, "99%"), (5, 0, None)]
)
def test_the_bar_is_as_wide_as_the_progress(
    letter: Make, pending: int, completed: int, width: str | None
) -> None:
    html = html_page(content(letter(pending=pending, completed=completed)))
    bars = re.findall(r'<table class="bar"[^>]*width="(\d+%)"', html)
    assert bars == ([width] if width else [])
    assert html.count('class="track"') == 1


def test_the_host_of_the_link_stands_out_in_the_page(letter: Make) -> None:
    html = html_page(content(letter()))
    assert re.search(r"https://<b[^>]*>iga\.acme\.example</b>/campaigns/q4-2026/reviews/8f3a2c71</a>", html)


def test_without_a_link_there_is_no_button(letter: Make) -> None:
    assert "<a " not in html_page(content(letter(link="javascript:alert(1)")))


def test_an_overdue_page_looks_overdue(letter: Make) -> None:
    html = html_page(content(letter(now=datetime(2027, 1, 1, tzinfo=UTC))))
    assert 'class="label late"' in html
    assert "#a3271d" in html


@pytest.mark.parametrize(
    "source",
    ["{{ missing }}", "{{ name.__class__.__mro__ }}", "{{ 1 / 0 }}", "{{ name + 1 }}", "{{ name() }}"],
)
def test_a_template_that_fails_says_so_and_shows_nobody(source: str) -> None:
    with pytest.raises(ComposeError, match="template failed") as caught:
        fill(template(source, autoescape=True), {"name": "María"})
    assert "María" not in str(caught.value)
