"""The compose file: what each of its containers may, waits for, and is told.

Compose's own schema is held against it by `make charts`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from certmail_config.settings import FROM_FILES, PREFIX, Settings, file_variable
from certmail_worker.processes.children import NOT_FOR

COMPOSE: Final = Path(__file__).parents[2] / "deploy" / "compose"
FILE: Final[dict[str, Any]] = yaml.safe_load((COMPOSE / "compose.yaml").read_text("utf-8"))
SERVICES: Final[dict[str, dict[str, Any]]] = FILE["services"]
each_service = pytest.mark.parametrize("name", SERVICES)
each_process = pytest.mark.parametrize("name", ["worker", "gateway", "flower", "operator"])


class TestEachContainer:
    @each_service
    def test_may_nothing_that_it_does_not_need(self, name: str) -> None:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert ("cap_add" in service) == (name == "postgres")
        assert "privileged" not in service
        assert service.get("network_mode") is None

    @each_service
    def test_is_published_on_loopback_if_at_all(self, name: str) -> None:
        published = SERVICES[name].get("ports", [])
        assert bool(published) == (name in {"gateway", "flower", "grafana", "sandbox"})
        assert all(each.startswith("127.0.0.1:") for each in published)

    @each_service
    def test_says_whether_it_is_well(self, name: str) -> None:
        own: Any = SERVICES[name].get("healthcheck")
        if SERVICES[name]["image"].startswith("${CERTMAIL_IMAGE"):
            assert own is None or name in {"upgrade", "operator"}, "the image has one"
        else:
            assert own["test"]

    @each_service
    def test_waits_until_what_it_needs_is_ready(self, name: str) -> None:
        for needed in SERVICES[name].get("depends_on", {}).values():
            assert needed["condition"] in {"service_healthy", "service_completed_successfully"}

    def test_nobody_but_the_stores_is_where_they_are(self) -> None:
        assert FILE["networks"]["stores"]["internal"] is True
        assert SERVICES["valkey"]["networks"] == SERVICES["postgres"]["networks"] == ["stores"]
        assert "stores" not in SERVICES["grafana"]["networks"] + SERVICES["prometheus"]["networks"]


class TestCertmailsOwn:
    @each_process
    def test_get_the_secrets_that_they_need_and_each_as_a_file(self, name: str) -> None:
        environment, given = SERVICES[name]["environment"], set(SERVICES[name]["secrets"])
        files = {key: value for key, value in environment.items() if key.endswith("_FILE")}
        assert set(files) <= {file_variable(each) for each in FROM_FILES}
        assert {value.removeprefix("/run/secrets/") for value in files.values()} == given
        assert not set(files) & {file_variable(each) for each in NOT_FOR.get(name, ())}
        assert not set(environment) & {f"{PREFIX}{each.upper()}" for each in FROM_FILES}

    @each_process
    def test_are_left_the_time_to_end(self, name: str) -> None:
        seconds = int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
        assert seconds >= (0 if name == "flower" else Settings().lease_seconds + 20)

    def test_there_are_two_workers_and_tables_come_first(self) -> None:
        assert SERVICES["worker"]["deploy"]["replicas"] == 2
        assert "upgrade" in SERVICES["worker"]["depends_on"]
        assert SERVICES["upgrade"]["command"] == ["db", "upgrade"]

    def test_the_sandbox_is_there_for_who_asks_and_needs_nothing_else(self) -> None:
        sandbox = SERVICES["sandbox"]
        assert sandbox["profiles"] == ["sandbox"]
        assert not {"depends_on", "secrets"} & set(sandbox)
        inside = {value.rpartition(":")[2] for value in sandbox["environment"].values()}
        outside = {tuple(each.split(":")[1:]) for each in sandbox["ports"]}
        assert outside == {(port, port) for port in inside}, "links name a port inside and outside"
        others = {each for name in ("gateway", "flower", "grafana") for each in SERVICES[name]["ports"]}  # fmt: skip
        assert not {each.split(":")[1] for each in others} & inside

    @pytest.mark.parametrize("overlay", ["oauth", "operators"])
    def test_what_is_added_comes_as_files_to_whom_it_is_for(self, overlay: str) -> None:
        added = yaml.safe_load((COMPOSE / f"{overlay}.yaml").read_text("utf-8"))
        known = {f"{PREFIX}{each.upper()}" for each in Settings.model_fields}
        assert set(added["services"]) == (
            {"worker", "gateway"} if overlay == "oauth" else {"gateway"}
        )
        for name, service in added["services"].items():
            files = {key: value for key, value in service["environment"].items() if key.endswith("_FILE")}  # fmt: skip
            assert set(files) <= {file_variable(each) for each in FROM_FILES}
            assert not set(files) & {file_variable(each) for each in NOT_FOR[name]}
            assert set(service["environment"]) - set(files) <= known
            secrets = {value.removeprefix("/run/secrets/") for value in files.values()}
            assert secrets == set(service["secrets"]) == set(added["secrets"])

    @each_process
    def test_settings_are_ones_that_there_are(self, name: str) -> None:
        known = {f"{PREFIX}{each.upper()}" for each in Settings.model_fields}
        known |= {file_variable(each) for each in FROM_FILES}
        assert set(SERVICES[name]["environment"]) <= known


def test_secrets_are_made_once_and_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(COMPOSE / "secrets.sh", tmp_path)
    command = ["sh", str(tmp_path / "secrets.sh")]
    environment = {**os.environ, "CERTMAIL": f"{sys.executable} -m certmail_worker"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    folder = tmp_path / "secrets"
    made = {each.name: each.read_text("utf-8") for each in folder.iterdir()}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    assert made == {each.name: each.read_text("utf-8") for each in folder.iterdir()}

    assert set(FILE["secrets"]) <= set(made)
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("worker", "gateway", "flower", "operator"):
        for variable, path in SERVICES[name]["environment"].items():
            if variable.endswith("_FILE"):
                monkeypatch.setenv(variable, path.replace("/run/secrets", str(folder)))
        settings = Settings.from_env()
        assert str(settings.redis_url).startswith(f"redis://certmail-{name}:")
    ((_, key),) = settings.vault_keys
    assert len(key) == 32
    users = dict(
        re.findall(r"^user (\S+) on #[0-9a-f]{64} (.*)$", made["redis-users"], re.MULTILINE)
    )
    assert len(users) == 6, "each has a password"
    assert "+@all" in users.pop("default"), "which no container knows"
    assert all("-@all" in rights for rights in users.values())
