"""Where the processes of one machine tell their metrics, each at a port of its own."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Final

from certmail_config.settings import PREFIX, Settings
from certmail_config.settings.forms import host_and_port

NAME: Final = f"{PREFIX}METRICS_LISTEN"
TRIED: Final = 20
"""So many ports are looked at for one that is free."""


@dataclass(frozen=True, slots=True)
class MetricsPorts:
    """Where worker and gateway do so; blank is nowhere."""

    worker: str = ""
    gateway: str = ""

    @property
    def of_worker(self) -> dict[str, str]:
        """What is to be in the worker's environment."""
        return {NAME: self.worker}

    @property
    def of_gateway(self) -> dict[str, str]:
        """And in the gateway's."""
        return {NAME: self.gateway}


def metrics_ports(settings: Settings) -> MetricsPorts:
    """The worker's as the setting says, and the gateway's at the next port that is free.

    A port that another setting names is left to it.
    """
    if settings.metrics_listen is None:
        return MetricsPorts()

    host, port = host_and_port(settings.metrics_listen)
    others = {host_and_port(each)[1] for each in (settings.listen, settings.flower_listen)}
    behind = [each for each in range(port + 1, min(port + TRIED, 65_536)) if each not in others]
    found = next((each for each in behind if port and _is_free(host, each)), 0)
    shown = f"[{host}]" if ":" in host else host
    return MetricsPorts(settings.metrics_listen, f"{shown}:{found}")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
