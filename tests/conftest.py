"""What every test may ask for: a real server, and an empty ledger on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from certmail_config.embedded import embedded_server
from certmail_config.stores import connect


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have to say in figures (`record_property("said", ...)`), whichever process ran them."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, said in getattr(report, "user_properties", ()):
                if name == "said":
                    terminalreporter.write_line(str(said))
