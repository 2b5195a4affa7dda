from collections.abc import Callable
from email.message import EmailMessage

import pytest

from certmail_config.compose import ComposeError, Letter, Mail, compose
from support.data.link_hosts import CASES

Make = Callable[..., Letter]
Parse = Callable[[Mail], EmailMessage]
Body = Callable[[EmailMessage, str], str]


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://straße.example/r/7", "https://xn--strae-oqa.example/r/7"),
        ("https://iga_test.acme.example/r/7", "https://iga_test.acme.example/r/7"),
        ("https://acme.example./r/7", "https://acme.example./r/7"),
        ("https://[2001:db8::1]:8443/r/7", "https://[2001:db8::1]:8443/r/7"),
        ("https://acme.example/r/7?a=b&c=d", "https://acme.example/r/7?a=b&amp;c=d"),
    ],
)
def test_the_button_and_the_text_lead_where_the_link_means(
    letter: Make, parsed: Parse, body: Body, link: str, url: str
) -> None:
    message = parsed(compose(letter(link=link)))
    assert f'href="{url}"' in body(message, "html")
    assert url.replace("&amp;", "&") in body(message, "plain").replace("\r\n", "")


REFUSED = list(
    {case.kind: case.link for case in CASES if case.meant is None and case.link.strip()}.items()
)


@pytest.mark.parametrize(("kind", "link"), REFUSED, ids=[kind for kind, _ in REFUSED])
def test_a_link_that_no_mail_can_carry_is_not_left_out_in_silence(
    letter: Make, kind: str, link: str
) -> None:
    with pytest.raises(ComposeError, match="No mail can carry its link: ") as raised:
        compose(letter(link=link))
    assert link not in str(raised.value)


@pytest.mark.parametrize("link", [None, "", " "])
def test_without_a_link_the_mail_says_where_to_go_instead(
    letter: Make, parsed: Parse, body: Body, link: str | None
) -> None:
    assert "<a " not in body(parsed(compose(letter(link=link))), "html")
