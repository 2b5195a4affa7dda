"""The ledger's reference, docs/ledger.md, made from states, transitions, scripts and keys.

`python -m certmail_config.ledger.reference > docs/ledger.md`
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from itertools import groupby, pairwise

from certmail_config.base import redis_keys
from certmail_config.jobs import states
from certmail_config.jobs.states import ALLOWED, FINAL, INITIAL, TRANSITIONS, UPKEEP, State
from certmail_config.ledger.script import SHARED, lua_files

HEAD = """\
# The ledger

Made by `python -m certmail_config.ledger.reference`; do not edit. The ledger is the truth about every reminder. It lives in
Redis (6.2 or newer, or Valkey), and only the scripts below change it, each as one atomic step that appends its event.
"""


def reference() -> str:
    """Render it all."""
    parts = [HEAD, _states(), _picture(), _table(), _scripts(), _keys()]
    return "\n".join(parts)


def _states() -> str:
    words = _docstrings()
    rows = [f"| `{state}` | {words[state.name]} |" for state in State]
    return "\n".join(["## States", "", "| state | meaning |", "|---|---|", *rows, ""])


def _docstrings() -> dict[str, str]:
    """The sentence below each state in states.py.

    Python itself keeps none for the members of an enumeration.
    """
    module = ast.parse(inspect.getsource(states))
    [body] = [
        node.body for node in module.body if isinstance(node, ast.ClassDef) and node.name == "State"
    ]
    found: dict[str, str] = {}

    for name, text in pairwise(body):
        if (
            isinstance(name, ast.Assign)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            [target] = name.targets
            assert isinstance(target, ast.Name), "members are assigned to one name each"
            found[target.id] = " ".join(str(text.value.value).split())

    return found


def _picture() -> str:
    """The picture of every move of a reminder's own life.

    Late news of a mail that went out is left to the table.
    """
    lines = [f"    [*] --> {state}" for state in State if state in INITIAL]

    for before in State:
        if before not in FINAL:
            for after in State:
                if (before, after) in _NEWS or (
                    after in ALLOWED[before] and after is not State.ACCEPTED
                ):
                    names = sorted(
                        name
                        for name in TRANSITIONS
                        if name not in UPKEEP and (before, after) in TRANSITIONS[name]
                    )
                    lines.append(f"    {before} --> {after}: {', '.join(names)}")

    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```", ""])


_NEWS = {(State.SENDING, State.ACCEPTED), (State.UNCERTAIN, State.ACCEPTED)}


def _table() -> str:
    rows = []

    for name, moves in TRANSITIONS.items():
        ordered = sorted(
            moves,
            key=lambda move: (
                list(State).index(move[0]) if move[0] else -1,
                list(State).index(move[1]),
            ),
        )
        for before, group in groupby(ordered, key=lambda move: move[0]):
            after = ", ".join(f"`{to}`" for _, to in group)
            rows.append(f"| `{name}` | {f'`{before}`' if before else 'new'} | {after} |")

    return "\n".join(["## Transitions", "", "| script | from | to |", "|---|---|---|", *rows, ""])


def _scripts() -> str:
    """Each script's header, as it stands in its file."""
    parts = ["## Scripts", ""]

    for name, file in sorted(lua_files().items()):
        if name not in SHARED:
            source = file.read_text("utf-8")
            header = re.match(r"(?:--.*\n)+", source)
            assert header, f"{name}.lua begins with what it does"
            parts += [
                f"### {name}",
                "",
                "```",
                *(line[3:] for line in header[0].splitlines()),
                "```",
                "",
            ]

    return "\n".join(parts)


def _keys() -> str:
    """Each key with the docstring below it in redis_keys.py."""
    found = re.findall(
        r'^\w+: Final = f"([^"]*)"\n"""(.*?)\n?"""$',
        inspect.getsource(redis_keys),
        re.MULTILINE | re.DOTALL,
    )
    rows = []

    for name, docstring in found:
        key = name.replace("{TAG}", redis_keys.TAG)
        content = " ".join(docstring.split()).replace("|", r"\|")
        rows.append(f"| `{key}` | {content} |")

    return "\n".join(["## Keys", "", "| key | type and content |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    sys.stdout.write(reference())
