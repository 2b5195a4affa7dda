"""What the figures of the house must be, and that the script that takes them sees what is wrong."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import figures

MAX_MODULES = 16
MAX_AIRLESS_PERCENT = 30
MAX_LAYERS = 32
MAX_README_LINES = 130
MAX_PARAGRAPH_WORDS = 25


@cache
def measured(part: str) -> figures.Figures:
    """The figures of a part of this repository, taken once."""
    return figures.measure(figures.ROOT, part)


class TestThisRepository:
    @pytest.mark.parametrize("part", [*figures.DISTRIBUTIONS, "tests"])
    def test_no_folder_has_more_modules_than_one_can_overlook(self, part: str) -> None:
        found = measured(part)
        assert figures.crowded(found, MAX_MODULES) == {}
        assert len(found.folders) >= 9, "the folders are found"

    @pytest.mark.parametrize("part", figures.DISTRIBUTIONS)
    def test_most_of_the_longer_functions_show_their_phases(self, part: str) -> None:
        found = measured(part)
        assert found.airless_percent < MAX_AIRLESS_PERCENT
        assert found.long > 100, "the functions are found"

    @pytest.mark.parametrize("part", figures.DISTRIBUTIONS)
    def test_what_is_public_says_what_it_is(self, part: str) -> None:
        found = measured(part)
        assert found.described > 0.9 * found.public

    def test_import_layers_are_few_and_leave_nothing_out(self) -> None:
        count, exhaustive = figures.layers(figures.ROOT)
        assert 4 <= count <= MAX_LAYERS
        assert exhaustive

    @pytest.mark.parametrize("part", figures.DISTRIBUTIONS)
    def test_no_class_name_stands_twice_in_a_distribution(self, part: str) -> None:
        assert figures.twice(measured(part)) == {}

    def test_the_readme_has_two_screens_and_short_paragraphs(self) -> None:
        lines, words, median = figures.readme(figures.ROOT / "README.md")
        assert lines <= MAX_README_LINES
        assert words > 100
        assert median < MAX_PARAGRAPH_WORDS


AIRLESS = "def long():\n" + "    work()\n" * 11
AIRY = "def long():\n" + "    work()\n" * 5 + "\n" + "    work()\n" * 5


class TestWhatIsWrongIsSeen:
    def test_a_folder_of_seventeen_modules(self, tmp_path: Path) -> None:
        write(tmp_path, {f"full/module{n}.py": "" for n in range(17)})
        write(tmp_path, {f"fits/module{n}.py": "" for n in range(16)})
        write(tmp_path, {f"migrations/versions/step{n}.py": "" for n in range(40)})
        assert figures.crowded(figures.measure(tmp_path), MAX_MODULES) == {"full": 17}

    def test_a_long_function_without_a_blank_line(self, tmp_path: Path) -> None:
        write(
            tmp_path, {"airless.py": AIRLESS, "airy.py": AIRY, "short.py": "def f():\n    pass\n"}
        )
        found = figures.measure(tmp_path)
        assert (found.airless, found.long) == (["airless.py:1 long"], 2)
        assert found.airless_percent == 50

    def test_a_class_name_that_stands_twice(self, tmp_path: Path) -> None:
        write(tmp_path, {"a/one.py": "class Page: ...", "b/two.py": "class Page: ..."})
        write(tmp_path, {"c.py": "class _Page: ...", "d.py": "class _Page: ..."})
        assert figures.twice(figures.measure(tmp_path)) == {"Page": ["a/one.py", "b/two.py"]}

    def test_a_public_class_without_a_docstring(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.py": 'class Page: ...\ndef f():\n    """Say it."""\ndef _g(): ...'})
        found = figures.measure(tmp_path)
        assert (found.public, found.described) == (2, 1)

    def test_layers_that_leave_something_out(self, tmp_path: Path) -> None:
        contract = '[[tool.importlinter.contracts]]\ntype = "layers"\nlayers = ["a", "b | c"]\n'
        write(tmp_path, {"pyproject.toml": contract + "exhaustive = true\n" + contract})
        assert figures.layers(tmp_path) == (4, False)

    def test_a_long_readme(self, tmp_path: Path) -> None:
        code = "```\n" + "word " * 50 + "\n```\n\n"
        text = "# Title\n\n" + code + "word " * 30 + "\n\n" + "word " * 26 + "\n"
        write(tmp_path, {"README.md": text})
        assert figures.readme(tmp_path / "README.md") == (9, 56, 28)


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files into a folder that no repository knows."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
