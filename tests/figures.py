"""`make figures`: how the house is built, in figures.

They are of this repository, or of any other whose path is given. What the tests demand of them
stands in docs/test_figures.py.

Counted: modules in a folder (migrations aside), lines of files and functions, functions of twelve
lines or more without a blank line, public docstrings, class names that occur twice in one
distribution, import layers, and the README.
"""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
LONG: Final = 12
"""From so many lines on a function has phases, and shows them by blank lines."""
DISTRIBUTIONS: Final = ("config", "producers", "worker", "deploy")
PUBLISHED: Final = "producers/certmail/gateway/api/models/"
"""The folder of the API's models, some of which are named as the client's values are, on purpose.

They are named as the API's document publishes them.
"""
_NOT_OURS: Final = frozenset({"node_modules", "build", "dist", "__pycache__"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Figures:
    """What was counted of some files."""

    files: list[int] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    airless: list[str] = field(default_factory=list)
    long: int = 0
    public: int = 0
    described: int = 0
    widths: list[int] = field(default_factory=list)
    classes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    folders: Counter[str] = field(default_factory=Counter)

    @property
    def airless_percent(self) -> float:
        """Of the long functions, those without one blank line."""
        return 100 * len(self.airless) / self.long if self.long else 0.0


def measure(root: Path, *under: str) -> Figures:
    """Count the Python files that git knows under these folders.

    Migrations are left out: a folder of them only grows.
    """
    figures = Figures()

    for path in _tracked(root, *under):
        text = path.read_text("utf-8")
        lines = text.splitlines()
        name = str(path.relative_to(root))

        figures.folders[str(path.parent.relative_to(root))] += 1
        if len(lines) > 5:
            figures.files.append(len(lines))
        figures.widths.extend(len(line) for line in lines if line.strip())

        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                figures.classes[node.name].append(name)
            if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
                figures.public += 1
                figures.described += ast.get_docstring(node) is not None
            if isinstance(node, Function):
                _count_function(node, lines, figures, name)

    return figures


def _count_function(function: Function, lines: list[str], figures: Figures, name: str) -> None:
    end = function.end_lineno or function.lineno
    length = end - function.lineno + 1
    figures.functions.append(length)
    if length < LONG:
        return

    figures.long += 1
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    first = body[0].lineno if body else end
    if all(line.strip() for line in lines[first - 1 : end]):
        figures.airless.append(f"{name}:{function.lineno} {function.name}")


def _tracked(root: Path, *under: str) -> Iterator[Path]:
    """The files that git knows; where there is no git, those in no hidden or generated folder."""
    folders = under or (".",)
    command = ["git", "-C", str(root), "ls-files", "--", *folders]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)

    if listed.returncode == 0:
        found = [root / line for line in listed.stdout.splitlines()]
    else:
        found = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
        found = [path for path in found if not _generated(path.relative_to(root))]

    for path in found:
        if path.suffix == ".py" and path.parent.name != "versions" and path.is_file():
            yield path


def _generated(path: Path) -> bool:
    return any(part.startswith(".") or part in _NOT_OURS for part in path.parts)


def crowded(figures: Figures, limit: int) -> dict[str, int]:
    """The folders with more modules than the limit, and how many each has."""
    return {name: count for name, count in figures.folders.items() if count > limit}


def twice(figures: Figures) -> dict[str, list[str]]:
    """The class names that stand in more than one place, and those places.

    Names with an underscore are nobody else's.
    """
    found = {
        name: [each for each in where if not each.startswith(PUBLISHED)]
        for name, where in figures.classes.items()
        if not name.startswith("_")
    }
    return {name: where for name, where in found.items() if len(where) > 1}


def layers(root: Path) -> tuple[int, bool]:
    """How many import layers there are, and whether every contract of them is exhaustive."""
    table = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    contracts = [
        each for each in table["tool"]["importlinter"]["contracts"] if each["type"] == "layers"
    ]
    return sum(len(each["layers"]) for each in contracts), all(
        each.get("exhaustive") for each in contracts
    )


def readme(path: Path) -> tuple[int, int, float]:
    """How many lines a README has, words of prose, and words in its median paragraph.

    Code, tables and pictures are no prose.
    """
    text = path.read_text("utf-8")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    parts = [part.strip() for part in re.split(r"\n\s*\n", prose)]

    words = [
        len(part.split()) for part in parts if part and not part.startswith(("#", "|", "![", "<"))
    ]
    return len(text.splitlines()), sum(words), statistics.median(words) if words else 0.0


def _spread(values: list[int]) -> str:
    ordered = sorted(values) or [0]
    return f"{statistics.median(ordered):.0f} / {ordered[int(len(ordered) * 0.9)]} / {ordered[-1]}"


def _row(title: str, figures: Figures) -> str:
    described = 100 * figures.described / figures.public if figures.public else 0
    fullest = ", ".join(f"{count} {name}" for name, count in figures.folders.most_common(2))
    widths = sorted(figures.widths) or [0]
    return (
        f"{title:<12}{len(figures.files):>6}{_spread(figures.files):>17}{_spread(figures.functions):>14}"
        f"{len(figures.airless):>6} of {figures.long:<4}{figures.airless_percent:>4.0f} %{described:>6.0f} %"
        f"{widths[int(len(widths) * 0.9)]:>6}   {fullest}"
    )


def report(root: Path, *, airless: bool) -> Iterator[str]:
    """The figures of a repository, line by line.

    `airless` adds the functions that lack a blank line.
    """
    own = root == ROOT
    parts = (
        {part: (part,) for part in (*DISTRIBUTIONS, "tests")} | {"all source": DISTRIBUTIONS}
        if own
        else {root.name: ()}
    )
    found = {title: measure(root, *under) for title, under in parts.items()}

    yield "             files lines: med/p90/max  functions'  without a blank line  documented  width p90, fullest folders"
    for title, figures in found.items():
        yield _row(title, figures)

    if own:
        count, exhaustive = layers(root)
        yield f"import layers: {count}, {'all' if exhaustive else 'NOT all'} exhaustive"
        for part in DISTRIBUTIONS:
            for name, where in twice(found[part]).items():
                yield f"class name twice in {part}: {name} in {', '.join(where)}"

    for path in sorted(root.glob("README*"))[:1]:
        lines, words, median = readme(path)
        yield f"{path.name}: {lines} lines, {words} words of prose, median paragraph {median:g} words"

    if airless:
        for figures in found.values():
            yield from figures.airless


def main(arguments: Sequence[str]) -> int:
    """Print them; without a path, those of this repository."""
    paths = [each for each in arguments if not each.startswith("--")]
    root = Path(paths[0]).resolve() if paths else ROOT

    for line in report(root, airless="--airless" in arguments):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
