"""Where a browser may be sent: compared part by part, so that no look-alike passes."""

from __future__ import annotations

import pytest

from certmail_config.base.urls import is_below, origin, split_web_address


@pytest.mark.parametrize(
    "address",
    [
        "http://app.example.com/",
        "//app.example.com/",
        "/settings",
        "javascript:alert(1)",
        "data:text/html,x",
        "https:app.example.com",
        "https://",
        "https://user@app.example.com/",
        "https://app.example.com@evil.example/",
        "https://app.example.com\\@evil.example/",
        "https://app.example.com/\r\nSet-Cookie: x=1",
        "https://app.example.com/ x",
        "https://app.example.com/#part",
        "https://app.example.com/a/../b",
        "https://app.example.com/a/%2e%2E/b",
        "https://app.example.com:port/",
        "https://[::1",
        "https://äpp.example.com/",
        "https://0x7f.1/",
        "https://app..example.com/",
        "https://app.example.com:25/",
        "https://app%2eexample.com/",
        "",
    ],
)
def test_what_is_no_plain_https_address_is_none(address: str) -> None:
    assert split_web_address(address) is None


@pytest.mark.parametrize(
    "address",
    ["http://localhost:3000/x", "http://127.0.0.1:8000", "http://[::1]/", "https://a.example?b=c"],
)
def test_this_machine_needs_no_certificate(address: str) -> None:
    assert split_web_address(address) is not None


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://app.example.com/settings", "https://app.example.com/settings"),
        ("https://app.example.com/settings/mail?tab=2", "https://app.example.com/settings/"),
        ("https://APP.example.com:443/x", "https://app.example.com"),
        ("https://app.example.com", "https://app.example.com/"),
    ],
)
def test_what_is_allowed_and_what_lies_below_it(address: str, allowed: str) -> None:
    assert is_below(address, allowed)


@pytest.mark.parametrize(
    "address",
    [
        "https://app.example.com/settings-of-mine",
        "https://app.example.com/",
        "https://app.example.com.evil.example/settings",
        "https://evil.example/settings",
        "https://app.example.com:8443/settings",
        "http://app.example.com/settings",
        "https://app.example.com@evil.example/settings",
        "https://evil.example/?https://app.example.com/settings",
    ],
)
def test_what_only_looks_like_it_is_not_allowed(address: str) -> None:
    assert not is_below(address, "https://app.example.com/settings")


def test_an_origin_is_written_as_browsers_do() -> None:
    assert origin("https://App.example.com:443/x?y") == "https://app.example.com"
    assert origin("http://127.0.0.1:8080/console") == "http://127.0.0.1:8080"
    assert origin("http://[::1]:8080/") == "http://[::1]:8080"
