"""Starts what `certmail up --sandbox` runs: each process when it has what it needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.admin.api_keys import create_key
from certmail_config.base import redis_keys
from certmail_config.base.errors import Refused
from certmail_config.settings import PREFIX, Settings
from certmail_config.settings.forms import here
from certmail_config.settings.sandbox import (
    keep,
    read_kept,
)
from certmail_config.tenants.api_keys import EVERY_TENANT, KeyScope
from certmail_worker.cli.processes.look_around_places import Places
from certmail_worker.cli.processes.supervision import Supervised
from certmail_worker.cli.support.output import err
from certmail_worker.demo.furnish import furnish
from certmail_worker.demo.google import SandboxGoogle
from certmail_worker.demo.places import any_port, known_ports, start
from certmail_worker.processes.flower_auth import kept_auth
from certmail_worker.processes.metrics_ports import metrics_ports
from certmail_worker.processes.operator_password import kept_password

WORKER_SECONDS: Final = 120.0
CARE_SECONDS: Final = "3"
MEMORY: Final = "google.kept"


def start_all(stack: ExitStack, own: Settings, children: list[Supervised]) -> Places:
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
    _add(stack, children, Supervised("worker", _environment(own), log=own.data_dir / "worker.log"))
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


def _google(
    own: Settings, children: list[Supervised], stack: ExitStack, listen: str
) -> SandboxGoogle:
    options = ("--keep", str(own.data_dir / MEMORY), "--listen")
    process = Supervised("sandbox", {}, *options, listen, log=own.data_dir / "sandbox.log")
    stack.callback(process.stop)
    url = process.first_line()
    # So that it comes back where everybody looks for it.
    process.options = (*options, f"{listen.rpartition(':')[0]}:{url.rpartition(':')[2]}")
    stack.callback(children.remove, process)
    children.append(process)

    return SandboxGoogle(url)


def _gateway(
    own: Settings,
    google: SandboxGoogle,
    known: dict[str, Any],
    kept: dict[str, Any],
    children: list[Supervised],
    stack: ExitStack,
    listen: str,
) -> Admin:
    """Start the console at an address that Google knows, with both stores.

    Gives the stores once the console is seen to be there.
    """
    before = (kept.get("oauth_client_id"), kept.get("oauth_client_secret"))
    client, secret = google.add_oauth_client(
        f"http://{here(listen)}/oauth/google/callback", known=before, name="certmail (sandbox)"
    )
    kept |= {"listen": listen, "oauth_client_id": client, "oauth_client_secret": secret}
    keep(own.data_dir, {**known, "settings": kept})
    admin = stack.enter_context(
        open_admin(Settings.from_env(data_dir=own.data_dir), make_key=True, supervise=True)
    )
    given = {f"{PREFIX}OPERATOR_PASSWORD": kept_password(own)} | metrics_ports(own).of_gateway
    process = Supervised("gateway", _environment(own) | given, log=own.data_dir / "gateway.log")
    _add(stack, children, process)
    process.first_line()

    return admin


def _flower(stack: ExitStack, own: Settings, auth: str, children: list[Supervised]) -> str | None:
    """Where Flower is; None where it did not start, which is no reason to do without the rest."""

    def attempt(stack: ExitStack, listen: str) -> str:
        flower = {f"{PREFIX}FLOWER_LISTEN": listen, f"{PREFIX}FLOWER_BASIC_AUTH": auth}
        process = Supervised("flower", _environment(own) | flower, log=own.data_dir / "flower.log")
        _add(stack, children, process)
        return process.first_line()

    try:
        return start(stack, any_port(own.flower_listen), attempt)
    except Refused as error:
        err.print(
            f"Flower did not start, and everything else goes on: {error.message}", markup=False
        )
        return None


def _add(stack: ExitStack, children: list[Supervised], process: Supervised) -> None:
    children.append(process)
    stack.callback(process.stop)
    stack.callback(children.remove, process)


def _environment(own: Settings) -> dict[str, str]:
    """The environment of a process: its directory, which has the rest."""
    # Changes at Google count within seconds here, so certmail looks more often; people read lines,
    # not JSON.
    usual = {"care_seconds": CARE_SECONDS, "log_format": "console"}
    unset = {name: value for name, value in usual.items() if name not in own.model_fields_set}
    return {
        f"{PREFIX}DATA_DIR": str(own.data_dir),
        **{PREFIX + n.upper(): v for n, v in unset.items()},
        **metrics_ports(own).of_worker,
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
