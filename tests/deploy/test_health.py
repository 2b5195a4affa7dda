"""The image's HEALTHCHECK: whom it asks, and what counts as an answer.

`make image` runs it inside the image.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from certmail_config.settings import PREFIX, Settings

FILE: Final = Path(__file__).parents[2] / "deploy" / "image" / "health.py"


@pytest.fixture(scope="module")
def health() -> Any:
    spec = importlib.util.spec_from_file_location("health", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def answering(status: int) -> Iterator[int]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base names it
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "alive"), [(200, True), (401, True), (500, False), (503, False)]
)
def test_any_answer_but_a_failure_is_life(health: Any, status: int, alive: bool) -> None:
    with answering(status) as port:
        assert health.is_alive(f"0.0.0.0:{port}", "/healthz") is alive
    assert not health.is_alive(f"127.0.0.1:{port}", "/healthz"), "nobody is there any more"


def test_it_asks_where_settings_say_that_each_process_listens(health: Any) -> None:
    fields = Settings.model_fields
    for command, (variable, default, _) in health.PLACES.items():
        name = variable.removeprefix(PREFIX).lower()
        if name in fields:
            assert (fields[name].default or "") == default, command
