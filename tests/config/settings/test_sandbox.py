"""The sandbox's addresses and its data directory.

Who works there never works with Google or with another deployment's stores.
"""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from certmail_config.base.errors import SettingsError
from certmail_config.settings import Settings
from certmail_config.settings.sandbox import keep, kept_file, read_kept, sandbox_addresses

URL = "http://127.0.0.1:8090"
ELSEWHERE = {
    "CERTMAIL_REDIS_URL": "redis://production.example",
    "CERTMAIL_DATABASE_URL": "postgresql+psycopg://production.example/certmail",
    "CERTMAIL_PUBLIC_URL": "https://certmail.example.com",
    "CERTMAIL_GMAIL_URL": "https://gmail.googleapis.com",
    "CERTMAIL_OAUTH_CLIENT_ID": "the real one",
}


def google_of(settings: Settings) -> dict[str, object]:
    """Every address of Google's."""
    names = [
        n
        for n in Settings.model_fields
        if n.startswith(("google_", "gmail_")) and n.endswith("_url")
    ]
    return {name: getattr(settings, name) for name in names}


def test_one_setting_leads_all_of_google_to_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTMAIL_SANDBOX_URL", f"{URL}/")
    found = google_of(Settings.from_env())
    assert found == sandbox_addresses(URL), "no address of Google's is forgotten"
    assert all(str(each).startswith(URL) for each in found.values())


def test_but_not_what_is_set_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTMAIL_SANDBOX_URL", URL)
    monkeypatch.setenv("CERTMAIL_GMAIL_URL", "http://127.0.0.1:9")
    assert Settings.from_env().gmail_url == "http://127.0.0.1:9"
    assert Settings.from_env().google_token_url == f"{URL}/token"


def test_the_sandboxs_directory_keeps_its_own_whatever_else_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ELSEWHERE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CERTMAIL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CERTMAIL_UNCERTAIN", "resend")
    kept = {"sandbox_url": URL, "listen": "127.0.0.1:8081", "oauth_client_id": "its own"}
    keep(tmp_path, {"settings": kept})
    found = Settings.from_env()

    assert google_of(found) == sandbox_addresses(URL)
    assert (found.redis_url, found.database_url, found.public_url) == (None, None, None)
    assert (found.listen, found.oauth_client_id) == ("127.0.0.1:8081", "its own")
    assert found.uncertain == "resend", "what keeps nothing apart may be set"
    assert stat.S_IMODE(kept_file(tmp_path).stat().st_mode) == 0o600


def test_another_directory_keeps_nothing(tmp_path: Path) -> None:
    assert read_kept(tmp_path) == {}
    assert Settings.from_env(data_dir=tmp_path).gmail_url == "https://gmail.googleapis.com"


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_spoilt_file_is_named(tmp_path: Path, text: str) -> None:
    kept_file(tmp_path).write_text(text)
    with pytest.raises(SettingsError, match=r"sandbox\.json cannot be read") as raised:
        Settings.from_env(data_dir=tmp_path)
    # The directory may be a deployment's, with keys in it that nobody has twice.
    assert f"Remove {tmp_path}" not in raised.value.remedy
