"""docs/logs.md, made from the logbook: `python -m certmail_worker.logbook.reference` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from certmail_worker.logbook.codes import CODES
from certmail_worker.logbook.entry import Entry
from certmail_worker.logbook.events import EVENTS
from certmail_worker.logbook.fields import ACCESS, DELIVERY, EVERY

_HEAD: Final = """\
# Logs

Made by `python -m certmail_worker.logbook.reference`; a test keeps it true, and fails where something is logged that has no entry here.

```
certmail logs explain
certmail logs explain pacing_stopped
```

## Form

Every process writes its log to stderr, a line each: worker, gateway, Flower, and with `CERTMAIL_LOG_FORMAT=json` in its environment `certmail up`, too.

| `CERTMAIL_LOG_FORMAT` | |
| --- | --- |
| `json` | one JSON object a line, whatever happens: warnings of Python's, traces, and why a process does not start (this, where the variable itself says so) |
| `console` | text for people; `certmail up` gives it to its processes where stderr is a terminal |

On stdout a process that listens says one line, its address, to whoever started it.
"""
_REPEATS: Final = """\
## Repeated lines

Nobody fills a disk with them: no tenant, no connection, no peer, and no store that is away.

| lines | are written |
| --- | --- |
| how a reminder ended | each |
| a delivery after which its reminder waits again | the first of each connection and code, then one a minute |
| a request to the gateway that was refused or failed | the first of each key, address and status, then one a minute |
| a request that Flower refused | the first of each peer and status, then one a minute |
| warnings and errors that say the same, whichever reminder or request it was | the first five, then one a minute |
| requests, sign-ins and other news | each |

A line with `repeated` stands for so many more since the one before; it comes with whatever is logged next, and when the process ends. After a minute without one the next is the first again.

A process remembers a thousand kinds. Of more than those, lines of one event are counted together; the first five are still written.

## Secrets

What is secret or personal is not logged. Should a library quote it, it is taken out by its form, last of all:

- tokens, codes and client secrets of Google's; API keys, cookies and links of certmail's; JWTs; private keys
- `Authorization` headers, passwords in addresses of servers, and whatever stands in a field of such a name
- every address of a person

## Follow one reminder

Its id is in the receipt, and from there on everywhere: `job` of the gateway's `request` (of a batch: among `jobs` of `enqueued`), `job` of the worker's `delivery`, and `certmail status JOB`, which has what is on record.

```
grep 01939f5e-7c4a-7b53-9d5e-2f6d8a1b0c11 gateway.log worker.log
certmail status 01939f5e-7c4a-7b53-9d5e-2f6d8a1b0c11
```

`request` is the same in the gateway's lines, in its answer (`X-Request-Id`), and whatever the client called it.
"""


def reference() -> str:
    """The page as Markdown."""
    return (
        "\n".join(
            [
                _HEAD,
                "## Fields",
                "",
                *_fields("in every line", EVERY),
                *_fields("of a `delivery`", DELIVERY),
                *_fields("of a `request` to the gateway", ACCESS),
                _REPEATS,
                *_chapters("Events", EVENTS),
                *_chapters("Codes", CODES),
            ]
        ).rstrip("\n")
        + "\n"
    )


def _fields(title: str, fields: Mapping[str, str]) -> Iterator[str]:
    yield from (f"| {title} | |", "| --- | --- |")
    yield from (f"| `{name}` | {meaning} |" for name, meaning in fields.items())
    yield ""


def _chapters(title: str, chapters: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
    yield from (f"## {title}", "")
    for chapter, found in chapters.items():
        yield from (f"### {chapter}", "")
        yield from ("| name | means | who, how soon | what to do |", "| --- | --- | --- | --- |")
        yield from (_row(entry) for entry in found)
        yield ""


def _row(entry: Entry) -> str:
    said = [entry.do, *(f"`{each}`" for each in entry.commands)]
    if entry.see:
        said.append(f"[runbook](runbook.md#{entry.see})")
    who = f"{entry.who}, {entry.urgency}" if entry.urgency else entry.who
    cells = (f"`{entry.name}`", entry.means, who, " ".join(each for each in said if each))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(reference())
