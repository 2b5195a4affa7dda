"""The spam judge itself: what it reads, and that it scores what Gmail would deliver."""

from email import message_from_bytes
from email.policy import default

from spam.letters import KINDS, locales, samples
from spam.scores import delivered, read


def test_every_kind_in_every_language_is_among_the_mails_that_are_scored() -> None:
    seen = {(mail.locale, mail.kind) for mail in samples()}
    assert {(locale, kind) for locale in locales() for kind in KINDS} < seen
    assert {"en", "de-CH", "fr-CA", "ja"} < set(locales())


def test_a_mail_is_scored_with_what_gmail_puts_into_it() -> None:
    mail = next(samples())
    message = message_from_bytes(delivered(mail.raw), policy=default)
    assert len(message.get_all("Received") or []) == 3
    assert str(message["Message-ID"]).endswith("@mail.gmail.com>")
    assert message["X-Certmail-Id"] == mail.job
    assert not message.defects


def test_points_are_read_by_job_since_mails_come_back_in_no_order() -> None:
    answer = (
        "X-Spam-Certmail: HTML_MESSAGE=0.001,\n\tMIME_QP_LONG_LINE=0.001\nSubject: x\nX-Certmail-Id: 7\n\nbody\n\n"
        "From a\nX-Spam-Certmail: NO_RELAYS=-0.001\nX-Certmail-Id: 3\n\nX-Spam: none\n"
    )
    assert read(answer) == {
        "7": {"HTML_MESSAGE": 0.001, "MIME_QP_LONG_LINE": 0.001},
        "3": {"NO_RELAYS": -0.001},
    }
