import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_worker.compose.links import safe_link


@pytest.mark.parametrize(
    ("text", "url", "host"),
    [
        (
            "https://iga.acme.example/r/1?a=b&c=%20#top",
            "https://iga.acme.example/r/1?a=b&c=%20#top",
            "iga.acme.example",
        ),
        (" http://IGA.acme.example:8443 ", "http://iga.acme.example:8443", "iga.acme.example"),
        ("HTTPS://acme.example/ü/é", "https://acme.example/%C3%BC/%C3%A9", "acme.example"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ('https://acme.example/"><script>', "https://acme.example/%22%3E%3Cscript%3E", "acme.example"),
        ("https://10.1.2.3/x", "https://10.1.2.3/x", "10.1.2.3"),
    ],
)
def test_a_web_address_is_kept_with_its_host_in_plain_sight(text: str, url: str, host: str) -> None:
    link = safe_link(text)
    assert link is not None
    assert (link.url, link.host) == (url, host)


@pytest.mark.parametrize(
    "text",
    [
        None, "", " ", "iga.acme.example/r/1", "javascript:alert(1)", "JaVaScRiPt://acme.example/%0aalert(1)",
        "data:text/html,x", "ftp://acme.example/", "mailto:a@b.example", "file:///etc/passwd", "//acme.example/",
        "https://", "https:///path", "https:acme.example", "https://acme.example@evil.example/", "https://a:b@c.example/",
        "https://acme.example/a b", "https://acme.example/\r\nX: y", "https://acme.example\\@evil.example/", "https://a..b/",
        "https://acme.example:99999/", "https://acme.example:x/", "https://[::1", "https://\u202eacme.example/",
        "https://acme_internal!/", "https://acme.example/\u200b",
    ],
)  # fmt: skip
def test_anything_else_is_left_out(text: str | None) -> None:
    assert safe_link(text) is None


@settings(deadline=None)
@given(
    st.one_of(st.text(), st.text().map("https://{}".format), st.text().map("https://acme.example/{}".format))
)
def test_whatever_is_kept_is_plain_ascii_of_the_web(text: str) -> None:
    link = safe_link(text)
    if link is not None:
        assert re.fullmatch(r"https?://[a-z0-9.-]+[!#-;=?-_a-z~]*", link.url)
        assert str(link) == link.url
