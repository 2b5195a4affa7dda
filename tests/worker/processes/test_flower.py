"""What may be shown of a worker, and who may look.

The parts of Flower's lock that need no process.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from certmail_config.base.errors import SettingsError
from certmail_config.settings import PREFIX, Settings
from certmail_worker.processes.flower import without_broker_url
from certmail_worker.processes.flower_auth import auth_file, kept_auth


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


class TestWhatIsShownOfAWorker:
    @pytest.mark.parametrize(
        ("hostname", "seen"),
        [
            ("redis.internal", "redis.internal"),
            ("redis+socket:///run/redis.sock", "redis+socket:///run/redis.sock"),
            ("redis+socket://:hunter2@/run/redis.sock", "redis+socket://…@/run/redis.sock"),
            ("redis+socket://ann:hunter2@/run/redis.sock", "redis+socket://…@/run/redis.sock"),
            ("redis+socket:///run/redis.sock?password=hunter2", "redis+socket:///run/redis.sock"),
        ],
    )
    def test_of_the_brokers_address_never_user_or_password(self, hostname: str, seen: str) -> None:
        broker = {
            "hostname": hostname,
            "transport": "redis",
            "userid": "ann",
            "login_method": "hunter2",
        }

        told = {"stats": {"pid": 7, "broker": broker}, "timestamp": 1.0}
        found = without_broker_url(told)
        assert found["stats"] == {"pid": 7, "broker": {"hostname": seen, "transport": "redis"}}
        assert found["timestamp"] == 1.0
        assert "hunter2" not in json.dumps(found)

    def test_all_that_names_no_broker_as_it_was_told(self) -> None:
        every: list[dict[str, Any]] = [{}, {"timestamp": 1.0}, {"stats": {"pid": 7}}, {"stats": {}}]
        for told in every:
            assert without_broker_url(told) == told


class TestTheSetting:
    @pytest.mark.parametrize(
        "value", ["hunter2", ":hunter2", "hunter2:", "hünter2:x", "hunter2:x\ny"]
    )
    def test_it_is_user_and_password_and_a_refusal_repeats_neither(
        self, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        monkeypatch.setenv("CERTMAIL_FLOWER_BASIC_AUTH", value)
        with pytest.raises(SettingsError, match=r"^CERTMAIL_FLOWER_BASIC_AUTH: must be") as raised:
            Settings.from_env()
        assert "nter2" not in raised.value.message

    @pytest.mark.parametrize("value", ["a:b", "ann:eleven-long"])
    def test_a_password_that_can_be_guessed_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        monkeypatch.setenv("CERTMAIL_FLOWER_BASIC_AUTH", value)
        with pytest.raises(SettingsError, match="12 characters"):
            Settings.from_env()

    def test_a_password_may_hold_colons_and_is_not_shown_where_settings_are(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CERTMAIL_FLOWER_BASIC_AUTH", "ann:hunter2:, and even more")
        settings = Settings.from_env()
        assert settings.flower_basic_auth is not None
        assert settings.flower_basic_auth.get_secret_value() == "ann:hunter2:, and even more"
        assert (
            "hunter2"
            not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
        )

    def test_by_default_flower_listens_on_this_machine_only(self) -> None:
        assert Settings.from_env().flower_listen == "127.0.0.1:5555"


class TestTheKeptPassword:
    def test_it_is_made_once_for_its_owner_only(self, tmp_path: Path) -> None:
        settings = Settings(data_dir=tmp_path)
        before = os.umask(0)

        try:
            auth = kept_auth(settings)
        finally:
            os.umask(before)

        assert kept_auth(settings) == auth
        user, _, password = auth.partition(":")
        assert (user, len(password)) == ("certmail", 32)
        assert auth_file(settings).stat().st_mode & 0o777 == 0o600
        assert list(tmp_path.iterdir()) == [auth_file(settings)]

    def test_each_directory_has_its_own(self, tmp_path: Path) -> None:
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
        assert len({kept_auth(Settings(data_dir=folder)) for folder in folders}) == 2

    @pytest.mark.parametrize(
        "content", ["", "\n", "hunter2", "ann:hunter2\nann:hunter3\n", "\x00\xff:hunter2"]
    )
    def test_a_spoilt_file_is_named_and_not_repeated(self, tmp_path: Path, content: str) -> None:
        settings = Settings(data_dir=tmp_path)
        auth_file(settings).write_text(content, "latin-1")
        with pytest.raises(SettingsError) as raised:
            kept_auth(settings)
        assert raised.value.code == "flower_auth_spoilt"
        assert str(auth_file(settings)) in raised.value.message
        assert "hunter" not in raised.value.message
