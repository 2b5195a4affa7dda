"""`certmail demo`."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from certmail_config.settings import PREFIX, Settings
from certmail_worker.cli.support.output import Json, err, fields, out, print_json
from certmail_worker.demo.progress import DemoProgress
from certmail_worker.demo.scene import console_url, play
from certmail_worker.demo.stage import stage
from certmail_worker.demo.summary import ENDS
from certmail_worker.processes.children import termination_as_interrupt

FAULTS: Final[Mapping[str, tuple[str, str]]] = {
    "429_retry_at": ("time to wait that Gmail named", "times to wait that Gmail named"),
    "503": ("server error", "server errors"),
    "reset_after": ("lost answer", "lost answers"),
    "drop_token": ("expired token", "expired tokens"),
    "hang_after": ("request without an answer", "requests without an answer"),
    "worker_killed": ("killed worker", "killed workers"),
}
"""What the demo lets go wrong, one and many."""


def demo(
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything up at the end, until Ctrl-C.")
    ] = False,
    json: Json = False,
) -> None:
    """Send a real campaign on this machine, with the sandbox as Google.

    Stores, worker, pacing, record and all.
    """
    settings = Settings.from_env()

    for name in (
        f"{PREFIX}REDIS_URL",
        f"{PREFIX}DATABASE_URL",
        f"{PREFIX}VAULT_KEYS",
        f"{PREFIX}GOOGLE_PROXY",
    ):
        if os.environ.pop(name, None):
            err.print(f"{name} is set, but the demo keeps to stores of its own.", markup=False)

    progress = DemoProgress(err.console)
    with termination_as_interrupt(), stage(settings.data_dir, settings, progress) as running:
        with progress.shown():
            found = play(running)
        if not keep:
            found["urls"] = dict.fromkeys(found["urls"])

        if json:
            print_json(found)
        else:
            _print(found)

        if keep:
            auth = running.environment[f"{PREFIX}FLOWER_BASIC_AUTH"]
            err.print(
                f"\nEverything is still up. The mail: {running.google.url}/mail", markup=False
            )
            password = running.environment[f"{PREFIX}OPERATOR_PASSWORD"]
            err.print(
                f"The console: {console_url(running.settings)} (password {password})", markup=False
            )
            if running.flower:
                err.print(f"Flower: {running.flower} (user and password {auth})", markup=False)
            err.print("Ctrl-C stops it all.")
            _wait_for_interrupt()

    if not found["ok"]:
        raise typer.Exit(1)


def _print(found: dict[str, Any]) -> None:
    for tenant in found["tenants"]:
        out.print(f"[bold]{escape(tenant['tenant'])}[/bold], {tenant['kind'].replace('_', ' ')}")
        came = ", ".join(_counted(tenant, name) for name in ("enqueued", "duplicates", "rejected"))
        went = ", ".join(f"{tenant[name]} {name}" for name in ENDS if tenant[name])
        out.print(f"  {came}\n  of the enqueued: {went}")

    for item in found["rejected"]:
        out.print(
            f"  {item['tenant']}, row {item['row']}, {item['field']}: {escape(item['message'])}"
        )
    _print_campaigns(found["campaigns"])
    recorded = ", ".join(f"{count} {state}" for state, count in found["recorded"].items())
    out.print()
    fields(
        [
            (
                "in the mailboxes",
                f"{found['mailbox']['messages']} messages, {found['mailbox']['unique_ids']} different",
            ),
            ("on record", recorded),
            ("went wrong", in_words(str(item["kind"]) for item in found["faults"])),
            ("took", f"{found['seconds']} s"),
            ("data and logs", found["data_dir"]),
        ]
    )

    for problem in found["problems"]:
        out.print(f"[red]✗ {escape(problem)}[/red]")
    if found["ok"]:
        out.print("[green]✓[/green] Ledger, mailboxes and record agree.")


def _print_campaigns(campaigns: Iterable[Mapping[str, Any]]) -> None:
    """The sums of each campaign: what was planned, and what became of it."""
    out.print()
    for each in campaigns:
        done = f", {each['done']} of them done on the way" if each["done"] else ""
        out.print(
            f"[bold]{escape(each['name'])}[/bold] ({each['tenant']}), "
            f"{each['reviewers']} reviewers{done}"
        )
        ends = " + ".join(f"{count} {state}" for state, count in each["ends"].items())
        kinds = ", ".join(f"{count} {kind}" for kind, count in each["accepted_kinds"].items())
        out.print(f"  {each['planned']} planned = {ends}")
        out.print(f"  of the accepted: {kinds}")


def in_words(faults: Iterable[str]) -> str:
    """What went wrong, and how often, as people say it."""
    counted = Counter(faults)
    return ", ".join(f"{count} {FAULTS[kind][count > 1]}" for kind, count in counted.items())


def _counted(tenant: dict[str, Any], name: str) -> str:
    return f"{tenant[name]} {name.removesuffix('s') if tenant[name] == 1 else name}"


def _wait_for_interrupt() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        return
