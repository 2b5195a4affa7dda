"""What a native editor asked for in each language.

Single sentences, and rules that hold in every mail.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from certmail_config.compose import Letter, Mail, Review, compose
from support.data.own_blocks import says

Make = Callable[..., Letter]
Parse = Callable[[Mail], EmailMessage]
Body = Callable[[EmailMessage, str], str]
Reading = Callable[..., str]

NB = "\u00a0"
DUE = datetime(2026, 12, 11, 16, 0, tzinfo=UTC)
# From the day before it is due to a week after; the reviewer's clock stands at noon.
TOMORROW, TODAY, MISSED, YESTERDAY, WEEK = (
    datetime(2026, 12, day, hour, tzinfo=UTC)
    for day, hour in [(10, 11), (11, 11), (11, 17), (12, 11), (18, 11)]
)
LATER = datetime(2026, 12, 8, 11, tzinfo=UTC)
STATES: dict[str, dict[str, Any]] = {
    "open": {"now": LATER},
    "one open": {"now": LATER, "pending": 1, "completed": 19},
    "only the open known": {"now": LATER, "completed": None},
    "only the made known": {"now": LATER, "pending": None},
    "tomorrow": {"now": TOMORROW},
    "today": {"now": TODAY},
    "missed today": {"now": MISSED},
    "missed yesterday": {"now": YESTERDAY},
    "missed a week ago": {"now": WEEK},
    "all made": {"now": LATER, "pending": 0, "completed": 20},
    "one made": {"now": LATER, "pending": 0, "completed": 1},
    "none": {
        "pending": None,
        "completed": None,
        "due_at": None,
        "campaign_name": None,
        "link": None,
        "name": None,
    },
    "many": {"now": LATER, "pending": 123_456, "completed": 1_000_000},
    "the first": {"now": LATER, "due_at": datetime(2027, 1, 1, 16, tzinfo=UTC)},
}
KINDS = ["notice", "reminder", "final", "overdue", "escalation", "digest"]
NEEDED: dict[str, dict[str, Any]] = {
    "escalation": {"about": "Ben Ray", "times_reminded": 2},
    "digest": {"reviews": (Review("Payroll", DUE, 12, 8), Review("SAP"))},
}
"""Without these such a letter is none."""


@pytest.fixture
def reading(letter: Make, parsed: Parse, body: Body) -> Reading:
    """Subject and text of a mail, as its reader reads them."""

    def read(**changes: Any) -> str:
        mail = compose(letter(**{"now": LATER, **changes}))
        text = body(parsed(mail), "plain").replace("\r\n", "\n")
        return f"{mail.subject}\n\n{text}"

    return read


def readings(reading: Reading, locale: str) -> Iterator[tuple[str, str, str]]:
    """Every kind in every state."""
    for kind in KINDS:
        for state, changes in STATES.items():
            needed = NEEDED.get(kind, {})
            yield kind, state, reading(kind=kind, locale=locale, **changes, **needed)


@pytest.mark.parametrize(
    ("locale", "changes", "sentence"),
    [
        ("en", {}, "\nYou are receiving this email because Acme Corporation has named you as a reviewer.\n"),
        ("en", STATES["missed today"], " \u2013 was due today\n"),
        ("en", STATES["one made"], "\nYour decision is made ("),
        ("en", STATES["none"], "\nPlease make your decisions in the system that Acme Corporation uses for access reviews.\n"),
        ("en", {"kind": "final", "campaign_name": None}, "\nThis is the last reminder. Before the review ends, Acme Corporation needs you to decide"),
        ("de", {"kind": "final"}, "\nGuten Tag María López,\n\ndies ist die letzte Erinnerung an die Zugriffsprüfung „"),
        ("de", {"kind": "final", "campaign_name": None}, "\n\ndies ist die letzte Erinnerung. Bis"),
        ("de", STATES["missed yesterday"], "\n\ndie Frist für die Zugriffsprüfung „Quarterly access review Q4 2026“ ist abgelaufen, und Acme"),
        ("de", {**STATES["missed yesterday"], "campaign_name": None}, "\n\ndie Frist ist abgelaufen, und Acme Corporation braucht"),
        ("de", STATES["missed yesterday"], "\nFrist: Freitag, 11. Dezember 2026 um\u00a017:00\u00a0Uhr (Mitteleuropäische Zeit) \u2013 gestern abgelaufen\n"),
        ("de", {"kind": "notice"}, " und bittet Sie, zu entscheiden, wer seine Zugriffsrechte behält.\n"),
        ("de", STATES["only the made known"], "\nBisher 8 Entscheidungen getroffen\n"),
        ("de", STATES["one made"], "\nIhre Entscheidung ist getroffen ("),
        ("de", {}, "\n12 Zugriffe warten auf Ihre Entscheidung\n"),
        ("de", STATES["one open"], "\n1 Zugriff wartet auf Ihre Entscheidung\n"),
        ("de-CH", {"kind": "notice"}, "\nGuten Tag María López\n\nAcme Corporation hat die Zugriffsprüfung «Quarterly access review Q4 2026» gestartet"),
        ("de-CH", {"kind": "final"}, "\n\nDies ist die letzte Erinnerung an"),
        ("de-CH", {"kind": "final"}, "\nPrüfung abschliessen: https://"),
        ("fr", {}, "\nVous recevez ce message car Acme Corporation vous a confié cette revue.\n"),
        ("fr", {"kind": "final", **STATES["today"]}, "\nVotre revue des accès arrive à échéance aujourd’hui\n"),
        ("fr", {"kind": "final", **STATES["tomorrow"]}, "\nVotre revue des accès arrive à échéance demain\n"),
        ("fr", STATES["missed today"], " \u2013 l’échéance était aujourd’hui\n"),
        ("fr", STATES["missed yesterday"], " \u2013 l’échéance était hier\n"),
        ("fr", STATES["missed yesterday"], "» est passée, et Acme Corporation vous demande"),
        ("fr", {**STATES["missed yesterday"], "campaign_name": None}, "\nL’échéance est passée, et Acme Corporation vous demande"),
        ("fr", {}, f"\n12 décisions à prendre sur 20 (avancement{NB}: 40{NB}%)\n"),
        ("fr", STATES["one open"], "\n1 décision à prendre sur 20 ("),
        ("fr", STATES["the first"], "\nÉchéance\u00a0: vendredi 1er janvier 2027 à\u00a017:00 ("),
        ("fr", STATES["the first"], " · échéance le 1er janvier 2027\n"),
        ("fr-CA", STATES["the first"], "vendredi 1er janvier 2027 à\u00a017"),
        ("fr", {}, f"\nDes questions{NB}? Écrivez à iga-help@acme.example\n"),
        ("fr-CA", {}, "\nDes questions? Écrivez à iga-help@acme.example\n"),
        ("es", STATES["missed today"], " \u2013 venció hoy\n"),
        ("es", STATES["missed yesterday"], " \u2013 venció ayer\n"),
        ("es", STATES["missed a week ago"], " \u2013 venció hace 7 días\n"),
        ("es", {}, "\n¿Tiene alguna duda? Escriba a iga-help@acme.example\n"),
        ("es", {**STATES["all made"], "completed": 1_000_000}, "\nTodas las decisiones (1.000.000) están tomadas ("),
        ("es", STATES["one made"], "\nSu decisión está tomada ("),
        ("es", {}, f"\n12 decisiones pendientes de un total de 20 (40{NB}% completado)\n"),
        ("es", STATES["one open"], "\n1 decisión pendiente de un total de 20 ("),
        ("pl", {}, "\nTa wiadomość została wysłana, ponieważ Acme Corporation prosi o\u00a0udział w\u00a0przeglądzie.\n"),
        ("pl", {"name": None}, "\nDzień dobry!\n"),
        ("pl", {}, "\nDzień dobry, María López!\n"),
        ("pl", STATES["missed today"], " \u2013 termin minął dziś\n"),
        ("pl", STATES["missed yesterday"], " \u2013 termin minął wczoraj\n"),
        ("pl", STATES["missed a week ago"], " \u2013 7 dni po terminie\n"),
        ("pl", {}, " (ukończono 40%)\n"),
        ("pl", {}, "\nTermin: piątek, 11 grudnia 2026, godz.\u00a017:00 ("),
        ("ja", {"pending": None}, "\nアクセスレビューへのご対応をお待ちしています\n"),
        ("ja", {}, "\nアクセス権12件のご判断をお待ちしています\n"),
        ("ja", {}, "\n20件中12件が未判断\uff0840%完了\uff09\n"),
        ("ja", {}, " · 未判断12件 · "),
        ("ja", {}, " 17:00\uff08中央ヨーロッパ時間\uff09、あと3日\n"),
        ("ja", STATES["missed today"], "、本日が期限でした\n"),
        ("ja", STATES["missed yesterday"], "、昨日が期限でした\n"),
        ("ja", STATES["missed a week ago"], "、7日超過\n"),
        ("ja", {}, "\nこのメールは自動送信されています。\n"),
        ("pt-BR", {}, "\nPrazo: sexta-feira, 11 de dezembro de 2026, às\u00a017:00 (horário da Europa Central)"),
        ("pt-BR", STATES["the first"], "\nPrazo: sexta-feira, 1º de janeiro de 2027, às\u00a017:00 (horário da Europa Central)"),
        ("pt-BR", {"kind": "notice"}, " e pede que você decida quem mantém seu acesso.\n"),
        ("it", STATES["the first"], "\nScadenza: venerdì 1º gennaio 2027, ore\u00a017:00 (ora dell’Europa centrale)"),
        ("it", {"kind": "final"}, "\n\nquesto è l’ultimo promemoria per la revisione degli accessi «"),
        ("it", STATES["missed a week ago"], " \u2013 scaduta da 7 giorni\n"),
        ("nl", {}, "\n12 beslissingen wachten op u\n"),
        ("nl", {}, " nog op uw beslissing over wie toegang behoudt.\n"),
        ("nl", {}, "\nDeadline: vrijdag 11 december 2026 om\u00a017:00\u00a0uur ("),
        ("pl", {"kind": "notice", "campaign_name": None}, "Rozpoczął się przegląd uprawnień\n"),
        ("zh", {}, " · 12项待决定 · 12月11日截止\n"),
        ("zh", {}, "日星期五 17:00\uff08中欧时间\uff09"),
        ("zh", STATES["today"], " · 今天截止\n"),
        ("ar", {}, "\n12 قرار صلاحيات بانتظاركم\n"),
        ("ar", {"pending": 3}, "\n3 قرارات صلاحيات بانتظاركم\n"),
        ("he", STATES["today"], " · היום המועד האחרון\n"),
        ("he", STATES["one open"], " אחת מתוך 20 ממתינה ("),
    ],
)  # fmt: skip
def test_a_sentence_reads_as_a_native_editor_wrote_it(
    reading: Reading, locale: str, changes: dict[str, Any], sentence: str
) -> None:
    assert sentence in reading(locale=locale, **changes)


@pytest.mark.parametrize(
    ("locales", "never"),
    [
        (["de-CH", "de-LI"], "[ß„“”]"),
        (["de"], r"\bTermin|bittet Sie zu|[«»]"),
        (
            ["fr"],
            r"\u202f|[^\u00a0 ][:;?!»](?= |\n)| [:;?!»]|«[^\u00a0]|\b1 (?:décembre|janvier)|, et vous",
        ),
        (["fr-CA"], r"\u202f|[\u00a0 ][?!;]|[^\u00a0 ][:»](?= |\n)| [:»]|«[^\u00a0]|\b1 janvier"),
        (["es", "es-MX"], "revisi(?:ón|ones) de acceso\\b|desde (?:hoy|ayer)"),
        (["nl"], r"\b\d uur|\bzijn toegang|toegangsbesliss|[“”«»]"),
        (["it"], r"[“”]|\btuo\b|\b1 gennaio"),
        (["pt"], r"[«»]|\bteu\b|\b1 de janeiro"),
        (["zh"], r"[\u4e00-\u9fff] \d(?!\d?:)|\d [\u4e00-\u9fff]|[()「」\u2013\u200b]|升级"),
        (["ar"], r"[,?;](?!\d)|[“”]|قرار وصول"),
        (["he"], r"[«»“]|עד היום"),
        (["pl"], r"\b(?:[aiouwzAIOUWZ]|godz\.) |\bCię\b|Otrzymujesz|proszę|po terminie od"),
        (
            ["ja"],
            r"[\u3040-\u30ff\u4e00-\u9fff] \d(?!\d?:)|\d[\d,]* [\u3040-\u30ff\u4e00-\u9fff]|[()\u2013\u200b]",
        ),
    ],
)
def test_no_mail_in_that_language_has_what_its_editor_struck_out(
    reading: Reading, locales: list[str], never: str
) -> None:
    for locale in locales:
        for kind, state, read in readings(reading, locale):
            assert not (found := re.search(never, read)), (locale, kind, state, found)


@pytest.mark.parametrize("locale", ["de", "de-CH", "en", "es", "fr", "fr-CA", "pl", "ja"])
def test_where_nothing_but_the_request_is_known_the_list_of_mails_shows_a_whole_sentence(
    letter: Make, parsed: Parse, body: Body, locale: str
) -> None:
    for kind in KINDS:
        html = body(
            parsed(
                compose(
                    letter(
                        locale=locale,
                        kind=kind,
                        **{**STATES["none"], "organisation": "ACME"},
                        **NEEDED.get(kind, {}),
                    )
                )
            ),
            "html",
        )
        [shown] = re.findall(r'<div class="preheader"[^>]*>([^<]+)<', html)
        assert not shown[0].islower(), shown


@pytest.mark.parametrize("locale", ["ja", "zh"])
def test_a_headline_without_blanks_breaks_only_between_phrases(
    letter: Make, parsed: Parse, body: Body, locale: str
) -> None:
    for kind in KINDS:
        for changes in STATES.values():
            made = letter(locale=locale, kind=kind, **changes, **NEEDED.get(kind, {}))
            opened, headline = _headline(body(parsed(compose(made)), "html"))
            assert len(headline) > 6
            assert all(len(phrase) < 16 for phrase in headline.split("\u200b")), headline
            assert "word-break:keep-all" in opened.replace(" ", "")


def test_a_headline_that_a_customer_wrote_breaks_wherever_it_must(
    letter: Make, parsed: Parse, body: Body
) -> None:
    # It says nowhere that it may, and in Gmail and Outlook nothing else would break it.
    title = "重要なお知らせ" * 20
    custom = letter(locale="ja", kind="custom", own_subject=title, own_text="本文です。")
    for mail in (compose(custom), compose(letter(locale="ja"), own=says({"headline": title}))):
        opened, headline = _headline(body(parsed(mail), "html"))
        assert headline == title
        assert "keep-all" not in opened


def _headline(html: str) -> tuple[str, str]:
    [(opened, headline)] = re.findall(r"(<h1[^>]*>)(.+)</h1>", html)
    return opened, re.sub(r"<[^>]+>", "", headline)
