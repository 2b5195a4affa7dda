"""Where the demo's servers listen.

Another program on a port, or one that comes first, is no end of the demo.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from io import StringIO
from pathlib import Path

import pytest
import requests
from rich.console import Console

from certmail_config.base.errors import Refused
from certmail_config.settings import Settings
from certmail_worker.demo.places import TRIES, any_port, known_ports, start
from certmail_worker.demo.progress import DemoProgress
from certmail_worker.demo.stage import stage

NOT_OURS = "192.0.2.1:5555"
"""An address that no machine has: nothing can listen there, whichever the port."""


@pytest.fixture
def taken() -> Iterator[str]:
    """Where another program listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        yield f"127.0.0.1:{other.getsockname()[1]}"


class TestPlaces:
    def test_the_one_that_was_asked_for_comes_first(self) -> None:
        assert next(any_port("127.0.0.1:5555")) == "127.0.0.1:5555"
        assert next(known_ports("127.0.0.1:8080")) == "127.0.0.1:8080"

    def test_then_any_port_of_the_same_host(self) -> None:
        assert [*any_port("[::1]:5555")][1:] == ["[::1]:0"] * (TRIES - 1)
        assert all(place.startswith("127.0.0.1:") for place in known_ports("127.0.0.1:8080"))
        assert len({*known_ports("127.0.0.1:8080")}) == TRIES

    def test_an_attempt_that_fails_leaves_nothing_behind(self) -> None:
        closed: list[str] = []

        def attempt(own: ExitStack, place: str) -> str:
            own.callback(closed.append, place)
            if place != "c":
                raise Refused("child_failed", place)
            return place

        with ExitStack() as stack:
            assert start(stack, ["a", "b", "c", "d"], attempt) == "c"
            assert closed == ["a", "b"]
        assert closed == ["a", "b", "c"]

    def test_where_none_can_be_had_the_last_reason_is_given(self) -> None:
        def attempt(own: ExitStack, place: str) -> str:
            raise Refused("child_failed", f"not at {place}")

        with ExitStack() as stack, pytest.raises(Refused, match="not at b"):
            start(stack, ["a", "b"], attempt)


def test_the_demo_goes_elsewhere_and_without_flower_if_it_must(
    taken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ports of the gateway and of the sandbox are taken; Flower can listen nowhere."""
    for name in ("LISTEN", "SANDBOX_LISTEN"):
        monkeypatch.setenv(f"CERTMAIL_{name}", taken)
    monkeypatch.setenv("CERTMAIL_FLOWER_LISTEN", NOT_OURS)
    wanted = Settings.from_env(data_dir=str(tmp_path))
    said = StringIO()
    with stage(tmp_path, wanted, DemoProgress(Console(file=said, width=200))) as running:
        assert running.flower is None
        assert requests.get(f"{running.settings.base_url}/healthz", timeout=10).ok
        assert requests.get(running.google.url, timeout=10).ok
        assert taken not in running.settings.base_url + running.google.url

    assert "Flower did not start, and the demo goes on without it" in said.getvalue()
    assert "A worker and the gateway are up." in said.getvalue()
