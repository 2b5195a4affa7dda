"""Names that are written from right to left.

The sentence around them stays in its order, wherever it is read.
"""

import re
from collections.abc import Callable
from email.message import EmailMessage
from html import unescape

import pytest

from certmail_config.compose import Letter, Mail, compose

Make = Callable[..., Letter]
Parse = Callable[[Mail], EmailMessage]
Body = Callable[[EmailMessage, str], str]

LRM = "\u200e"
HEBREW, ARABIC = "סקירת הרשאות", "مراجعة الصلاحيات"


@pytest.mark.parametrize("campaign", [HEBREW, ARABIC, f"{HEBREW} Q4", "Q4 סקירה"])
def test_what_stands_behind_such_a_name_stays_behind_it(
    letter: Make, parsed: Parse, body: Body, campaign: str
) -> None:
    mail = compose(letter(campaign_name=campaign, organisation=campaign, name=campaign))
    text = body(parsed(mail), "plain")
    assert mail.subject == f"Reminder: {LRM}{campaign}{LRM} · 12 open · due 11 December"
    assert len(re.findall(campaign, text)) == len(re.findall(f"{LRM}{campaign}{LRM}", text)) == 4
    # A line that begins with the name is still a line from left to right.
    assert not re.search(f"(?m)^{campaign}", text)


@pytest.mark.parametrize(
    ("campaign", "marked"),
    [
        (HEBREW, f"{LRM}{HEBREW}{LRM}"),
        (ARABIC, f"{LRM}{ARABIC}{LRM}"),
        (f"{HEBREW} Q4", f'<span dir="rtl">{HEBREW} Q4</span>{LRM}'),
        (f"{HEBREW}!", f'<span dir="rtl">{HEBREW}!</span>{LRM}'),
        ("Q4 סקירה", f'<span dir="ltr">Q4 סקירה</span>{LRM}'),
    ],
)
def test_a_page_says_the_names_direction_in_a_way_that_mail_programs_know(
    letter: Make, parsed: Parse, body: Body, campaign: str, marked: str
) -> None:
    html = body(
        parsed(compose(letter(campaign_name=campaign, organisation=campaign, name=campaign))),
        "html",
    )
    page = re.sub("<title>.*</title>", "", html)
    assert page.count(campaign) == page.count(marked) == 5
    assert "<bdi" not in html


def test_other_names_are_written_as_they_are(letter: Make, parsed: Parse, body: Body) -> None:
    for name in ("María López", "山田太郎", "Ольга", "O'Brien & Sons"):
        mail = compose(letter(campaign_name=name, organisation=name, name=name))
        message = parsed(mail)
        for read in (mail.subject, body(message, "plain"), unescape(body(message, "html"))):
            assert name in read
            assert LRM not in read
            assert "<bdi" not in read
            assert "<span dir" not in read
