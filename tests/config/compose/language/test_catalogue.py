import re
from importlib.resources import files
from string import Formatter

import pytest
from babel import Locale, localedata

from certmail_config.compose.language.catalogue import catalogue, languages
from certmail_config.jobs.languages import LANGUAGES as TOLD
from certmail_config.jobs.languages import language_of

LANGUAGES = sorted(languages())


def words_of(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_there_are_the_languages_that_producers_are_told_of() -> None:
    assert tuple(LANGUAGES) == TOLD


@pytest.mark.parametrize(
    "locale", [*localedata.locale_identifiers(), "deu", "ger-AT", "und-DE", "xx-YY", "i-default"]
)
def test_a_mail_is_in_the_language_that_its_receipt_said(locale: str) -> None:
    assert catalogue(locale).locale.language == language_of(locale)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_the_keys_values_and_plural_forms_that_it_needs(language: str) -> None:
    english, texts = catalogue("en").texts, catalogue(language).texts
    assert texts.keys() == english.keys()
    needed = {*Locale(language).plural_form.tags, "other"}
    for key, forms in texts.items():
        assert len(forms) == 1 if len(english[key]) == 1 else forms.keys() == needed
        for form, pattern in forms.items():
            expected = words_of(english[key]["other"].text)
            # "The one decision" may do without the figure, and a dual as well.
            may_lack = ({"count"}, {"pending"}) if form in {"one", "two"} else ()
            allowed = [expected, *(expected - each for each in may_lack)]
            assert words_of(pattern.text) in allowed, (key, form)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_clean_text(language: str) -> None:
    source = (files("certmail_config.templates") / "catalogues" / f"{language}.toml").read_text(
        "utf-8"
    )
    assert "\t" not in source

    for forms in catalogue(language).texts.values():
        for pattern in forms.values():
            assert pattern.text == pattern.text.strip()
            assert pattern.in_text(", A") == (
                ", A" if language not in {"ar", "he"} else "\u2068, A\u2069"
            )
            assert "  " not in pattern.text
            assert "<" not in pattern.text
            assert not re.search(r"\{organisation\}\.", pattern.text), (
                "Acme Inc. brings its own full stop"
            )


@pytest.mark.parametrize(
    ("language", "number", "sentence"),
    [
        ("pl", 1, "1 decyzja do podjęcia"),
        ("pl", 2, "2 decyzje do podjęcia"),
        ("pl", 5, "5 decyzji do podjęcia"),
        ("pl", 12, "12 decyzji do podjęcia"),
        ("pl", 22, "22 decyzje do podjęcia"),
        ("pl", 25, "25 decyzji do podjęcia"),
        ("pl", 112, "112 decyzji do podjęcia"),
        ("en", 1, "1 decision open"),
        ("en", 2, "2 decisions open"),
        ("en-IN", 123456, "1,23,456 decisions open"),
        ("fr", 0, "0 décision à prendre"),
        ("fr", 1, "1 décision à prendre"),
        ("fr", 2, "2 décisions à prendre"),
        ("de", 1234, "1.234 Entscheidungen offen"),
        ("de-CH", 1234, "1\u2019234 Entscheidungen offen"),
        ("es", 1, "1 decisión pendiente"),
        ("es", 1_000_000, "1.000.000 de decisiones pendientes"),
        ("pt-BR", 1, "1 decisão pendente"),
        ("pt-BR", 12, "12 decisões pendentes"),
        ("it", 1, "1 decisione da prendere"),
        ("it", 12, "12 decisioni da prendere"),
        ("it", 1_000_000, "1.000.000 di decisioni da prendere"),
        ("nl", 1, "1 beslissing open"),
        ("nl", 12, "12 beslissingen open"),
        ("ja", 1, "未判断1件"),
        ("zh-Hans", 12, "12项待决定"),
        ("ar", 1, "قرار واحد معلّق"),
        ("ar", 2, "قراران معلّقان"),
        ("ar", 3, "3 قرارات معلّقة"),
        ("ar", 10, "10 قرارات معلّقة"),
        ("ar", 11, "11 قرارًا معلّقًا"),
        ("ar", 99, "99 قرارًا معلّقًا"),
        ("ar", 100, "100 قرار معلّق"),
        ("ar", 103, "103 قرارات معلّقة"),
        ("he", 1, "החלטה אחת ממתינה"),
        ("he", 2, "שתי החלטות ממתינות"),
        ("he", 3, "3 החלטות ממתינות"),
        ("he", 20, "20 החלטות ממתינות"),
    ],
)
def test_a_number_gets_its_plural_form(language: str, number: int, sentence: str) -> None:
    assert str(catalogue(language).count("progress.open", number)) == sentence


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("de-CH", "de_CH"), ("de_CH", "de_CH"), ("de_DE.UTF-8", "de_DE"), ("de_DE@euro", "de_DE"), ("DE-at", "de_AT"),
        ("de-CH-1996", "de_CH"), ("de-CH-u-ca-gregory", "de_CH"), ("de-XX", "de"), ("en-GB", "en_GB"), ("en-001", "en_001"),
        (" fr-CA ", "fr_CA"), ("es-419", "es_419"), ("pl", "pl"), ("ja-JP", "ja_JP"),
        ("it-IT", "it_IT"), ("pt-BR", "pt_BR"), ("pt-PT", "pt_PT"), ("zh-Hans-CN", "zh_Hans_CN"), ("zh-CN", "zh_Hans_CN"), ("zh-TW", "en"),
        ("zh-Hant", "en"), ("iw", "he_IL"), ("he", "he"), ("ar-EG", "ar_EG"), ("sv-SE", "en"), ("zz-ZZ", "en"), ("x-klingon", "en"), ("", "en"), (None, "en"), ("-", "en"), ("../../etc", "en"),
        ("de\0", "en"), ("é", "en"), ("a" * 5000, "en"), ("-" * 500, "en"),
    ],
)  # fmt: skip
def test_a_locale_falls_back_to_its_language_and_then_to_english(
    tag: str | None, found: str
) -> None:
    chosen = catalogue(tag)
    assert str(chosen.locale) == found
    language = catalogue(found.split("_", maxsplit=1)[0])
    assert chosen.texts["reminder.label"] == language.texts["reminder.label"]
    assert chosen.texts.keys() == language.texts.keys()


@pytest.mark.parametrize(
    ("reviewers", "tenants", "found"),
    [
        # The reviewer's own country, else its language, else the tenant's, else English.
        ("pt-BR", "de-CH", "pt-BR"),
        ("pt-XX", "de-CH", "pt"),
        ("sv-SE", "de-CH", "de-CH"),
        ("sv-SE", "de-XX", "de"),
        ("sv-SE", "pt-BR", "pt-BR"),
        ("zh-TW", "ja", "ja"),
        (None, "de-CH", "de-CH"),
        ("", "he", "he"),
        ("sv-SE", None, "en"),
        ("sv-SE", "nn-NO", "en"),
        (None, None, "en"),
    ],
)
def test_the_tenants_default_stands_between_the_reviewers_language_and_english(
    reviewers: str | None, tenants: str | None, found: str
) -> None:
    assert catalogue(reviewers, tenants).tag == found


@pytest.mark.parametrize("country", ["de-CH", "fr-CA"])
def test_a_country_says_only_what_it_writes_otherwise(country: str) -> None:
    language, own = catalogue(country[:2]).texts, catalogue(country).texts
    source = (files("certmail_config.templates") / "catalogues" / f"{country}.toml").read_text(
        "utf-8"
    )
    differ = [key for key in language if own[key] != language[key]]
    assert len(differ) == len(re.findall("(?m)^[a-z_]+ = ", source))
    for key in differ:
        assert words_of(own[key]["other"].text) == words_of(language[key]["other"].text)


def test_a_country_without_texts_of_its_own_may_write_as_another_does() -> None:
    assert catalogue("de-LI").texts == catalogue("de-CH").texts != catalogue("de-AT").texts
