"""A mail is made of its letter and its tenant's words alone, whatever was composed before it.

The judge is the slow way: nothing is remembered, the templates are filled by Jinja, and the message
is the standard library's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import product
from typing import Any, Final

from certmail_config.compose import Letter, TenantWords, compose
from certmail_config.compose.content import content
from certmail_config.compose.own.blocks import dressed
from certmail_config.compose.own.tenant_words import read_words
from certmail_config.compose.pages import html_page, text_page
from certmail_config.compose.samples import SampleSize, sample_letter
from certmail_config.compose.voices import KINDS
from certmail_config.templates.documents import read_document
from support.data.caches import forget_letters
from support.data.email_message import judged

LOCALES: Final = ("en", "en-GB", "de-CH", "fr", "pl", "pt-BR", "ja", "zh", "ar", "he", None)
HOSTS: Final = frozenset({"static.example.com"})
ALL: Final = {
    "subject": "{word}: {{{{ organisation | short(20) }}}} {{% if pending > 1 %}}{{{{ pending }}}} "
    "{{{{ pending | plural(one='a', few='b', other='c') }}}}{{% else %}}%s{{% endif %}}",
    "headline": "{word} שלום {{{{ name | short(30) | default('you') }}}}",
    "button": "{word} & go",
    "footer": "{word} <b>\n{{{{ reply_to }}}}",
}
CAMPAIGN: Final = ALL | {
    "preheader": "{word} {{{{ due_in | default('some day') }}}} = {{{{ percent }}}}",
    "ask": "{word} {{{{ campaign | short(60) }}}}, {{{{ due }}}} {{{{ days_left }}}}\n"
    "{{% for item in items %}}{{{{ item.what | short(20) }}}}{{% if not loop.last %}}, {{% endif %}}{{% endfor %}}",
}
TEXTS: Final[dict[str, dict[str, str]]] = {
    **dict.fromkeys(("notice", "reminder", "final", "overdue"), CAMPAIGN),
    "escalation": CAMPAIGN | {"headline": "{word} {{{{ about | short(20) }}}}"},
    "digest": ALL
    | {"ask": "{word}\n{{% for each in campaigns %}}{{{{ each.name | short(9) }}}} {{% endfor %}}"},
    "custom": ALL | {"text": "{word}\n{{{{ subject | short(40) }}}}"},
}


def tenant(word: str) -> TenantWords:
    """A tenant's words in every kind and language, each of which says whose it is."""
    kinds = {
        kind: {block: {"text": text.format(word=word)} for block, text in blocks.items()}
        for kind, blocks in TEXTS.items()
    }
    languages = {str(each).partition("-")[0] for each in LOCALES if each}
    brand = {
        "name": f"{word} & Söhne",
        "sender": f"{word}, Inc.",
        "colour": "#7a1f5c",
        "footer": [f"1 {word} Street"],
        "logo": {"url": f"https://static.example.com/{word}.png", "alt": word},
    }
    document = read_document({"brand": brand, "texts": dict.fromkeys(sorted(languages), kinds)})
    return read_words(1, document.written().encode(), (), HOSTS)


TENANTS: Final = {"": None, "alpha": tenant("alpha"), "omega": tenant("omega")}
Case = tuple[str, str | None, SampleSize, int, str]


def cases() -> Iterator[Case]:
    """Kind, locale, sample, number of the reviewer, and whose words."""
    for kind, locale, size, word in product(sorted(KINDS), LOCALES, SampleSize, TENANTS):
        for number in (1, 2) if size == SampleSize.RICH else (1,):
            yield kind, locale, size, number, word


def letter_of(case: Case) -> Letter:
    """The letter to a reviewer of whom much is different."""
    kind, locale, size, number, word = case
    made = sample_letter(kind, locale, size)
    changes: dict[str, Any] = {"organisation": f"{word or 'none'} {made.organisation}"}
    if number > 1:
        changes |= {
            "job_id": "01937e6c-5a00-7000-8000-0000000000aa",
            "name": "Zoë Zebra",
            "to": "zebra@acme.example",
            "link": "https://iga.acme.example/r/zebra?a=b",
            "pending": 1,
        }
    return replace(made, **changes)


def fast(case: Case) -> bytes:
    letter, words = letter_of(case), TENANTS[case[-1]]
    if words is None:
        return compose(letter).raw
    return compose(letter, words.brand, lambda shown: words.blocks(letter, shown)).raw


def slow(case: Case) -> bytes:
    forget_letters()
    letter, words = letter_of(case), TENANTS[case[-1]]
    shown = content(letter)
    if words is not None:
        shown = dressed(shown, words.blocks(letter, shown), words.brand)
        letter = replace(letter, sender_name=words.brand.display_name)
    return judged(letter, shown.subject, shown.lang, text_page(shown), html_page(shown))


def test_whatever_was_composed_before_a_mail_is_the_same_to_the_byte() -> None:
    known = {case: sha256(slow(case)).digest() for case in cases()}
    assert len(set(known.values())) > 700, "hardly two of them say the same"

    forget_letters()
    order = [*known, *known]
    random.Random(21).shuffle(order)
    other = [case for case in order if sha256(fast(case)).digest() != known[case]]
    assert not other
    assert not [words.failed for words in TENANTS.values() if words and words.failed]
