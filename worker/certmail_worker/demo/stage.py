"""The demo's stage: the stores and processes that its story is played on."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from certmail_config.admin.admin import Admin, open_admin
from certmail_config.base.errors import Refused
from certmail_config.settings import PREFIX, Settings
from certmail_config.settings.sandbox import sandbox_addresses
from certmail_worker.demo.directories import new_directory
from certmail_worker.demo.google import SandboxGoogle
from certmail_worker.demo.places import any_port, known_ports, start
from certmail_worker.demo.progress import DemoProgress
from certmail_worker.processes.children import Child, child

RESEND_SECONDS = 10
VERIFY_SECONDS = 15
"""Until a mail is looked for, seconds.

Google may show it among the sent ones a while after it took it; its stand-in does so at once.
"""


@dataclass(slots=True)
class DemoProcesses:
    """Everything that runs while the demo does."""

    settings: Settings
    admin: Admin
    google: SandboxGoogle
    progress: DemoProgress
    environment: Mapping[str, str]
    worker: Child
    flower: str | None
    """Where Flower is; None where it did not start, which is no reason to do without the rest."""

    def kill_worker(self) -> None:
        """Kill the worker as a crash would, and start another."""
        self.worker.kill()
        self.worker.stop()
        self.worker = self.start_worker(self.settings.data_dir, self.environment)

    @staticmethod
    def start_worker(data_dir: Path, environment: Mapping[str, str]) -> Child:
        """Start a worker."""
        return Child(["certmail_worker", "worker"], environment, data_dir / "worker.log")


@contextmanager
def stage(base: Path, wanted: Settings, progress: DemoProgress) -> Iterator[DemoProcesses]:
    """Start everything in a data directory of its own, and stop it all at the end."""
    data_dir = new_directory(base)

    with ExitStack() as stack:
        google = SandboxGoogle(
            start(stack, any_port(wanted.sandbox_listen), partial(_sandbox, data_dir))
        )
        progress.say(f"Google's stand-in listens at {google.url}: its pages show what arrives.")

        admin, environment = start(
            stack, known_ports(wanted.listen), partial(_stores_and_gateway, data_dir, google)
        )
        progress.say("Stores are up: an embedded Valkey that writes before it answers, and SQLite.")

        flower = _flower(stack, data_dir, environment, wanted.flower_listen, progress)
        worker = DemoProcesses.start_worker(data_dir, environment)
        running = DemoProcesses(
            admin.settings, admin, google, progress, environment, worker, flower
        )
        # The worker of then, not of now.
        stack.callback(lambda: running.worker.stop())  # noqa: PLW0108
        with_flower = f" and Flower ({flower}) are up." if flower else " are up."
        progress.say(f"A worker{', ' if flower else ' and '}the gateway{with_flower}")
        yield running


def _stores_and_gateway(
    data_dir: Path, google: SandboxGoogle, stack: ExitStack, listen: str
) -> tuple[Admin, dict[str, str]]:
    """Start both stores, and the gateway at an address that is registered at Google.

    Gives also the environment of all processes.
    """
    environment = _environment(data_dir, google, listen)
    settings = Settings.from_env(
        **{n.removeprefix(PREFIX).lower(): v for n, v in environment.items() if v}
    )
    admin = stack.enter_context(open_admin(settings))
    _serve(stack, ["certmail_worker", "gateway"], environment, data_dir / "gateway.log")
    return admin, environment


def _flower(
    stack: ExitStack,
    data_dir: Path,
    environment: Mapping[str, str],
    listen: str,
    progress: DemoProgress,
) -> str | None:
    """Start Flower, and give where it is.

    That it cannot start is said, and the demo goes on without it.
    """

    def attempt(own: ExitStack, place: str) -> str:
        own_environment = {**environment, f"{PREFIX}FLOWER_LISTEN": place}
        return _serve(own, ["certmail_worker", "flower"], own_environment, data_dir / "flower.log")

    try:
        return start(stack, any_port(listen), attempt)
    except Refused as error:
        progress.say(f"Flower did not start, and the demo goes on without it: {error.message}")
        return None


def _serve(
    stack: ExitStack, command: Sequence[str], environment: Mapping[str, str], log: Path
) -> str:
    """Start a process whose first line says where it listens, and give that line.

    Raises Refused if it ends instead.
    """
    return stack.enter_context(child(command, environment, log=log)).first_line()


def _environment(data_dir: Path, google: SandboxGoogle, listen: str) -> dict[str, str]:
    """The environment of the children.

    This data directory, the sandbox as Google, an OAuth client registered there.
    """
    client, secret = google.add_oauth_client(f"http://{listen}/oauth/google/callback")
    values = {
        "DATA_DIR": str(data_dir),
        "REDIS_URL": "",
        "DATABASE_URL": "",
        "VAULT_KEYS": "",
        "LISTEN": listen,
        "METRICS_LISTEN": "",
        "PUBLIC_URL": "",
        "OPERATOR_PASSWORD": secrets.token_urlsafe(9),
        "FLOWER_BASIC_AUTH": f"demo:{secrets.token_urlsafe(9)}",
        "OAUTH_CLIENT_ID": client,
        "OAUTH_CLIENT_SECRET": secret,
        "SANDBOX_URL": google.url,
        **{name.upper(): value for name, value in sandbox_addresses(google.url).items()},
        "UNCERTAIN_5XX": f"resend:{RESEND_SECONDS}",
        "VERIFY_SECONDS": str(VERIFY_SECONDS),
    }

    return {PREFIX + name: value for name, value in values.items()}


def _sandbox(data_dir: Path, stack: ExitStack, listen: str) -> str:
    """Start the sandbox, and give where it is."""
    return _serve(stack, ["certmail_sandbox", "--listen", listen], {}, data_dir / "sandbox.log")
