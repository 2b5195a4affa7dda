"""`certmail templates …`: from a folder of files to what is published, and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certmail_config.templates.blocks import BLOCKS
from certmail_config.templates.documents import Document, read_document
from certmail_config.templates.findings import TemplatesRefused
from certmail_worker.cli.templates.folder import read_folder, write_folder

Run = Callable[..., tuple[int, Any]]
FILES = {
    "brand.toml": 'name = "Acme"\nlocale = "de"\ncalendar = true\nfooter = ["1 Main Street"]\n',
    "en/reminder.toml": "subject = \"{{ campaign | default('Review') }}\"\nask = '''\nPlease decide,\n{{ name }}.\n'''\n",
    "en/custom.txt": "{{ text }}\n",
    "README.md": "ours",
    ".git/config": "theirs",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return _folder(tmp_path / "acme", FILES)


def _folder(at: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_text(text, "utf-8")
    return at


def test_templates_go_from_a_folder_to_workers_and_back(
    commands: Run, folder: Path, tmp_path: Path
) -> None:
    assert commands("tenants", "add", "acme")[0] == 0
    assert commands("templates", "check", str(folder)) == (0, {"ok": True, "findings": []})

    status, published = commands("templates", "publish", "acme", str(folder))
    assert (status, published["version"], published["suspended"]) == (0, 1, {})
    assert published["templates"]["texts"]["en"]["reminder"]["subject"]["base"]
    assert commands("templates", "list")[1]["tenants"][0]["tenant"] == "acme"
    assert [each["version"] for each in commands("templates", "list", "acme")[1]["versions"]] == [1]

    blocks = commands("templates", "diff", "acme")[1]["blocks"]
    assert [each["place"] for each in blocks] == [
        "en/custom/text",
        "en/reminder/ask",
        "en/reminder/subject",
    ]
    assert not any(each["changed"] for each in blocks)

    assert commands("templates", "show", "acme", "--to", str(tmp_path / "again"))[0] == 0
    assert read_folder(tmp_path / "again") == read_document(published["templates"])

    assert commands("templates", "reset", "acme")[1]["version"] == 2
    assert (
        commands("templates", "show", "acme", "--version", "1")[1]["templates"]
        == published["templates"]
    )
    assert commands("templates", "publish", "acme", str(folder), "--instead-of", "1")[0] == 1


def test_faults_end_with_status_1_and_nothing_is_published(commands: Run, folder: Path) -> None:
    commands("tenants", "add", "acme")
    (folder / "en" / "reminder.toml").write_text('ask = "\\n{{ campain }}"')

    for command in (["check"], ["publish", "acme"]):
        status, answer = commands("templates", *command, str(folder))
        assert (status, answer["ok"]) == (1, False)
        [finding] = answer["findings"]
        assert (finding["place"], finding["line"]) == ("en/reminder/ask", 2)
    assert commands("templates", "list")[1] == {"tenants": []}


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"en/remindr.toml": ""}, "en/remindr.toml: no file of templates; there are brand.toml"),
        ({"en/reminder.toml": "x = "}, "en/reminder.toml: this is no TOML"),
        ({"en/reminder.toml": "base = 1"}, "[base] is a table"),
        ({"en/reminder.toml": "ask = 1"}, "texts/en/reminder/ask/text: must be a text."),
        ({"brand.toml": 'color = "#fff"'}, "brand/color: certmail knows no such field."),
        ({"brand.toml": 'calendar = "yes"'}, "brand/calendar: must be true or false."),
        ({"en/custom.txt": "x" * 300_000}, "en/custom.txt: larger than 256 KiB"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, files: dict[str, str], sentence: str
) -> None:
    with pytest.raises(TemplatesRefused) as refused:
        read_folder(_folder(tmp_path, files))

    assert sentence in str(refused.value.findings[0])


def test_certmails_own_words_are_shown_with_what_they_may_name(commands: Run) -> None:
    own = commands("templates", "show", "--kind", "digest", "--locale", "de")[1]

    assert own["variables"]["campaigns"]["fields"]["open"] == "text"
    assert own["blocks"]["footer"]["version"]


_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=30)
_DOCUMENTS = st.builds(
    lambda locale, kind, words, base, footer, calendar: read_document(
        {
            "brand": {"footer": [line[:120] for line in footer], "calendar": calendar},
            "texts": {
                locale: {
                    kind: {str(block): {"text": words, "base": base} for block in BLOCKS[kind]}
                }
            },
        }
    ),
    st.sampled_from(["en", "pt-BR"]),
    st.sampled_from(list(BLOCKS)),
    _WORDS,
    st.sampled_from(["", "0123456789ab"]),
    st.lists(_WORDS, max_size=3),
    st.booleans(),
)


@settings(max_examples=40, deadline=None)
@given(_DOCUMENTS)
def test_a_document_is_the_same_after_it_was_a_folder(document: Document) -> None:
    with TemporaryDirectory() as at:
        write_folder(document, Path(at) / "new")
        assert read_folder(Path(at) / "new") == document
