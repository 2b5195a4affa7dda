"""docs/installing.md against what lies in deploy/; `make walk` follows it on a real machine."""

from __future__ import annotations

import re
from typing import Final

import pytest

from certmail.gateway.api.request.bodies import MAX_BATCH_BYTES
from certmail_config.settings import Settings
from support.data.pages import ROOT, page
from walk.page import Block, blocks

UNITS: Final = ROOT / "deploy" / "systemd"
NGINX: Final = (ROOT / "deploy" / "nginx" / "certmail.conf").read_text("utf-8")
PAGE: Final = page("docs/installing.md")
UPGRADE: Final = list(blocks("upgrading.md", "On one machine, with systemd"))
BLOCKS: Final = [*blocks("installing.md"), *UPGRADE]
COMMANDS: Final = "".join(each.commands for each in BLOCKS)


def test_it_is_short_and_each_part_says_what_is_seen() -> None:
    assert len(PAGE.text.splitlines()) <= 250
    assert len({each.part for each in BLOCKS}) == 14
    assert UPGRADE
    assert [each.part for each in BLOCKS if not each.seen and "reboot" not in each.commands] == []


def test_what_it_installs_is_there() -> None:
    named = set(re.findall(r"\bdeploy/[\w./*@-]+", COMMANDS))
    assert len(named) >= 8
    assert [name for name in named if not list(ROOT.glob(name))] == []


def test_units_that_it_starts_are_there() -> None:
    lines = [line for line in COMMANDS.splitlines() if "systemctl" in line]
    named = set(re.findall(r"\bcertmail-[\w@]+", " ".join(lines)))
    units = {re.sub(r"@\d$", "@", name) for name in named}
    assert units >= {"certmail-worker@", "certmail-gateway", "certmail-flower"}
    assert [name for name in units if not (UNITS / f"{name}.service").exists()] == []


def test_each_secret_that_a_process_loads_is_made() -> None:
    loaded: set[str] = set()
    for path in [*UNITS.glob("*.service"), UNITS / "certmail-admin"]:
        text = path.read_text("utf-8")
        loaded |= set(re.findall(r"(?:credentials|\$stored)/([a-z-]+)\b", text))

    [secrets] = [each.commands for each in BLOCKS if each.part.endswith("Secrets")]
    [users] = re.findall(r"for who in (.*); do", secrets)
    made = {f"redis-url-{user}" for user in users.split()}
    made |= set(re.findall(r"> ([a-z-]+)$", secrets, re.MULTILINE)) - {"redis-url-"}

    assert made == loaded
    assert f"# → {len(made)}" in secrets


def test_prometheus_asks_where_units_listen() -> None:
    listening = {
        re.findall(r"METRICS_LISTEN=127.0.0.1:(\d+)", (UNITS / f"certmail-{name}.service").read_text("utf-8").replace("%i", number))[0]
        for name, number in (("gateway", ""), ("worker@", "1"), ("worker@", "2"))
    }  # fmt: skip
    example = (ROOT / "deploy" / "monitoring" / "prometheus.yaml").read_text("utf-8")
    assert set(re.findall(r"127\.0\.0\.1:(946\d)", example)) == listening
    assert set(re.findall(r"127\.0\.0\.1:(946\d)", COMMANDS)) == listening


def test_nginx_leads_to_the_gateway_and_lets_its_largest_request_through() -> None:
    assert f"server {Settings().listen};" in NGINX
    [mebibytes] = re.findall(r"client_max_body_size (\d+)m;", NGINX)
    assert int(mebibytes) * 1024 * 1024 == MAX_BATCH_BYTES

    made = set(re.findall(r"/etc/certmail/tls/\w+\.pem", COMMANDS))
    assert set(re.findall(r"/etc/certmail/tls/\w+\.pem", NGINX)) <= made


class TestWhatIsSeen:
    block = Block("part", "", ("{…}", "ok workers  2 alive."))

    @pytest.mark.parametrize(
        ("output", "missing"),
        [
            ("x\n{1}\nok       workers  2 alive.\n", None),
            ("ok workers 2 alive.\n{1}\n", "ok workers  2 alive."),
            ("{1\n", "{…}"),
            ("{1}\nok workers 21 alive.", "ok workers  2 alive."),
        ],
    )
    def test_lines_come_up_in_their_order(self, output: str, missing: str | None) -> None:
        assert self.block.missing(output) == missing
