"""The vault's keys in the data directory: several, newest first.

A new one is known to everybody at once.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from certmail_config.base.errors import SettingsError, WrongUse
from certmail_config.crypto.vault import key_id_of
from certmail_config.settings import Settings, parse_vault_key
from certmail_config.stores.connect import open_vault, vault_keys
from certmail_config.stores.vault_file import (
    key_file,
    new_vault_key,
    put_in_front,
    read_keys,
    require_key_file,
)

ONE, TWO = new_vault_key(), new_vault_key()
BOTH = (parse_vault_key(ONE), parse_vault_key(TWO))


class TestSeveralKeys:
    @pytest.mark.parametrize(
        "form", ["ONE\nTWO\n", "ONE,TWO", "ONE, TWO\n", "\nONE\r\n\r\nTWO\r\n", "ONE,\nTWO,\n"]
    )
    def test_they_are_read_newest_first_with_commas_or_one_a_line(
        self, tmp_path: Path, form: str
    ) -> None:
        (tmp_path / "vault.key").write_text(form.replace("ONE", ONE).replace("TWO", TWO))
        assert vault_keys(Settings(data_dir=tmp_path)) == BOTH

    @pytest.mark.parametrize("form", ["", "\n", ",", "hunter2", "ONE\nhunter2", "ONE\nHALF"])
    def test_a_file_with_anything_else_is_refused_by_name_and_not_repeated(
        self, tmp_path: Path, form: str
    ) -> None:
        (tmp_path / "vault.key").write_text(form.replace("ONE", ONE).replace("HALF", TWO[:-9]))
        with pytest.raises(SettingsError) as raised:
            vault_keys(Settings(data_dir=tmp_path))
        text = str(raised.value.as_json())
        assert str(tmp_path / "vault.key") in text
        assert raised.value.remedy
        assert not any(secret in text for secret in ("hunter2", ONE[10:30], TWO[10:30]))


class TestANewKey:
    def test_it_stands_in_front_and_the_others_stay_for_the_owner_only(
        self, tmp_path: Path
    ) -> None:
        settings = Settings(data_dir=tmp_path)
        (tmp_path / "vault.key").write_text(f"{ONE},{TWO}")
        (tmp_path / "vault.key").chmod(0o644)
        made = put_in_front(key_file(settings))
        found = vault_keys(settings)
        assert (found[0][0], found[1:]) == (made, BOTH)
        assert stat.S_IMODE((tmp_path / "vault.key").stat().st_mode) == 0o600
        assert sorted(path.name for path in tmp_path.iterdir()) == ["vault.key", "vault.lock"]

    def test_what_a_crash_left_behind_is_not_in_the_way(self, tmp_path: Path) -> None:
        (tmp_path / "vault.key").write_text(ONE)
        (tmp_path / "vault.part").write_text("half of a")
        (tmp_path / "vault.part").chmod(0o644)
        put_in_front(tmp_path / "vault.key")
        assert read_keys(tmp_path / "vault.key")[1:] == BOTH[:1]
        assert stat.S_IMODE((tmp_path / "vault.key").stat().st_mode) == 0o600

    def test_who_reads_meanwhile_finds_a_whole_file_and_several_at_once_lose_no_key(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "vault.key"
        path.write_text(ONE)
        ended, seen = threading.Event(), set[int]()

        def read() -> None:
            while not ended.is_set():
                found = read_keys(path)
                assert found[-1] == BOTH[0]
                seen.add(len(found))

        with ThreadPoolExecutor(5) as pool:
            reader = pool.submit(read)
            made = list(pool.map(lambda _: put_in_front(path), range(40)))
            ended.set()
            reader.result()
        assert {key_id for key_id, _ in read_keys(path)} == {*made, BOTH[0][0]}
        assert len(seen) > 1

    def test_killed_at_any_moment_it_is_there_or_not(self, tmp_path: Path) -> None:
        path = tmp_path / "vault.key"
        path.write_text(ONE)
        code = (
            "import sys, pathlib; from certmail_config.stores.vault_file import put_in_front\n"
            "print('go', flush=True)\nwhile True: put_in_front(pathlib.Path(sys.argv[1]))"
        )

        for n in range(8):
            before = read_keys(path)
            with subprocess.Popen(
                [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE
            ) as process:
                assert process.stdout is not None
                process.stdout.readline()
                # At another moment each time; whatever was reached, the file is whole.
                time.sleep(0.003 * n)
                process.kill()
            assert read_keys(path)[-len(before) :] == before

    def test_a_file_that_cannot_be_used_is_not_added_to(self, tmp_path: Path) -> None:
        (tmp_path / "vault.key").write_text("hunter2")
        with pytest.raises(SettingsError):
            put_in_front(tmp_path / "vault.key")
        assert (tmp_path / "vault.key").read_text() == "hunter2"

    def test_where_keys_are_set_it_is_wrong_use_and_says_the_right_one(
        self, tmp_path: Path
    ) -> None:
        with pytest.raises(WrongUse) as raised:
            require_key_file(Settings(data_dir=tmp_path, vault_keys=BOTH))
        assert raised.value.code == "keys_are_set"
        assert "first behind the present one" in raised.value.remedy

    def test_where_other_machines_may_share_the_database_too(self, tmp_path: Path) -> None:
        with pytest.raises(WrongUse) as raised:
            require_key_file(
                Settings(data_dir=tmp_path, database_url="postgresql+psycopg://host/db")
            )
        assert raised.value.code == "keys_may_be_elsewhere"
        assert "CERTMAIL_VAULT_KEYS" in raised.value.remedy

    def test_otherwise_nothing_is_said(self, tmp_path: Path) -> None:
        require_key_file(Settings(data_dir=tmp_path))


class TestRunningProcesses:
    def test_they_seal_with_a_new_key_and_open_what_it_sealed(self, tmp_path: Path) -> None:
        settings = Settings(data_dir=tmp_path)
        one, other = open_vault(settings), open_vault(settings)
        before = one.seal(b"before", owner="acme")
        made = put_in_front(key_file(settings))
        sealed = one.seal(b"after", owner="acme")
        assert key_id_of(sealed) == made
        assert (other.open(sealed, owner="acme"), other.open(before, owner="acme")) == (
            b"after",
            b"before",
        )

    def test_with_the_file_gone_they_go_on(self, tmp_path: Path) -> None:
        running = open_vault(Settings(data_dir=tmp_path))
        key_file(Settings(data_dir=tmp_path)).unlink()
        assert running.open(running.seal(b"x", owner="acme"), owner="acme") == b"x"

    def test_configured_keys_do_not_change_with_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "vault.key").write_text(TWO)
        running = open_vault(Settings(data_dir=tmp_path, vault_keys=BOTH[:1]))
        assert running.key_ids == (BOTH[0][0],)
        assert os.listdir(tmp_path) == ["vault.key"]  # noqa: PTH208 - names only
