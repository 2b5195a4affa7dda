"""A tenant's templates as files in one folder, so that they live in its own version control.

brand.toml              the look, and the locale of reviewers whose own is unknown
LOCALE/KIND.toml        words by block; `[base]` names the version each was made on
LOCALE/custom.txt       all that a mail of kind `custom` says
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from certmail_config.base.errors import WrongUse
from certmail_config.templates.blocks import KINDS, Block
from certmail_config.templates.documents import Document, read_document
from certmail_config.templates.findings import Finding, TemplatesRefused, fault

BRAND: Final = "brand.toml"
TEXT: Final = "custom.txt"
_LARGEST: Final = 256 * 1024


def read_folder(folder: Path) -> Document:
    """The document that a folder's files are.

    What begins with a dot, and README files, are somebody else's. Raises WrongUse where it is no
    folder, TemplatesRefused with all files that cannot be read.
    """
    if not folder.is_dir():
        raise WrongUse(
            "no_folder", f"{folder} is no folder.", f"It holds {BRAND} and LOCALE/KIND.toml."
        )

    found: dict[str, Any] = {"texts": {}}
    faults: list[Finding] = []
    for file in sorted(_files(folder)):
        name = file.relative_to(folder).as_posix()
        try:
            _take(found, name, file)
        except (ValueError, OSError) as error:
            faults.append(fault(name, f"{_why(error)}."))

    if faults:
        raise TemplatesRefused(faults)
    return read_document(found)


def write_folder(document: Document, folder: Path) -> list[str]:
    """Write a document as files into a folder that is empty or new; gives their names.

    Raises WrongUse where something is in it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WrongUse("folder_not_empty", f"{folder} is there already.", "Name a new folder.")

    files = dict(_written(document))
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return sorted(files)


def _files(folder: Path) -> Iterator[Path]:
    for each in folder.rglob("*"):
        parts = each.relative_to(folder).parts
        if each.is_file() and not any(part.startswith((".", "README")) for part in parts):
            yield each


def _take(found: dict[str, Any], name: str, file: Path) -> None:
    """Put what a file says into the document; raises ValueError, OSError."""
    if file.stat().st_size > _LARGEST:
        raise ValueError(f"larger than {_LARGEST // 1024} KiB")
    text = file.read_bytes().decode("utf-8").replace("\r\n", "\n")

    match name.split("/"):
        case ["brand.toml"]:
            brand = tomllib.loads(text)
            if "locale" in brand:
                found["locale"] = brand.pop("locale")
            found["brand"] = brand
        case [locale, "custom.txt"]:
            words = _kind(found, locale, "custom").setdefault(Block.TEXT.value, {})
            words["text"] = text
        case [locale, last] if last.removesuffix(".toml") in KINDS and last.endswith(".toml"):
            _blocks(_kind(found, locale, last.removesuffix(".toml")), tomllib.loads(text))
        case _:
            kinds = ", ".join(f"{kind}.toml" for kind in KINDS)
            raise ValueError(
                f"no file of templates; there are {BRAND}, and in a folder for each locale {kinds} and {TEXT}"
            )


def _kind(found: dict[str, Any], locale: str, kind: str) -> dict[str, Any]:
    kinds: dict[str, Any] = found["texts"].setdefault(locale, {})
    blocks: dict[str, Any] = kinds.setdefault(kind, {})
    return blocks


def _blocks(blocks: dict[str, Any], document: dict[str, Any]) -> None:
    base = document.pop("base", {})
    if not isinstance(base, dict):
        raise ValueError("[base] is a table: the version that each block was made on")  # noqa: TRY004 - said as the others
    for block, text in document.items():
        blocks.setdefault(block, {})["text"] = text
    for block, version in base.items():
        blocks.setdefault(block, {})["base"] = version


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not written in UTF-8"
    if isinstance(error, tomllib.TOMLDecodeError):
        return f"this is no TOML: {error}"
    if isinstance(error, OSError):
        return error.strerror or "it cannot be read"
    return str(error)


def _written(document: Document) -> Iterator[tuple[str, str]]:
    brand = document.brand
    values = {
        "locale": document.locale or "",
        "name": brand.name,
        "sender": brand.sender,
        "colour": brand.colour,
    }
    lines = [f"{name} = {_toml(value)}" for name, value in values.items() if value]
    if brand.calendar:
        lines.append("calendar = true")
    if brand.footer:
        lines += ["footer = [", *(f"  {_toml(line)}," for line in brand.footer), "]"]
    if brand.logo:
        lines += ["", "[logo]", f"url = {_toml(brand.logo.url)}", f"alt = {_toml(brand.logo.alt)}"]
    if lines:
        yield BRAND, "\n".join(lines) + "\n"

    for locale, kinds in document.texts.items():
        for kind, blocks in kinds.items():
            texts = {name: words for name, words in blocks.items() if name != Block.TEXT}
            if Block.TEXT in blocks:
                yield f"{locale}/{TEXT}", blocks[Block.TEXT].text
            lines = [f"{name} = {_toml(words.text)}" for name, words in texts.items()]
            bases = [
                f"{name} = {_toml(words.base)}" for name, words in blocks.items() if words.base
            ]
            if bases:
                lines += ["", "[base]", *bases]
            if lines:
                yield f"{locale}/{kind}.toml", "\n".join(lines).lstrip("\n") + "\n"


def _toml(text: str) -> str:
    """A text as TOML: over lines where it has some, so that a difference is one of lines."""
    plain = all(each.isprintable() or each == "\n" for each in text)
    if plain and "\n" in text and "'''" not in text and not text.endswith("'"):
        return f"'''\n{text}'''"
    escaped = "".join(
        each if each.isprintable() else f"\\U{ord(each):08x}"
        for each in text.replace("\\", "\\\\").replace('"', '\\"')
    )
    return f'"{escaped}"'
