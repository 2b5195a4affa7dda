"""`up` gives each of its processes a port of its own for metrics."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from certmail_config.settings import Settings
from certmail_worker.processes.metrics_ports import NAME, MetricsPorts, metrics_ports


def ports(settings: Settings) -> tuple[int, int]:
    """Those of worker and gateway."""
    found = metrics_ports(settings)
    assert found.of_worker == {NAME: settings.metrics_listen}
    host, _, gateway = found.of_gateway[NAME].rpartition(":")
    assert host == str(settings.metrics_listen).rpartition(":")[0]
    return int(found.worker.rpartition(":")[2]), int(gateway)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_the_worker_has_what_is_set_and_the_gateway_the_next_that_is_free(host: str) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        worker, gateway = ports(Settings(metrics_listen=f"{host}:{port - 1}"))
    assert worker == port - 1
    assert worker < gateway <= worker + 20
    assert host == "[::1]" or gateway != port, "it is somebody's"


def test_a_port_that_another_setting_names_is_left_to_it() -> None:
    settings = Settings(
        metrics_listen="127.0.0.1:9464", listen="127.0.0.1:9465", flower_listen="127.0.0.1:9466"
    )
    worker, gateway = ports(settings)
    assert (worker, gateway > 9466) == (9464, True)


@pytest.mark.parametrize("port", [0, 65535])
def test_where_there_is_no_next_any_will_do(port: int) -> None:
    assert ports(Settings(metrics_listen=f"127.0.0.1:{port}")) == (port, 0)


def test_where_nothing_is_set_nobody_listens() -> None:
    assert metrics_ports(Settings()) == MetricsPorts()
    assert metrics_ports(Settings()).of_worker == {NAME: ""}
