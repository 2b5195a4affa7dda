"""What the gateway counts of its requests, for metrics."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from certmail_config.metrics.instruments import OTHER, GatewayMeters

METERS: Final[web.AppKey[GatewayMeters]] = web.AppKey("meters", GatewayMeters)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PARTS: Final = {
    "/v1": "api",
    "/console": "console",
    "/connect": "console",
    "/oauth": "console",
    "/healthz": "health",
    "/readyz": "health",
}

_LONG: Final = frozenset({"/console/live", "/console/deliveries/export"})
"""What lasts as long as somebody listens, or reads: no measure of how fast pages are."""


def note_request(
    meters: GatewayMeters, route: str, method: str, status: int, seconds: float
) -> None:
    """Count a request; `route` is the address's pattern. A method may be any word: most are one."""
    known = method if method in _METHODS else OTHER
    meters.requests.add(route, known, f"{status // 100}xx")
    first = "/" + route.lstrip("/").partition("/")[0]
    if route not in _LONG:
        meters.seconds.note(seconds, _PARTS.get(first, OTHER))


def note_intake(meters: GatewayMeters, status: int) -> None:
    """Count what became of one reminder: 202 is a new one, 200 a duplicate."""
    outcome = {202: "enqueued", 200: "duplicate"}.get(status, "rejected")
    meters.intake.add(outcome)
