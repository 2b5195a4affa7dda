"""Which language a mail will be in, and why it is another than was asked for."""

from __future__ import annotations

import pytest

from certmail_config.jobs.languages import DEFAULT, LANGUAGES, language_of, why_another


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de", "de"), ("de-CH", "de"), ("DE_at.UTF-8", "de"), ("de@euro", "de"), ("deu", "de"), ("ger-DE", "de"), ("fre-CA", "fr"), ("fra", "fr"),
        ("es-419", "es"), ("ja-JP", "ja"), ("pl", "pl"), ("eng-GB", "en"), ("pt-BR", "pt"), ("zh", "zh"), ("zh-Hans-TW", "zh"), ("chi_CN", "zh"), ("iw", "he"), ("ar-EG", "ar"), (None, "en"), ("", "en"),
    ],
)  # fmt: skip
def test_a_language_that_there_is_gives_no_reason_to_say_anything(
    locale: str | None, language: str
) -> None:
    assert (language_of(locale), why_another(locale)) == (language, None)


@pytest.mark.parametrize("locale", ["sv", "xx-YY", "zh-TW", "zh-Hant-HK", "gsw", "und", "mo"])
def test_a_language_that_there_is_not_is_said_with_those_that_there_are(locale: str) -> None:
    said = why_another(locale)
    assert language_of(locale) == DEFAULT
    assert said is not None
    assert repr(locale) in said
    assert all(language in said for language in LANGUAGES)


@pytest.mark.parametrize(
    ("locale", "tenants", "language", "said"),
    [
        ("pt-BR", "de", "pt", None),
        ("pt", "de", "pt", None),
        ("sv", "de-CH", "de", "it will be in 'de'"),
        ("sv", "pt-BR", "pt", "it will be in 'pt'"),
        ("sv", None, "en", "it will be in 'en'"),
        ("sv", "gsw", "en", "it will be in 'en'"),
        (None, "de", "de", None),
        ("", "de", "de", None),
        (None, None, "en", None),
    ],
)
def test_the_tenants_language_stands_before_english(
    locale: str | None, tenants: str | None, language: str, said: str | None
) -> None:
    assert language_of(locale, tenants) == language
    why = why_another(locale, tenants)
    assert (said is None) == (why is None)
    assert (said or "") in (why or "")
