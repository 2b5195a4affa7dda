"""`certmail up --sandbox`: everything on this machine, Google included.

For whoever wants to look around or build against it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.api_keys import create_key
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.settings import PREFIX, Settings
from certmail_config.settings.sandbox import (
    APART,
    exports,
    is_sandbox,
    keep,
    read_kept,
    sandbox_addresses,
)
from certmail_config.tenants.api_keys import EVERY_TENANT, KeyScope
from certmail_worker.cli.processes.keeping_up import Kept, only_one
from certmail_worker.cli.support.output import err, out, print_json
from certmail_worker.demo.furnish import PEOPLE, PROJECT, furnish
from certmail_worker.demo.google import SandboxGoogle
from certmail_worker.demo.places import any_port, known_ports, start
from certmail_worker.processes.children import termination_as_interrupt
from certmail_worker.processes.flower_auth import kept_auth
from certmail_worker.processes.operator_password import kept_password

WORKER_SECONDS: Final = 120.0
CARE_SECONDS: Final = "3"
LOCK: Final = "up.lock"
MEMORY: Final = "google.kept"


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is, and what opens it."""

    console: str
    password: str
    sandbox: str
    mail: str
    flower: str | None
    flower_user: str
    flower_password: str
    api: str
    api_key: str
    data_dir: str


def look_around(wanted: Settings, *, fresh: bool, as_json: bool) -> None:
    """Run it until Ctrl-C; raises Refused where the directory is somebody else's."""
    own = wanted.model_copy(update={"data_dir": directory(wanted.data_dir.absolute())})
    _say_what_is_left_out()

    with only_one(own), termination_as_interrupt(), ExitStack() as stack:
        if fresh:
            _forget(own.data_dir)
        children: list[Kept] = []

        try:
            err.print("Starting Google's stand-in, the stores, the console, Flower and a worker …")
            places = _start_all(stack, own, children)
            if as_json:
                print_json(asdict(places))
            else:
                _print(places, own)
            _watch(children)
        except KeyboardInterrupt:
            err.print("Stopping: what is under way is finished first.")


def directory(data_dir: Path) -> Path:
    """The sandbox's own, in the data directory; that itself where it is the sandbox's already.

    Raises Refused.
    """
    if is_sandbox(data_dir):
        return data_dir

    own = data_dir / "sandbox"
    if own.is_dir() and not is_sandbox(own) and any(each.name != LOCK for each in own.iterdir()):
        raise Refused(
            "not_the_sandboxs",
            f"{own} holds something that the sandbox did not make, and is left alone.",
            "Move it away, or set CERTMAIL_DATA_DIR to another directory.",
        )

    return own


def _say_what_is_left_out() -> None:
    """Whoever has a deployment's settings in the environment learns that they do not count here."""
    given = {**APART, **sandbox_addresses(""), "oauth_client_id": None, "oauth_client_secret": None}
    for name in (f"{PREFIX}{each.upper()}" for each in given):
        if os.environ.get(name):
            err.print(f"{name} is set, but the sandbox keeps to its own.", markup=False)


def _forget(data_dir: Path) -> None:
    for each in data_dir.iterdir():
        if each.name == LOCK:
            continue
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()


def _start_all(stack: ExitStack, own: Settings, children: list[Kept]) -> Places:
    """Start each process when it has what it needs, and give where they are.

    They are stopped the other way round.
    """
    known = read_kept(own.data_dir)
    google = start(stack, any_port(own.sandbox_listen), partial(_google, own, children))

    if not known:
        furnish(google)
        known = {"settings": {}}

    kept = {**known["settings"], "sandbox_url": google.url}
    gateway = partial(_gateway, own, google, known, kept, children)
    admin = start(stack, known_ports(own.listen), gateway)
    auth = kept_auth(own)
    flower = _flower(stack, own, auth, children)
    _add(stack, children, Kept("worker", _told(own), log=own.data_dir / "worker.log"))
    _wait(
        lambda: bool(admin.redis.zcard(redis_keys.WORKERS)),
        "The worker",
        own.data_dir / "worker.log",
    )
    user, _, password = auth.partition(":")
    base = admin.settings.base_url

    return Places(
        console=f"{base}/console",
        password=kept_password(own),
        sandbox=google.url,
        mail=f"{google.url}/mail",
        flower=flower,
        flower_user=user,
        flower_password=password,
        api=base,
        api_key=_api_key(admin, own.data_dir),
        data_dir=str(own.data_dir),
    )


def _google(own: Settings, children: list[Kept], stack: ExitStack, listen: str) -> SandboxGoogle:
    options = ("--keep", str(own.data_dir / MEMORY), "--listen")
    process = Kept("sandbox", {}, *options, listen, log=own.data_dir / "sandbox.log")
    stack.callback(process.stop)
    url = process.first_line()
    # So that it comes back where everybody looks for it.
    process.options = (*options, url.partition("://")[2])
    stack.callback(children.remove, process)
    children.append(process)

    return SandboxGoogle(url)


def _gateway(
    own: Settings,
    google: SandboxGoogle,
    known: dict[str, Any],
    kept: dict[str, Any],
    children: list[Kept],
    stack: ExitStack,
    listen: str,
) -> Admin:
    """Start the console at an address that Google knows, with both stores.

    Gives the stores once the console is seen to be there.
    """
    before = (kept.get("oauth_client_id"), kept.get("oauth_client_secret"))
    client, secret = google.add_oauth_client(
        f"http://{listen}/oauth/google/callback", known=before, name="certmail (sandbox)"
    )
    kept |= {"listen": listen, "oauth_client_id": client, "oauth_client_secret": secret}
    keep(own.data_dir, {**known, "settings": kept})
    admin = stack.enter_context(
        open_admin(Settings.from_env(data_dir=own.data_dir), make_key=True, supervise=True)
    )
    password = {f"{PREFIX}OPERATOR_PASSWORD": kept_password(own)}
    process = Kept("gateway", _told(own) | password, log=own.data_dir / "gateway.log")
    _add(stack, children, process)
    process.first_line()

    return admin


def _flower(stack: ExitStack, own: Settings, auth: str, children: list[Kept]) -> str | None:
    """Where Flower is; None where it did not start, which is no reason to do without the rest."""

    def attempt(stack: ExitStack, listen: str) -> str:
        told = {f"{PREFIX}FLOWER_LISTEN": listen, f"{PREFIX}FLOWER_BASIC_AUTH": auth}
        process = Kept("flower", _told(own) | told, log=own.data_dir / "flower.log")
        _add(stack, children, process)
        return process.first_line()

    try:
        return start(stack, any_port(own.flower_listen), attempt)
    except Refused as error:
        err.print(
            f"Flower did not start, and everything else goes on: {error.message}", markup=False
        )
        return None


def _add(stack: ExitStack, children: list[Kept], process: Kept) -> None:
    children.append(process)
    stack.callback(process.stop)
    stack.callback(children.remove, process)


def _told(own: Settings) -> dict[str, str]:
    """What a process is told: its directory, which has the rest."""
    # Changes at Google count within seconds here, so certmail looks more often; people read lines,
    # not JSON.
    usual = {"care_seconds": CARE_SECONDS, "log_format": "console"}
    unset = {name: value for name, value in usual.items() if name not in own.model_fields_set}
    return {
        f"{PREFIX}DATA_DIR": str(own.data_dir),
        **{PREFIX + n.upper(): v for n, v in unset.items()},
    }


def _api_key(admin: Admin, data_dir: Path) -> str:
    """One that may do everything, kept for the next start."""
    kept = read_kept(data_dir)
    if "api_key" not in kept:
        _, token = create_key(
            admin, "looking around", tenants=[EVERY_TENANT], scopes=list(KeyScope)
        )
        keep(data_dir, kept | {"api_key": token})
        return token
    return str(kept["api_key"])


def _wait(true: Callable[[], bool], what: str, log: Path) -> None:
    deadline = time.monotonic() + WORKER_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise Refused("not_started", f"{what} did not start.", f"Its log: {log}")
        time.sleep(0.1)  # it says so in Redis


def _watch(children: list[Kept]) -> None:
    while True:
        for each in children:
            each.watch()
        time.sleep(0.2)  # nothing else to do but to watch


def _print(at: Places, wanted: Settings) -> None:
    """Where everything is, and three things to do."""
    moved = {
        "the console": (wanted.listen, at.api),
        "Google's stand-in": (wanted.sandbox_listen, at.sandbox),
        "Flower": (wanted.flower_listen, at.flower or wanted.flower_listen),
    }
    for name, (asked, got) in moved.items():
        if not asked.endswith(":0") and not got.endswith(asked):
            out.print(f"{asked} was taken by another program; {name} is elsewhere.", markup=False)

    flower = (
        f"{at.flower}   user {at.flower_user}, password {at.flower_password}"
        if at.flower
        else "did not start"
    )
    lines = [
        "certmail is up, and Google is played by the sandbox: nothing reaches Google, and no mail leaves.",
        "",
        f"  Console   {at.console}   password {at.password}",
        f"  Google    {at.sandbox}   its consoles, people and mail, played by the sandbox",
        f"  Flower    {flower}",
        f"  API       {at.api}/docs   key {at.api_key}",
        "",
        "What to do next",
        f"  1. Connect a mailbox: {at.console}/new, for the tenant acme, say. Link the account {PEOPLE[0]},",
        f"     or use a service account, in the project {PROJECT}, with the same mailbox.",
        "  2. Send a first reminder:",
        f"     curl {at.api}/v1/reminders -H 'Authorization: Bearer {at.api_key}' \\",
        """       --json '{"tenant": "acme", "to": "anna@acme.example", "campaign": "q4", "pending": 3}'""",
        "     The same again is a duplicate, also after a restart: for another mail change `to` or `campaign`.",
        f"  3. Read the mail: {at.mail}",
        "",
        "For commands (`certmail status`, `certmail send` …) first, in another terminal:",
        *(f"  {line}" for line in exports(Path(at.data_dir)).splitlines()),
        "Data and logs are there, too, and go on at the next start; --fresh begins anew. Ctrl-C stops everything.",
    ]

    out.print("\n".join(lines), markup=False)
