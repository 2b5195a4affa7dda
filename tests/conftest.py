"""What every test may ask for: a real server, and an empty database of each kind."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from itertools import count
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Final
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from redis import Redis

from certmail_config.crypto import certificates
from certmail_config.sql.engine import open_database, upgrade
from certmail_config.stores.connect import connect
from certmail_config.stores.embedded import embedded_server
from certmail_config.stores.vault_file import new_vault_key
from support.costs import Costs, table
from support.servers.emptied import EmptiedDatabases
from support.servers.postgres import Postgres, postgres

ROOT = Path(__file__).parent
DATABASES = ("sqlite", "postgresql")

# What tells that a test needs other processes: `make check` leaves those out.
SERVERS = {"redis", "redis_url", "engine", "postgres_server", "database", "ready_database"}
STARTERS = {"subprocess", "multiprocessing", "embedded_server", "postgres"}
HELPERS = {"support", "bench", "chaos", "judge", "soak", "spam", "upgrade"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the folder in which `make costs` collects what the tests cost."""
    parser.addoption("--costs", type=Path, metavar="FOLDER", help="write each file's costs there")


def pytest_configure(config: pytest.Config) -> None:
    """Prepare for what the tests start: hundreds of processes.

    Ctrl-C works in them, even where a shell started the tests in the background, which is deaf to
    it; they need not compile all modules anew, each for itself; and they need not read the machine's
    certificates, twice in each, since no test asks anybody else's server.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.update(SSL_CERT_FILE=os.devnull, SSL_CERT_DIR=os.devnull)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if (folder := config.getoption("--costs")) and hasattr(config, "workerinput"):
        config.pluginmanager.register(Costs(folder))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need other processes, and run those that mostly wait first.

    At the end no process waits alone for them.
    """
    for item in items:
        if _needs_processes(item):
            item.add_marker("processes")

    items.sort(key=lambda item: item.path.parts[len(ROOT.parts)] not in {"end_to_end", "chaos"})


def _needs_processes(item: pytest.Item) -> bool:
    """Whether a test asks for a server, or its module starts programs.

    A module starts them itself, or by what it takes from the tests' own helpers.
    """
    if not isinstance(item, pytest.Function) or SERVERS & set(item.fixturenames):
        return True

    return _starts_programs(item.module)


@cache
def _starts_programs(module: ModuleType) -> bool:
    if STARTERS & vars(module).keys():
        return True

    named = {
        value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))
        for value in vars(module).values()
    }
    helpers = {name for name in named if name.partition(".")[0] in HELPERS} - {module.__name__}
    return any(_starts_programs(sys.modules[name]) for name in helpers if name in sys.modules)


@pytest.fixture(autouse=True)
def keys_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first, second … RSA key that a test has made be the same in each test.

    They differ from each other, and are made as certmail makes them: each takes up to 100 ms of CPU.
    """
    numbers = count()
    monkeypatch.setattr(
        certificates, "rsa", SimpleNamespace(generate_private_key=partial(_key, numbers))
    )


def _key(numbers: Iterator[int], **how: int) -> rsa.RSAPrivateKey:
    return _numbered_key(next(numbers), **how)


_new_key: Final = rsa.generate_private_key
"""As it is now: within `one_key` all numbers would have the same one, and keep it."""


@cache
def _numbered_key(_: int, **how: int) -> rsa.RSAPrivateKey:
    return _new_key(**how)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One embedded Valkey for the whole run, as certmail starts it for its users."""
    with embedded_server(Path(tmp_path_factory.mktemp("stores"))) as url:
        yield url


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """A client of the shared server, emptied."""
    with connect(redis_url) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One PostgreSQL for all tests of a process that ask for one."""
    with postgres() as server:
        yield server


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database; a test that asks for it runs on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/certmail.sqlite"
        return
    with _another(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture(params=DATABASES)
def ready_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with this version's tables; as `database`."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "certmail.sqlite")
        yield f"sqlite:///{tmp_path}/certmail.sqlite"
        return
    databases: EmptiedDatabases = request.getfixturevalue("postgres_databases")
    with databases.lent() as url:
        yield url


@pytest.fixture
def postgres_database(postgres_databases: EmptiedDatabases) -> Iterator[str]:
    """The same in PostgreSQL only, for slow tests where it is the database that matters."""
    with postgres_databases.lent() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with this version's tables, to copy others from."""
    file = Path(tmp_path_factory.mktemp("pattern")) / "certmail.sqlite"
    _upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def data_dir(sqlite_template: Path, tmp_path: Path) -> Path:
    """A data directory as certmail leaves it: vault key, and a database with today's tables."""
    key = tmp_path / "vault.key"
    key.write_text(new_vault_key() + "\n")
    key.chmod(0o600)
    shutil.copy(sqlite_template, tmp_path / "certmail.sqlite")
    return tmp_path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Postgres) -> str:
    """The name of a database with this version's tables, to make others from."""
    postgres_server.execute("CREATE DATABASE pattern")
    _upgrade(postgres_server.url("pattern"))
    return "pattern"


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: Postgres, postgres_template: str) -> EmptiedDatabases:
    """Empty databases with this version's tables."""
    return EmptiedDatabases(postgres_server, postgres_template)


@contextmanager
def _another(server: Postgres) -> Iterator[str]:
    name = f"t{uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY FILE_COPY")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _upgrade(url: str) -> None:
    engine = open_database(url)
    upgrade(engine)
    engine.dispose()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have recorded, whichever process ran them.

    They are recorded by `record_property("said", ...)`.
    """
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, said in getattr(report, "user_properties", ()):
                if name == "said":
                    terminalreporter.write_line(str(said))

    if folder := terminalreporter.config.getoption("--costs"):
        terminalreporter.write_line(table(folder))
